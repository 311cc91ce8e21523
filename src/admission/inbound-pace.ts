// How many calls may come in: a token bucket for each account and each trunk, and the calls that an account has. What
// is over is refused, not queued: the caller's side has other ways to try. Pure: time comes in with every question.

export interface InboundLimits {
  /** Calls a second, of an account and of each of its trunks; unlimited when missing. */
  readonly perSecond?: number;
  /** Calls of an account at a time, those that it placed included; unlimited when missing. */
  readonly maxCalls?: number;
}

/** Who the call would be for. */
export interface InboundTurn {
  readonly accountSid: string;
  /** The Elastic trunk that it comes over. */
  readonly trunkSid?: string;
  /** Calls that the account has now. */
  readonly liveCalls: number;
}

export type TurnVerdict = 'now' | 'trunk-too-fast' | 'account-too-fast' | 'too-many-calls';

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
    const { perSecond } = this.#limits;
    if (verdict !== 'now' || perSecond === undefined) return verdict;
    for (const sid of trunkSid === undefined ? [accountSid] : [trunkSid, accountSid])
      this.#buckets.set(sid, { tokens: this.#tokensOf(sid, nowMs, perSecond) - 1, atMs: nowMs });
    return verdict;
  }

  /** What `take` would say. */
  judge({ accountSid, trunkSid, liveCalls }: InboundTurn, nowMs: number): TurnVerdict {
    const { perSecond, maxCalls = Number.POSITIVE_INFINITY } = this.#limits;
    if (liveCalls >= maxCalls) return 'too-many-calls';
    if (perSecond === undefined) return 'now';
    const isLate = (sid: string): boolean => this.#tokensOf(sid, nowMs, perSecond) < 1;
    if (trunkSid !== undefined && isLate(trunkSid)) return 'trunk-too-fast';
    return isLate(accountSid) ? 'account-too-fast' : 'now';
  }

  #tokensOf(sid: string, nowMs: number, perSecond: number): number {
    const bucket = this.#buckets.get(sid);
    if (!bucket) return perSecond;
    return Math.min(perSecond, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1000);
  }
}
