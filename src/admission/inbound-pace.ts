// How many calls may come in: a token bucket for each account and each trunk, and the calls that an account has. What
// is over is refused, not queued: the caller's side has other ways to try. Pure: time comes in with every question.

export interface InboundLimits {
  /** Calls a second, of an account; and of each of its trunks, where those have no limit of their own. */
  readonly perSecond?: number;
  /** Calls of an account at a time, those that it placed included; unlimited when missing. */
  readonly maxCalls?: number;
  /** Of each trunk. */
  readonly trunk?: {
    /** In place of the account's. */
    readonly perSecond?: number;
    /** Calls at a time, to and from its PBX; unlimited when missing. */
    readonly maxCalls?: number;
  };
}

/** Who the call would be for. */
export interface InboundTurn {
  readonly accountSid: string;
  /** The Elastic trunk that it comes over. */
  readonly trunkSid?: string;
  /** Calls that the account has now. */
  readonly liveCalls: number;
  /** Calls that the trunk has now. */
  readonly overTrunk?: number;
}

export type TurnVerdict =
  | 'now'
  | 'trunk-too-fast'
  | 'trunk-too-many-calls'
  | 'account-too-fast'
  | 'too-many-calls';

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

export class InboundPace {
  readonly #limits: InboundLimits;
  /** By the SIDs of accounts and trunks: those of the configuration, so no stranger adds to it. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: InboundLimits) {
    this.#limits = limits;
  }

  /** Takes the call's turn, unless it is refused; the trunk is asked before its account (Twilio). */
  take(turn: InboundTurn, nowMs: number): TurnVerdict {
    const { accountSid, trunkSid } = turn;
    const verdict = this.judge(turn, nowMs);
    if (verdict !== 'now') return verdict;
    if (trunkSid !== undefined) this.#spend(trunkSid, nowMs, this.#trunkPerSecond);
    this.#spend(accountSid, nowMs, this.#limits.perSecond);
    return verdict;
  }

  /** What `take` would say. */
  judge(turn: InboundTurn, nowMs: number): TurnVerdict {
    const { accountSid, trunkSid, liveCalls, overTrunk = 0 } = turn;
    const { perSecond, maxCalls = Number.POSITIVE_INFINITY, trunk = {} } = this.#limits;
    if (liveCalls >= maxCalls) return 'too-many-calls';
    if (trunkSid !== undefined && overTrunk >= (trunk.maxCalls ?? Number.POSITIVE_INFINITY))
      return 'trunk-too-many-calls';
    if (trunkSid !== undefined && this.#isLate(trunkSid, nowMs, this.#trunkPerSecond))
      return 'trunk-too-fast';
    return this.#isLate(accountSid, nowMs, perSecond) ? 'account-too-fast' : 'now';
  }

  get #trunkPerSecond(): number | undefined {
    const { trunk, perSecond } = this.#limits;
    return trunk?.perSecond ?? perSecond;
  }

  #isLate(sid: string, nowMs: number, perSecond: number | undefined): boolean {
    return perSecond !== undefined && this.#tokensOf(sid, nowMs, perSecond) < 1;
  }

  #spend(sid: string, nowMs: number, perSecond: number | undefined): void {
    if (perSecond === undefined) return;
    this.#buckets.set(sid, { tokens: this.#tokensOf(sid, nowMs, perSecond) - 1, atMs: nowMs });
  }

  #tokensOf(sid: string, nowMs: number, perSecond: number): number {
    const bucket = this.#buckets.get(sid);
    if (!bucket) return perSecond;
    return Math.min(perSecond, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1000);
  }
}
