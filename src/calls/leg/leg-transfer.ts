// REFER inside a leg's dialog, ours and the party's (RFC 3515): requests, answers and the NOTIFYs that follow.
import {
  type Dialog,
  formatAddress,
  formatUri,
  parseNameAddr,
  parseReferTo,
  parseSipfrag,
  parseUri,
  type RequestOutcome,
  type RequestView,
  referNotify,
  SipSyntaxError,
} from '../../sip/index.ts';
import type { Leg, LegObserver, ReferHandler } from './leg.ts';

/** What a REFER without an answer counts as. */
const REQUEST_TIMEOUT = 408;

export class LegTransfer {
  readonly #dialog: Dialog;
  readonly #observer: Pick<LegObserver, 'referred'>;
  /** Who hears of the REFER that we sent. */
  #done: ReferHandler | undefined;
  /** The party's REFER was taken, and it waits to hear what came of it. */
  #isAwaited = false;

  constructor(dialog: Dialog, observer: Pick<LegObserver, 'referred'>) {
    this.#dialog = dialog;
    this.#observer = observer;
  }

  /** Sends the party elsewhere. */
  refer({ uri, headers }: Parameters<Leg['refer']>[0], done: ReferHandler): void {
    try {
      const target = formatAddress({ uri: formatUri({ ...parseUri(uri), headers }) });
      this.#done = done;
      this.#dialog.request({ method: 'REFER', headers: [['Refer-To', target]] }, (outcome) =>
        done(eventOf(outcome)),
      );
    } catch (error) {
      if (!(error instanceof SipSyntaxError)) throw error;
      done({ type: 'refused', status: 400 });
    }
  }

  /** The status that answers a request of the party inside the dialog. */
  requested(request: RequestView): number {
    if (request.method === 'REFER') return this.#referred(request);
    if (request.method !== 'NOTIFY') return 405;
    const status = parseSipfrag(request.body);
    if (status !== undefined) this.#done?.({ type: 'notified', status });
    return 200;
  }

  /** Before BYE: whoever asked for a transfer hears that it was made. */
  close(): void {
    if (!this.#isAwaited) return;
    this.#isAwaited = false;
    this.#dialog.request({ method: 'NOTIFY', ...referNotify(200) });
  }

  #referred(request: RequestView): number {
    const target = referTarget(request);
    if (target === undefined) return 400;
    // One transfer at a time.
    if (this.#isAwaited) return 491;
    const status = this.#observer.referred(target, request);
    if (status >= 300) return status;
    this.#isAwaited = true;
    // After the response, which is sent when this returns.
    queueMicrotask(() => {
      if (this.#isAwaited) this.#dialog.request({ method: 'NOTIFY', ...referNotify(100) });
    });
    return status;
  }
}

/** The URI of Refer-To as it was written; undefined where it cannot be read. */
function referTarget(request: RequestView): string | undefined {
  try {
    const value = request.header('Refer-To') ?? '';
    parseReferTo(value);
    return parseNameAddr(value).uri;
  } catch (error) {
    if (error instanceof SipSyntaxError) return undefined;
    throw error;
  }
}

function eventOf(outcome: RequestOutcome): Parameters<ReferHandler>[0] {
  if (outcome.kind !== 'response') return { type: 'refused', status: REQUEST_TIMEOUT };
  const { status } = outcome.response;
  return { type: status < 300 ? 'accepted' : 'refused', status };
}
