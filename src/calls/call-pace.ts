// Who may call now: a token bucket and a count of live calls for each account; the others wait in the order they came.
// Pure: time comes in with every question.

export interface PaceLimits {
  /** Calls that an account may start in a second; unlimited when missing. */
  readonly perSecond?: number;
  /** Calls of an account that may be live or waiting; unlimited when missing. */
  readonly maxCalls?: number;
  /** Calls of an account that may wait for their turn. */
  readonly maxWaiting: number;
}

export type Admission = 'now' | 'later' | 'too-many-calls' | 'queue-full';

/** Share of a second's calls that may start at once: so much a timer may be late without a call being lost. */
const BURST_S = 0.1;

interface Account {
  /** Calls that may start now; filled up by time. */
  tokens: number;
  filledAtMs: number;
  live: number;
  readonly waiting: Set<string>;
}

export class CallPace {
  readonly #limits: PaceLimits;
  readonly #accounts = new Map<string, Account>();

  constructor(limits: PaceLimits) {
    this.#limits = limits;
  }

  /** Calls that wait, of all accounts. */
  get waiting(): number {
    let count = 0;
    for (const { waiting } of this.#accounts.values()) count += waiting.size;
    return count;
  }

  /** Takes the call in: it starts now, waits for its turn, or is refused. */
  admit(accountSid: string, callSid: string, nowMs: number): Admission {
    const account = this.#account(accountSid, nowMs);
    const { maxCalls = Number.POSITIVE_INFINITY, maxWaiting } = this.#limits;
    if (account.live + account.waiting.size >= maxCalls) return 'too-many-calls';
    if (account.waiting.size === 0 && this.#take(account, nowMs)) return 'now';
    if (account.waiting.size >= maxWaiting) return 'queue-full';
    account.waiting.add(callSid);
    return 'later';
  }

  /** A call that starts now whatever the limits: one that came in and was let in, or an emergency. */
  enter(accountSid: string, nowMs: number): void {
    this.#account(accountSid, nowMs).live += 1;
  }

  /** Calls of an account that are live or wait. */
  callsOf(accountSid: string): number {
    const account = this.#accounts.get(accountSid);
    return account ? account.live + account.waiting.size : 0;
  }

  /** The calls whose turn has come, in order. */
  due(nowMs: number): readonly string[] {
    return [...this.#accounts.values()].flatMap((account) => this.#dueOf(account, nowMs));
  }

  /** Milliseconds until the next turn; undefined when nobody waits. */
  nextDueMs(nowMs: number): number | undefined {
    const { perSecond = Number.POSITIVE_INFINITY } = this.#limits;
    let next: number | undefined;
    for (const account of this.#accounts.values()) {
      if (account.waiting.size === 0) continue;
      this.#fill(account, nowMs);
      const waitMs = Math.max(0, Math.ceil(((1 - account.tokens) / perSecond) * 1000));
      next = Math.min(next ?? waitMs, waitMs);
    }
    return next;
  }

  /** The call is over, or does not wait any more. */
  leave(accountSid: string, callSid: string): void {
    const account = this.#accounts.get(accountSid);
    if (!account) return;
    if (!account.waiting.delete(callSid)) account.live -= 1;
    // Without a rate there is nothing to remember; with one, the tokens that are spent.
    const isIdle = account.live === 0 && account.waiting.size === 0;
    if (isIdle && this.#limits.perSecond === undefined) this.#accounts.delete(accountSid);
  }

  #account(accountSid: string, nowMs: number): Account {
    const known = this.#accounts.get(accountSid);
    if (known) return known;
    const account = { tokens: this.#burst, filledAtMs: nowMs, live: 0, waiting: new Set<string>() };
    this.#accounts.set(accountSid, account);
    return account;
  }

  #dueOf(account: Account, nowMs: number): readonly string[] {
    const due: string[] = [];
    for (const callSid of account.waiting) {
      if (!this.#take(account, nowMs)) break;
      account.waiting.delete(callSid);
      due.push(callSid);
    }
    return due;
  }

  #take(account: Account, nowMs: number): boolean {
    if (this.#limits.perSecond !== undefined) {
      this.#fill(account, nowMs);
      if (account.tokens < 1) return false;
      account.tokens -= 1;
    }
    account.live += 1;
    return true;
  }

  #fill(account: Account, nowMs: number): void {
    const { perSecond = 0 } = this.#limits;
    const gained = (Math.max(0, nowMs - account.filledAtMs) / 1000) * perSecond;
    account.tokens = Math.min(this.#burst, account.tokens + gained);
    account.filledAtMs = nowMs;
  }

  get #burst(): number {
    return Math.max(1, (this.#limits.perSecond ?? 1) * BURST_S);
  }
}
