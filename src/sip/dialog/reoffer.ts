// A re-INVITE or UPDATE of ours, tried again after glare (RFC 3261 §14.1, RFC 3311 §5.1).

import type { Timer } from '../../lib/clock.ts';
import type { Body, HeaderField, ReofferOutcome } from '../agent.ts';
import type { SipMessage } from '../message/message.ts';
import type { SentRequest } from '../request.ts';
import { contactOf, requestCapabilities, type Stack } from '../stack.ts';
import type { ClientUser } from '../transaction/client-transaction.ts';
import type { DialogRequests } from './dialog-requests.ts';

export interface Offer {
  readonly method: 'INVITE' | 'UPDATE';
  readonly body?: Body | undefined;
  readonly headers?: readonly HeaderField[];
}

interface ReofferOptions {
  readonly stack: Stack;
  readonly requests: DialogRequests;
  readonly offer: Offer;
  /** Whether we made the Call-ID: the two sides then wait differently long. */
  readonly ownsCallId: boolean;
  /** Called once. */
  readonly done: (outcome: ReofferOutcome) => void;
}

export const isSuccess = (outcome: ReofferOutcome): boolean =>
  outcome.kind === 'response' && outcome.response.status < 300;

/** The peer knows nothing of the dialog any more (RFC 3261 §14.1). */
export const isGone = (status: number): boolean => status === 481 || status === 408;

const MAX_TRIES = 5;

/** How long to wait after a 491, in steps of 10 ms: 2.1–4 s for the Call-ID's owner, 0–2 s for the other. */
export const glareWaitMs = (ownsCallId: boolean, fraction: number): number =>
  ownsCallId ? 2100 + 10 * Math.floor(fraction * 191) : 10 * Math.floor(fraction * 201);

export class Reoffer implements ClientUser {
  readonly #options: ReofferOptions;
  #sent: SentRequest;
  #ack: (() => void) | undefined;
  #tries = 1;
  #waiting: Timer | undefined;
  #over = false;

  /** @throws {SipSyntaxError} when the offer may not go on the wire. */
  constructor(options: ReofferOptions) {
    this.#options = options;
    this.#sent = this.#send();
  }

  /** Whether it was sent and has no answer; not while it waits for its next try. */
  get isUnderWay(): boolean {
    return !this.#over && this.#waiting === undefined;
  }

  response(response: SipMessage): void {
    if (response.status < 200) return;
    // Every copy of a 2xx to an INVITE gets the ACK.
    if (response.status < 300 && this.#options.offer.method === 'INVITE') this.#acknowledge();
    if (this.#over) return;
    if (response.status === 491 && this.#tries < MAX_TRIES) return this.#waitForOther();
    this.#finish({ kind: 'response', response });
  }

  failed(why: 'timeout' | 'transport', message: string): void {
    if (!this.#over) this.#finish(why === 'timeout' ? { kind: 'timeout' } : { kind: 'transport', message });
  }

  /** The dialog ended. */
  dispose(): void {
    this.#over = true;
    this.#options.stack.clock.cancel(this.#waiting);
  }

  #send(): SentRequest {
    const { stack, requests, offer } = this.#options;
    const headers: HeaderField[] = [
      ['Contact', contactOf(requests.flow.transport)],
      ...requestCapabilities(stack, 'timer'),
      ...(offer.headers ?? []),
    ];
    return requests.send(offer.method, { headers, body: offer.body }, this);
  }

  #acknowledge(): void {
    this.#ack ??= this.#options.requests.ack(this.#sent.request.seq, {});
    this.#ack();
  }

  #waitForOther(): void {
    const { stack, ownsCallId } = this.#options;
    this.#tries++;
    this.#waiting = stack.clock.after(glareWaitMs(ownsCallId, stack.random.fraction()), () => {
      this.#waiting = undefined;
      this.#sent = this.#send();
    });
  }

  #finish(outcome: ReofferOutcome): void {
    this.#over = true;
    this.#options.done(outcome);
  }
}
