// REFER inside a leg's dialog, ours and the party's (RFC 3515): requests, answers and the NOTIFYs that follow.
import type { Clock } from '../../lib/clock.ts';
import {
  type Dialog,
  formatAddress,
  formatUri,
  parseNameAddr,
  parseSipfrag,
  parseUri,
  ReferSubscription,
  type RequestOutcome,
  type RequestReply,
  type RequestView,
  referTargetOf,
  SipSyntaxError,
} from '../../sip/index.ts';
import type { Leg, LegObserver, ReferHandler } from './leg.ts';

/** What a REFER without an answer counts as. */
const REQUEST_TIMEOUT = 408;

/** One transfer at a time. Of a refusal by whoever else decides, the same words. */
export const TRANSFER_REFUSED: RequestReply = {
  status: 403,
  headers: [['X-Twilio-Error', '32218 SIP: Call transfer is not allowed']],
};

interface LegTransferGivens {
  readonly dialog: Dialog;
  readonly clock: Clock;
  readonly observer: Pick<LegObserver, 'referred'>;
}

export class LegTransfer {
  readonly #givens: LegTransferGivens;
  /** Who hears of the REFER that we sent. */
  #done: ReferHandler | undefined;
  /** Of the party's REFER that was taken last. */
  #subscription: ReferSubscription | undefined;

  constructor(givens: LegTransferGivens) {
    this.#givens = givens;
  }

  /** Sends the party elsewhere. */
  refer({ uri, headers }: Parameters<Leg['refer']>[0], done: ReferHandler): void {
    try {
      const target = formatAddress({ uri: formatUri({ ...parseUri(uri), headers }) });
      this.#done = done;
      const refer = { method: 'REFER', headers: [['Refer-To', target]] } as const;
      this.#givens.dialog.request(refer, (outcome) => done(eventOf(outcome)));
    } catch (error) {
      if (!(error instanceof SipSyntaxError)) throw error;
      done({ type: 'refused', status: 400 });
    }
  }

  /** What answers a request of the party inside the dialog. */
  requested(request: RequestView): RequestReply | number {
    if (request.method === 'REFER') return this.#referred(request);
    if (request.method !== 'NOTIFY') return 405;
    const status = parseSipfrag(request.body);
    if (status !== undefined) this.#done?.({ type: 'notified', status });
    return 200;
  }

  /** Tells whoever asked for a transfer how the new call stands; 200 and above is the last word. */
  progress(status: number): void {
    this.#subscription?.notify(status);
  }

  /** Before BYE: whoever asked for a transfer, and has not heard otherwise, hears that it was made. */
  close(): void {
    this.progress(200);
  }

  /** The party hung up. */
  drop(): void {
    this.#subscription?.drop();
  }

  #referred(request: RequestView): RequestReply | number {
    if (!referTargetOf(request)) return 400;
    if (this.#subscription?.isOver === false) return TRANSFER_REFUSED;
    const { observer } = this.#givens;
    const reply = observer.referred(parseNameAddr(request.header('Refer-To') ?? '').uri, request);
    const status = typeof reply === 'number' ? reply : reply.status;
    if (status >= 300) return reply;
    const subscription = new ReferSubscription(this.#givens, request, !this.#subscription);
    this.#subscription = subscription;
    // Leaves after the response, which is sent when this returns.
    subscription.begin();
    return subscription.accepted;
  }
}

function eventOf(outcome: RequestOutcome): Parameters<ReferHandler>[0] {
  if (outcome.kind !== 'response') return { type: 'refused', status: REQUEST_TIMEOUT };
  const { status } = outcome.response;
  return { type: status < 300 ? 'accepted' : 'refused', status };
}
