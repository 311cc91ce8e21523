// What those get who have not shown who they are: so many answers a second from one source, then silence; and whose
// wrong passwords make them wait. Nobody's failures count against the same user at another source, nor against
// another user at the same one.
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Clock } from '../lib/clock.ts';
import { ownCopy } from '../lib/own-copy.ts';

export interface StrangerLimits {
  /** Answers a second for one source, in the long run. */
  readonly perSecond: number;
  /** Answers at once. */
  readonly burst: number;
  /** Answers that a wrong password costs. */
  readonly failureCost: number;
  /** Wrong passwords in a row before a user at a source has to wait. */
  readonly freeFailures: number;
  /** The first wait; each further failure doubles it. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** Sources, and users at sources, that are remembered; the least recent ones are forgotten. */
  readonly remembered: number;
}

export const STRANGER_LIMITS: StrangerLimits = {
  perSecond: 20,
  burst: 100,
  failureCost: 5,
  freeFailures: 5,
  firstWaitMs: 1000,
  longestWaitMs: 60_000,
  remembered: 50_000,
};

interface Budget {
  readonly answers: number;
  readonly atMs: number;
}

interface Failures {
  readonly count: number;
  readonly untilMs: number;
}

export class Strangers {
  readonly #clock: Clock;
  readonly #limits: StrangerLimits;
  readonly #budgets = new Map<string, Budget>();
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock, limits: Partial<StrangerLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...STRANGER_LIMITS, ...limits };
  }

  /** Whether a stranger at this address is answered; it costs the source one answer of its budget. */
  mayAnswer(address: string): boolean {
    const source = sourceOf(address);
    const answers = this.#answersOf(source);
    if (answers < 1) return false;
    this.#remember(this.#budgets, source, { answers: answers - 1, atMs: this.#clock.monotonic() });
    return true;
  }

  /** Whether this user's password is looked at. */
  mayTry(address: string, username: string): boolean {
    const failures = this.#failures.get(failureKey(address, username));
    return !failures || failures.untilMs <= this.#clock.monotonic();
  }

  failed(address: string, username: string): void {
    const source = sourceOf(address);
    const { failureCost, freeFailures, firstWaitMs, longestWaitMs } = this.#limits;
    const nowMs = this.#clock.monotonic();
    const answers = Math.max(0, this.#answersOf(source) - (failureCost - 1));
    this.#remember(this.#budgets, source, { answers, atMs: nowMs });
    const key = failureKey(address, username);
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const doublings = Math.min(count - freeFailures, 30);
    const waitMs = doublings < 0 ? 0 : Math.min(longestWaitMs, firstWaitMs * 2 ** doublings);
    this.#remember(this.#failures, key, { count, untilMs: nowMs + waitMs });
  }

  /** The user has shown who they are: the challenge before that cost the source nothing. */
  proved(address: string, username: string): void {
    this.#failures.delete(failureKey(address, username));
    const source = sourceOf(address);
    const { burst } = this.#limits;
    const answers = this.#answersOf(source) + 1;
    if (answers >= burst) this.#budgets.delete(source);
    else this.#remember(this.#budgets, source, { answers, atMs: this.#clock.monotonic() });
  }

  /** Sources and users that are remembered. */
  get size(): number {
    return this.#budgets.size + this.#failures.size;
  }

  #answersOf(source: string): number {
    const { perSecond, burst } = this.#limits;
    const budget = this.#budgets.get(source);
    if (!budget) return burst;
    return Math.min(burst, budget.answers + ((this.#clock.monotonic() - budget.atMs) * perSecond) / 1000);
  }

  #remember<T>(table: Map<string, T>, key: string, value: T): void {
    table.delete(key);
    table.set(key, value);
    if (table.size <= this.#limits.remembered) return;
    const [oldest = ''] = table.keys();
    table.delete(oldest);
  }
}

/** Who has one IPv6 address has its whole /64. */
function sourceOf(address: string): string {
  if (!isIPv6(address)) return address;
  const parsed = ipaddr.parse(address);
  return 'parts' in parsed ? parsed.parts.slice(0, 4).join(':') : address;
}

/** Names are what strangers write: longer ones than anybody has are cut, as many are remembered. */
const MAX_NAME_CHARACTERS = 64;

const failureKey = (address: string, username: string): string =>
  ownCopy(`${sourceOf(address)} ${username.slice(0, MAX_NAME_CHARACTERS)}`);
