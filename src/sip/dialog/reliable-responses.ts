// Provisional responses of ours that the caller acknowledges by PRACK: one at a time, in order (RFC 3262 §3).
import type { SipMessage } from '../message/message.ts';
import type { Stack } from '../stack.ts';
import { Retransmission } from './retransmission.ts';

interface Unacknowledged {
  readonly rseq: number;
  readonly sending: Retransmission;
}

export class ReliableResponses {
  readonly #stack: Stack;
  readonly #expired: () => void;
  #next: number;
  #unacknowledged: Unacknowledged | undefined;
  #waiting: (() => void)[] = [];

  /** `expired` is called when no PRACK came for 64·T1. */
  constructor(stack: Stack, expired: () => void) {
    this.#stack = stack;
    this.#expired = expired;
    // Uniform, and far enough from the end never to wrap (RFC 3262 §3).
    this.#next = 1 + Math.floor(stack.random.fraction() * 2 ** 30);
  }

  /** Runs `task` now, or when everything before it is acknowledged. */
  inTurn(task: () => void): void {
    if (this.#unacknowledged) this.#waiting.push(task);
    else task();
  }

  /** Sends a response: `send` with its RSeq at once, which gives what is sent `again` until the PRACK. */
  send(send: (rseq: number) => () => void): void {
    const rseq = this.#next++;
    const again = send(rseq);
    // Its interval doubles without a bound, unlike that of a 2xx.
    const timers = { ...this.#stack.timers, t2Ms: Number.POSITIVE_INFINITY };
    this.#unacknowledged = { rseq, sending: new Retransmission(this.#stack, timers, again, this.#expired) };
  }

  /** Whether the PRACK is for the response that waits for it. What waits is sent by `goOn`, after the PRACK's answer. */
  acknowledged(prack: SipMessage, inviteSeq: number): boolean {
    const rack = parseRAck(prack.header('RAck'));
    const current = this.#unacknowledged;
    if (!rack || rack.seq !== inviteSeq || rack.method !== 'INVITE' || current?.rseq !== rack.rseq)
      return false;
    current.sending.acknowledged();
    this.#unacknowledged = undefined;
    return true;
  }

  goOn(): void {
    while (!this.#unacknowledged && this.#waiting.length > 0) this.#waiting.shift()?.();
  }

  dispose(): void {
    this.#unacknowledged?.sending.dispose();
    this.#unacknowledged = undefined;
    this.#waiting = [];
  }
}

/** The RSeq, CSeq number and method that a RAck names; undefined when it is malformed. */
export function parseRAck(
  value: string | undefined,
): { readonly rseq: number; readonly seq: number; readonly method: string } | undefined {
  const [, rseq, seq, method = ''] = /^(\d{1,10})[ \t]+(\d{1,10})[ \t]+(\S+)$/.exec(value ?? '') ?? [];
  return rseq === undefined ? undefined : { rseq: Number(rseq), seq: Number(seq), method };
}
