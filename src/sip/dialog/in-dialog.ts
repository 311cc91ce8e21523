// A request of the layer above inside a dialog: INFO, REFER, NOTIFY, MESSAGE, OPTIONS.
import type { DialogRequest, HeaderField, RequestOutcome, RequestReply, RequestView } from '../agent.ts';
import type { SipMessage } from '../message/message.ts';
import { checkHeaders } from '../message/serialize.ts';
import { contactOf } from '../stack.ts';
import type { Flow } from '../transport/transport.ts';
import type { DialogRequests } from './dialog-requests.ts';
import { Referrals } from './referral.ts';

/** Those of one dialog, at once or when it lets them go. */
export class LayerRequests {
  readonly #requests: DialogRequests;
  readonly #referrals = new Referrals();
  #held: (() => void)[] = [];

  constructor(requests: DialogRequests) {
    this.#requests = requests;
  }

  /** @throws {SipSyntaxError} when it cannot be put on the wire. */
  send({ method, headers = [], body }: DialogRequest, done: (outcome: RequestOutcome) => void): void {
    const referrals = this.#referrals;
    const contact = refreshesTarget(method) ? [contactHeader(this.#requests.flow)] : [];
    const sent = this.#requests.send(
      method,
      { headers: [...contact, ...headers], body },
      {
        response: (response) => {
          if (response.status < 200) return;
          if (response.status >= 300) referrals.closed(sent.request.seq);
          done({ kind: 'response', response });
        },
        failed: (why, message) => {
          referrals.closed(sent.request.seq);
          done(why === 'timeout' ? { kind: 'timeout' } : { kind: 'transport', message });
        },
      },
    );
    if (method === 'REFER') referrals.opened(sent.request.seq);
  }

  /**
   * Has `again` called on the next `release`.
   * @throws {SipSyntaxError} when it could not be put on the wire.
   */
  hold({ headers = [], body }: DialogRequest, again: () => void): void {
    checkHeaders(body ? [...headers, ['Content-Type', body.contentType]] : headers);
    this.#held.push(again);
  }

  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const again of held) again();
  }

  /** Whether a NOTIFY belongs to a REFER of ours. */
  takes(notify: SipMessage): boolean {
    return this.#referrals.takes(notify);
  }
}

/** What answers a request that the layer above has looked at; a NOTIFY that it does not care for was welcome. */
export function replyInDialog(
  { method }: RequestView,
  given: RequestReply | number | undefined,
  flow: Flow,
): RequestReply {
  const reply = given ?? (method === 'NOTIFY' ? 200 : 403);
  const { headers = [], ...rest } = typeof reply === 'number' ? { status: reply } : reply;
  const isAccepted = rest.status < 300 && refreshesTarget(method);
  return { ...rest, headers: isAccepted ? [contactHeader(flow), ...headers] : headers };
}

/** Those, and their 2xx, name a Contact (RFC 3515 §2, RFC 6665 §8.1). */
const refreshesTarget = (method: string): boolean => method === 'REFER' || method === 'NOTIFY';

const contactHeader = ({ transport }: Flow): HeaderField => ['Contact', contactOf(transport)];
