// What REFER leads to: the subscription it opens, and the fragments its NOTIFYs carry (RFC 3515, RFC 3420).
import type { Body, HeaderField } from '../agent.ts';
import type { SipMessage } from '../message/message.ts';
import { reasonOf } from '../message/status.ts';

/** REFERs of ours that are not over, by their CSeq. */
export class Referrals {
  readonly #open = new Set<number>();

  opened(seq: number): void {
    this.#open.add(seq);
  }

  closed(seq: number): void {
    this.#open.delete(seq);
  }

  /** Whether a NOTIFY belongs to one; the one that says `terminated` closes it. */
  takes(notify: SipMessage): boolean {
    const [event = '', ...params] = (notify.header('Event') ?? '').split(';').map((part) => part.trim());
    if (event.toLowerCase() !== 'refer') return false;
    const id = params.map((param) => /^id=(\d{1,10})$/i.exec(param)?.[1]).find(Boolean);
    const [oldest] = this.#open;
    const seq = id === undefined ? oldest : Number(id);
    if (seq === undefined || !this.#open.has(seq)) return false;
    if (/^terminated\b/i.test(notify.header('Subscription-State') ?? '')) this.#open.delete(seq);
    return true;
  }
}

/** Of the subscription that a NOTIFY belongs to. */
export interface ReferEvent {
  /** CSeq of its REFER; needed from the second one of a dialog on. */
  readonly id?: string;
  /** Seconds left of it; 60 without it. */
  readonly expiresS?: number;
  /** It ends, with whatever status. */
  readonly reason?: 'timeout';
}

/** What a NOTIFY of a REFER carries: how the referred call stands. Anything from 200 on closes the subscription. */
export function referNotify(
  status: number,
  { id, expiresS = 60, reason }: ReferEvent = {},
): { readonly headers: readonly HeaderField[]; readonly body: Body } {
  const isActive = status < 200 && reason === undefined;
  const state = isActive ? `active;expires=${expiresS}` : `terminated;reason=${reason ?? 'noresource'}`;
  return {
    headers: [
      ['Event', id === undefined ? 'refer' : `refer;id=${id}`],
      ['Subscription-State', state],
    ],
    body: {
      contentType: 'message/sipfrag;version=2.0',
      content: `SIP/2.0 ${status} ${reasonOf(status)}\r\n`,
    },
  };
}

/** The status in a sipfrag body; undefined when it has none. */
export function parseSipfrag(content: string): number | undefined {
  const status = /^SIP\/2\.0 ([1-6]\d\d)(?: |\r|\n|$)/.exec(content)?.[1];
  return status === undefined ? undefined : Number(status);
}
