// The subscription that the peer's REFER opens: what answers it, and the NOTIFYs that follow (RFC 3515 §2.4, RFC 4488).
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Dialog, RequestReply, RequestView } from '../agent.ts';
import { parseReferTo, type ReferTarget } from '../message/refer.ts';
import { SipSyntaxError } from '../message/syntax-error.ts';
import { type ReferEvent, referNotify } from './referral.ts';

/** How long a referred call may take to be settled. Calls ring for less. */
const EXPIRES_S = 300;
/** The subscriber knows nothing of the subscription, or no more (RFC 6665 §4.2.2). */
const GONE: readonly number[] = [404, 405, 480, 481, 501];

/** Where a REFER wants its call to go. Undefined where it has not just one Refer-To, or that cannot be read: 400. */
export function referTargetOf(refer: RequestView): ReferTarget | undefined {
  const [value, ...more] = refer.headers('Refer-To');
  if (value === undefined || more.length > 0) return undefined;
  try {
    return parseReferTo(value);
  } catch (error) {
    if (error instanceof SipSyntaxError) return undefined;
    throw error;
  }
}

export class ReferSubscription {
  readonly #dialog: Dialog;
  readonly #clock: Clock;
  readonly #event: ReferEvent;
  readonly #expiresMs: number;
  readonly #isWanted: boolean;
  #status = 100;
  #expiry: Timer | undefined;
  #isOver = false;

  /** @param isFirst of the dialog: the NOTIFYs of later ones name their REFER (RFC 3515 §2.4.6). */
  constructor({ dialog, clock }: { dialog: Dialog; clock: Clock }, refer: RequestView, isFirst: boolean) {
    const seq = /^\d{1,10}/.exec(refer.header('CSeq') ?? '')?.[0];
    this.#dialog = dialog;
    this.#clock = clock;
    this.#event = isFirst || seq === undefined ? {} : { id: seq };
    this.#expiresMs = clock.monotonic() + EXPIRES_S * 1000;
    this.#isWanted = (refer.header('Refer-Sub') ?? '').split(';', 1)[0]?.trim().toLowerCase() !== 'false';
    this.#isOver = !this.#isWanted;
  }

  /** What takes the REFER; `begin` follows. */
  get accepted(): RequestReply {
    return { status: 202, headers: this.#isWanted ? [] : [['Refer-Sub', 'false']] };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Says 100 at once, whatever becomes of the call, and ends by itself when its time is up. */
  begin(): void {
    if (this.#isOver) return;
    this.#send(100);
    this.#expiry = this.#clock.after(EXPIRES_S * 1000, () => {
      this.#close();
      this.#send(this.#status, 'timeout');
    });
  }

  /** How the referred call stands; 200 and above is the last word. Said once, however often it is so. */
  notify(status: number): void {
    if (this.#isOver || status === this.#status) return;
    this.#status = status;
    if (status >= 200) this.#close();
    this.#send(status);
  }

  /** Without another word: the dialog is over. */
  drop(): void {
    this.#close();
  }

  #send(status: number, reason?: 'timeout'): void {
    const left = Math.ceil((this.#expiresMs - this.#clock.monotonic()) / 1000);
    const notify = referNotify(status, { ...this.#event, expiresS: left, ...(reason && { reason }) });
    this.#dialog.request({ method: 'NOTIFY', ...notify }, (outcome) => {
      if (outcome.kind !== 'response' || GONE.includes(outcome.response.status)) this.#close();
    });
  }

  #close(): void {
    this.#isOver = true;
    this.#clock.cancel(this.#expiry);
  }
}
