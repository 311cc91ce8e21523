// A 2xx of ours to an INVITE or re-INVITE, without its ACK yet.
import type { SipMessage } from '../message/message.ts';
import type { Stack } from '../stack.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import { Retransmission } from './retransmission.ts';

export class SentSuccess {
  /** Whether its ACK brings an answer. */
  readonly isOffer: boolean;
  readonly #seq: number;
  readonly #transaction: ServerTransaction;
  readonly #sending: Retransmission;

  /** The first copy of `octets` has been sent; `missing` hears that no ACK came. */
  constructor(
    stack: Stack,
    invite: { readonly request: SipMessage; readonly transaction: ServerTransaction },
    octets: string,
    missing: () => void,
  ) {
    const { request, transaction } = invite;
    const { transport, peer } = transaction.flow;
    this.isOffer = request.bodyOctets === '';
    this.#seq = request.seq;
    this.#transaction = transaction;
    this.#sending = new Retransmission(stack, stack.timers, () => transport.send(octets, peer), missing);
  }

  /** Whether the ACK is this one's: then it is over. */
  takes(ack: SipMessage): boolean {
    if (ack.seq !== this.#seq) return false;
    this.#sending.acknowledged();
    this.#transaction.user = undefined;
    return true;
  }

  dispose(): void {
    this.#sending.dispose();
  }
}
