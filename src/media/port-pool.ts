// RTP ports, handed out in pairs (RTP even, RTCP odd: RFC 3550 §11) from a moving position.
import type { Clock } from '../lib/clock.ts';

/** A closed call's peer may send for a while; its packets must not reach a new call. */
export const DRAIN_MS = 30_000;
/** Where nothing else is free, a port that has drained this long is taken all the same: better than no call. */
export const MIN_DRAIN_MS = 1_000;

export interface PortRange {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
}

export class PortPool {
  readonly #clock: Clock;
  readonly #firstPort: number;
  /** By pair: when it may be taken again, on the monotonic clock; Infinity while taken. */
  readonly #freeAtMs: Float64Array;
  #position = 0;

  /** @throws {RangeError} when the range is not of ports or holds no pair. */
  constructor({ first, last }: PortRange, clock: Clock) {
    this.#clock = clock;
    this.#firstPort = first + (first % 2);
    const pairs = Math.floor((last - this.#firstPort + 1) / 2);
    const valid =
      Number.isInteger(first) && Number.isInteger(last) && first > 0 && last <= 65_535 && pairs > 0;
    if (!valid) throw new RangeError(`${first}-${last} is no range of ports with an even and an odd one`);
    this.#freeAtMs = new Float64Array(pairs).fill(Number.NEGATIVE_INFINITY);
  }

  /** The even port of a pair; undefined when all are taken, or were freed just now. */
  take(): number | undefined {
    const nowMs = this.#clock.monotonic();
    const pair = this.#nextFree(nowMs);
    if ((this.#freeAtMs[pair] as number) > nowMs + DRAIN_MS - MIN_DRAIN_MS) return undefined;
    this.#freeAtMs[pair] = Number.POSITIVE_INFINITY;
    this.#position = (pair + 1) % this.#freeAtMs.length;
    return this.#firstPort + pair * 2;
  }

  /** The next drained pair, else the one that has drained longest. */
  #nextFree(nowMs: number): number {
    const pairs = this.#freeAtMs.length;
    let longest = this.#position;
    for (let tried = 0; tried < pairs; tried++) {
      const pair = (this.#position + tried) % pairs;
      const freeAtMs = this.#freeAtMs[pair] as number;
      if (freeAtMs <= nowMs) return pair;
      if (freeAtMs < (this.#freeAtMs[longest] as number)) longest = pair;
    }
    return longest;
  }

  /** Gives a taken port back; it drains before it is taken again. */
  free(port: number): void {
    this.#freeAtMs[(port - this.#firstPort) / 2] = this.#clock.monotonic() + DRAIN_MS;
  }
}

/** Even shares of `range` in whole pairs, one for each worker; the last takes what is left over. */
export function splitPorts({ first, last }: PortRange, workers: number): PortRange[] {
  const even = first + (first % 2);
  const share = Math.floor((last - even + 1) / 2 / workers) * 2;
  return Array.from({ length: workers }, (_, worker) => ({
    first: even + worker * share,
    last: worker === workers - 1 ? last : even + (worker + 1) * share - 1,
  }));
}
