// Keeps the way back open through NATs (RFC 5626 §4.4 leaves that to phones, and many forget): OPTIONS to every UDP
// binding whose Contact is not where its requests come from, spread evenly over the interval.
import type { Clock, Timer } from '../lib/clock.ts';
import { parseUri, type UserAgent } from '../sip/index.ts';
import { type BindingRow, flowOf } from './binding.ts';

export interface KeepAliveParts {
  readonly agent: UserAgent;
  readonly clock: Clock;
  /** Every binding there is. */
  readonly rows: () => Iterable<BindingRow>;
  /** Seconds between two OPTIONS to one device; 0 for none at all. */
  readonly intervalS: number;
}

const TICK_MS = 1000;

export class KeepAlive {
  readonly #parts: KeepAliveParts;
  #timer: Timer | undefined;
  #tick = 0;

  constructor(parts: KeepAliveParts) {
    this.#parts = parts;
  }

  /** Goes on for as long as anything is bound. */
  wake(): void {
    const { intervalS, clock } = this.#parts;
    if (intervalS === 0 || this.#timer) return;
    this.#timer = clock.after(TICK_MS, () => {
      this.#timer = undefined;
      if (this.#round()) this.wake();
    });
  }

  stop(): void {
    this.#parts.clock.cancel(this.#timer);
  }

  /** Whether anything is bound. */
  #round(): boolean {
    const { rows, intervalS } = this.#parts;
    this.#tick = (this.#tick + 1) % intervalS;
    let isAny = false;
    for (const row of rows()) {
      isAny = true;
      if (turnOf(row) % intervalS === this.#tick && isBehindNat(row)) this.#send(row);
    }
    return isAny;
  }

  /** What comes back, or that nothing does, changes nothing: the device's own time decides. */
  #send(row: BindingRow): void {
    const { contact: uri, domain } = row;
    const options = { method: 'OPTIONS', uri, from: `sip:${domain}`, destination: flowOf(row) };
    this.#parts.agent.request(options, () => {});
  }
}

const turnOf = ({ sid }: BindingRow): number => Number.parseInt(sid.slice(2, 10), 16);

function isBehindNat({ transport, contact, sourceIp, sourcePort }: BindingRow): boolean {
  if (transport !== 'udp') return false;
  const { host, port = 5060 } = parseUri(contact);
  return host !== sourceIp || port !== sourcePort;
}
