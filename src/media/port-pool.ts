// RTP ports, handed out in pairs (RTP even, RTCP odd: RFC 3550 §11): the one that was freed first goes first.
import type { Clock } from '../lib/clock.ts';

/** A closed call's peer may send for a while: its packets must not reach a new call. */
export const MIN_DRAIN_MS = 1_000;

export interface PortRange {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
}

export class PortPool {
  readonly #clock: Clock;
  /** Even ports in the order they were freed: a ring that never has more than all of them. */
  readonly #ports: Uint16Array;
  readonly #freedAtMs: Float64Array;
  #head = 0;
  #free: number;

  /** @throws {RangeError} when the range is not of ports or holds no pair. */
  constructor({ first, last }: PortRange, clock: Clock) {
    this.#clock = clock;
    const even = first + (first % 2);
    const pairs = Math.floor((last - even + 1) / 2);
    const valid =
      Number.isInteger(first) && Number.isInteger(last) && first > 0 && last <= 65_535 && pairs > 0;
    if (!valid) throw new RangeError(`${first}-${last} is no range of ports with an even and an odd one`);
    this.#ports = Uint16Array.from({ length: pairs }, (_, pair) => even + pair * 2);
    this.#freedAtMs = new Float64Array(pairs).fill(Number.NEGATIVE_INFINITY);
    this.#free = pairs;
  }

  /** The even port of the pair that has drained longest; undefined when all are taken, or were freed just now. */
  take(): number | undefined {
    const freedAtMs = this.#freedAtMs[this.#head] as number;
    if (this.#free === 0 || this.#clock.monotonic() < freedAtMs + MIN_DRAIN_MS) return undefined;
    const port = this.#ports[this.#head];
    this.#head = (this.#head + 1) % this.#ports.length;
    this.#free--;
    return port;
  }

  /** Gives a taken port back; it drains before it is taken again. */
  free(port: number): void {
    const tail = (this.#head + this.#free) % this.#ports.length;
    this.#ports[tail] = port;
    this.#freedAtMs[tail] = this.#clock.monotonic();
    this.#free++;
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
