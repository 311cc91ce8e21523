// What becomes of an offer of the peer's, and one that the layer above answers later, as a B2BUA does that asks its other leg first.
import type { Timer } from '../../lib/clock.ts';
import type { Body, HeaderField } from '../agent.ts';
import type { SipMessage } from '../message/message.ts';
import { contactOf, responseOctets, type Stack } from '../stack.ts';
import { lifetimeMs } from '../timers.ts';
import type { ServerTransaction, ServerUser } from '../transaction/server-transaction.ts';
import { failureOf } from './failure.ts';
import { type SessionInterval, settled } from './session-interval.ts';

/** A request of the peer and what answers it. */
export interface Served {
  readonly request: SipMessage;
  readonly transaction: ServerTransaction;
}

/** Answers an offer by 2xx: what was sent, and the session interval that it settles. */
export function acceptOffer(
  stack: Stack,
  { request, transaction }: Served,
  answer: Body | undefined,
): { readonly octets: string; readonly interval?: SessionInterval | undefined } {
  const { interval, headers: intervalHeaders } = settled(request, stack.sessionTimer);
  const headers: HeaderField[] = [['Contact', contactOf(transaction.flow.transport)], ...intervalHeaders];
  const reply = { status: 200, fixed: stack.lines.answer, headers, ...(answer && { body: answer }) };
  const octets = responseOctets(request, transaction.flow, reply);
  transaction.respond(200, octets);
  return { octets, interval };
}

interface PendingOfferOptions {
  readonly stack: Stack;
  readonly served: Served;
  /** Called once, unless the offer is withdrawn or refused before. */
  readonly answered: (answer: Body | number) => void;
  /** By CANCEL, or because it took too long; the response has been sent. */
  readonly withdrawn: () => void;
}

export class PendingOffer implements ServerUser {
  readonly #options: PendingOfferOptions;
  readonly #timer: Timer;
  #isOver = false;

  constructor(options: PendingOfferOptions, answer: Promise<Body | number>) {
    this.#options = options;
    const { stack, served } = options;
    const { request, transaction } = served;
    const isInvite = request.method === 'INVITE';
    if (isInvite) {
      transaction.user = this;
      transaction.respond(100, responseOctets(request, transaction.flow, { status: 100 }));
    } else transaction.awaitResponse();
    // Nobody waits for the answer to an UPDATE longer than 64·T1: the 504 has to come before.
    const limitMs = lifetimeMs(stack.timers) / (isInvite ? 1 : 2);
    this.#timer = stack.clock.after(limitMs, () => this.#withdraw(504));
    void answer.then(
      (body) => this.#settle(body),
      (error: unknown) => this.#settle(failureOf(stack, request, error)),
    );
  }

  canceled(): void {
    this.#withdraw(487);
  }

  acknowledged(): void {}

  /** Answers with a failure in place of the layer above; what that says later counts for nothing. */
  refuse(status: number): void {
    if (this.#isOver) return;
    this.dispose();
    const { request, transaction } = this.#options.served;
    transaction.respond(status, responseOctets(request, transaction.flow, { status }));
  }

  dispose(): void {
    this.#isOver = true;
    this.#options.served.transaction.user = undefined;
    this.#options.stack.clock.cancel(this.#timer);
  }

  #withdraw(status: number): void {
    if (this.#isOver) return;
    this.refuse(status);
    this.#options.withdrawn();
  }

  #settle(answer: Body | number): void {
    if (this.#isOver) return;
    this.dispose();
    const { stack, served, answered } = this.#options;
    try {
      answered(answer);
    } catch (error) {
      const status = failureOf(stack, served.request, error);
      served.transaction.respond(status, responseOctets(served.request, served.transaction.flow, { status }));
    }
  }
}
