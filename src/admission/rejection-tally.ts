// Refusals as rows: equal ones are counted in one, and there are never too many. Pure but for SIDs.
import { ownCopy } from '../lib/own-copy.ts';
import { type BaseRow, newRow, type Row, rejectedCall } from '../resources/index.ts';
import type { World } from './world.ts';

export type RejectedCall = Row<typeof rejectedCall>;

/** A refusal, as its row shows it. `status` is null where no response was sent. */
export type Rejection = Omit<RejectedCall, keyof BaseRow | 'count' | 'lastRejectedAt'> & {
  readonly accountSid: string;
};

export interface TallyLimits {
  /** Rows of one account, and of all together; the oldest give way. */
  readonly perAccount: number;
  readonly total: number;
  /** What is counted in one row is not longer apart than this. */
  readonly windowMs: number;
  /** New rows between two calls of `take`; what else is new then is counted in one row of its account. */
  readonly newRows: number;
  /** Rows that one `take` gives at most. */
  readonly perTake: number;
}

export const TALLY_LIMITS: TallyLimits = {
  perAccount: 1000,
  total: 10_000,
  windowMs: 3_600_000,
  newRows: 100,
  perTake: 200,
};

export interface TallyChanges {
  readonly written: readonly RejectedCall[];
  /** SIDs. */
  readonly removed: readonly string[];
}

const MAX_CHARACTERS = 500;
const TOO_MANY = 'refusals from more sources than are told apart; see the rows before and after';

export class RejectionTally {
  readonly #world: World;
  readonly #limits: TallyLimits;
  /** By SID, oldest first; the same for each account. */
  readonly #rows = new Map<string, RejectedCall>();
  readonly #byAccount = new Map<string, Set<string>>();
  /** SIDs by what makes refusals equal. */
  readonly #open = new Map<string, string>();
  readonly #changed = new Set<string>();
  readonly #removed = new Set<string>();
  #fresh = 0;

  constructor(world: World, limits: Partial<TallyLimits> = {}) {
    this.#world = world;
    this.#limits = { ...TALLY_LIMITS, ...limits };
  }

  /** Takes up what an earlier run left, oldest first. */
  restore(rows: readonly RejectedCall[]): void {
    for (const row of rows) this.#keep(row);
  }

  add(rejection: Rejection): void {
    const given = shortened(rejection);
    if (this.#count(given)) return;
    const isCrowded = this.#fresh >= this.#limits.newRows;
    if (isCrowded && this.#count(crowd(given))) return;
    this.#fresh++;
    const values = { ...(isCrowded ? crowd(given) : given), lastRejectedAt: this.#world.clock.now() };
    const row = newRow(rejectedCall, values, this.#world);
    this.#keep(row);
    this.#changed.add(row.sid);
  }

  /** Whether `take` has anything to give. */
  get hasChanges(): boolean {
    return this.#changed.size + this.#removed.size > 0;
  }

  /** What to write now; the rest comes with the next one. */
  take(): TallyChanges {
    this.#fresh = 0;
    const written = [...this.#changed].slice(0, this.#limits.perTake);
    for (const sid of written) this.#changed.delete(sid);
    const removed = [...this.#removed].slice(0, this.#limits.perTake);
    for (const sid of removed) this.#removed.delete(sid);
    return { written: written.map((sid) => this.#rows.get(sid) as RejectedCall), removed };
  }

  /** Counts it in the row of its like, if there is one. */
  #count(given: Rejection): boolean {
    const now = this.#world.clock.now();
    const row = this.#rows.get(this.#open.get(keyOf(given)) ?? '');
    if (!row || now - row.dateCreated > this.#limits.windowMs) return false;
    const count = row.count + 1;
    this.#rows.set(row.sid, { ...row, ...given, count, lastRejectedAt: now, dateUpdated: now });
    this.#changed.add(row.sid);
    return true;
  }

  #keep(row: RejectedCall): void {
    const { perAccount, total } = this.#limits;
    const own = this.#byAccount.get(row.accountSid) ?? new Set<string>();
    this.#byAccount.set(row.accountSid, own);
    if (own.size >= perAccount) this.#drop(firstOf(own));
    else if (this.#rows.size >= total) this.#drop(firstOf(this.#rows.keys()));
    own.add(row.sid);
    this.#rows.set(row.sid, row);
    this.#open.set(keyOf(row), row.sid);
  }

  #drop(sid: string): void {
    const row = this.#rows.get(sid);
    if (!row) return;
    this.#rows.delete(row.sid);
    this.#byAccount.get(row.accountSid)?.delete(row.sid);
    if (this.#open.get(keyOf(row)) === row.sid) this.#open.delete(keyOf(row));
    this.#changed.delete(row.sid);
    this.#removed.add(row.sid);
  }
}

function firstOf(sids: Iterable<string>): string {
  const [first = ''] = sids;
  return first;
}

/**
 * What makes two refusals equal. Of a place that nobody has, not even the name counts: a scanner makes up as many as it
 * likes.
 */
function keyOf({ accountSid, method, sourceIp, status, errorCode, ...rest }: Rejection): string {
  const place = rest.domainSid ?? rest.trunkSid;
  return JSON.stringify([accountSid, method, sourceIp, status, errorCode, place, place && rest.reason]);
}

/** The same, without what tells it from others. */
const crowd = ({ accountSid, method }: Rejection): Rejection => ({
  accountSid,
  method,
  sourceIp: null,
  sourcePort: null,
  transport: null,
  domain: null,
  domainSid: null,
  trunkSid: null,
  from: null,
  to: null,
  sipCallId: null,
  status: null,
  errorCode: null,
  reason: TOO_MANY,
  fix: null,
});

/** What strangers write is kept in bounds, in length and in what it can hold; lone surrogates end in the copy. */
const shortened = <T extends object>(values: T): T =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string' ? ownCopy(value.slice(0, MAX_CHARACTERS).replaceAll(/\p{Cc}/gu, ' ')) : value,
    ]),
  ) as T;
