// The store as a port. Every promise resolves when what it wrote is committed.
import type { AnyResource, call, Limit, Row, recording, webhook } from '../resources/index.ts';
import type { DialogIdentity } from '../sip/index.ts';
import type { Directory } from './directory.ts';

/** Values by field name (camelCase), as the resource's definition types them. */
export type Patch<R extends AnyResource> = Partial<Row<R>>;

/** Equality by field, and `<` / `>` bounds where a range is asked for. */
export interface Filter {
  readonly field: string;
  readonly operator: '=' | '<' | '>' | '<=' | '>=' | 'like';
  readonly value: string | number | boolean;
}

export interface PageRequest {
  /** At least 1. */
  readonly limit: number;
  /** Cursor as an earlier page gave it: `after` goes on to older rows, `before` back to newer ones. */
  readonly after?: string;
  readonly before?: string;
  readonly where?: readonly Filter[];
}

export interface PageOf<T> {
  readonly rows: readonly T[];
  /** Cursor of the next page (older rows), absent on the last one. */
  readonly next?: string;
  readonly previous?: string;
}

/** A status callback that waits to be sent. */
export interface OutboxRow {
  readonly id: string;
  readonly callSid: string;
  readonly accountSid: string;
  readonly sequence: number;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Form-encoded parameters. */
  readonly parameters: string;
  readonly attempts: number;
  /** When it is to be tried again, in milliseconds since the epoch; a first try is due at once. */
  readonly dueAt?: number;
}

/** A dialog of a call that is up. */
export interface LiveDialog {
  readonly callSid: string;
  readonly identity: DialogIdentity;
}

/** What one moment of a call changes, committed as one transaction together with other calls' moments. */
export interface JournalEntry<Call> {
  readonly insert?: Call;
  readonly update?: { readonly sid: string; readonly patch: Partial<Call> };
  /** The call's route trace, replacing the one before; its JSON is asked for when it is written. */
  readonly trace?: { readonly callSid: string; readonly toJson: () => string };
  readonly outbox?: readonly OutboxRow[];
  /** Dialogs that came up, or go elsewhere than before. */
  readonly dialogs?: readonly LiveDialog[];
  /** SID of a call none of whose dialogs is up any more. */
  readonly hungUp?: string;
  /** Rows of records that belong to the call. */
  readonly records?: readonly Along[];
  /** Rows of records that go; those that are not there are no error. */
  readonly removed?: readonly Removal[];
}

export interface Removal {
  readonly definition: AnyResource;
  readonly sid: string;
  /** Only where it is still this node's. */
  readonly ifOwn?: boolean;
}

export interface Journal<Call> {
  /** Grouped with whatever else waits; resolves when the group is committed. */
  commit(entry: JournalEntry<Call>): Promise<void>;
  /** Keeps what became of a callback; it is over where `nextAttemptAt` is null. */
  tried(outboxId: string, patch: Patch<typeof webhook>): Promise<void>;
  /** This node holds the callback no more: whoever asks for its lane takes it. */
  release(outboxId: string): Promise<void>;
  /** Callbacks that this node holds, after taking those that no node that lives holds; oldest first. */
  waiting(limit: number): Promise<readonly OutboxRow[]>;
  /** Lanes (account and host) with callbacks that no node that lives holds. */
  lanes(): Promise<readonly string[]>;
  /** Takes callbacks of a lane that are due and that no node that lives holds; oldest first. */
  claim(lane: string, limit: number): Promise<readonly OutboxRow[]>;
  /** Milliseconds until the next callback of a lane that nobody holds is due; undefined without any. */
  nextDueMs(lane: string): Promise<number | undefined>;
  /** Lets webhooks that are over be sent again, and says how many: whoever asks for their lanes sends them. */
  replay(where: readonly Filter[], limit: number): Promise<number>;
  /**
   * Calls without an ending of nodes that are no more, oldest first: of earlier runs, and of other exchanges on the
   * same database whose lease is over. They are this node's then.
   */
  unfinished(): Promise<readonly Call[]>;
  /** SIDs of the calls without an ending that are this node's. */
  own(): Promise<ReadonlySet<string>>;
  /** Dialogs of nodes that are no more, and that nobody has ended. They are this node's then, until `hungUp`. */
  lostDialogs(): Promise<readonly LiveDialog[]>;
  /**
   * Recordings without an end of nodes that are no more, oldest first.
   * @returns isSole: no other exchange shares the database, so their files are here or nowhere.
   */
  lostRecordings(): Promise<{ readonly rows: readonly Row<typeof recording>[]; readonly isSole: boolean }>;
  /** Makes bindings of nodes that are no more this node's. */
  claimBindings(): Promise<void>;
  trace(callSid: string): Promise<string | undefined>;
  /** How many callbacks are not over yet. */
  countWaiting(): Promise<number>;
}

/** What the journal has done and holds, since the store was opened. */
export interface JournalCounts {
  /** Entries that wait to be committed. */
  readonly waiting: number;
  /** Entries that were refused, as too many wait for a database that is away. */
  readonly refused: number;
  readonly commits: number;
  /** Time spent committing. */
  readonly commitMs: number;
  readonly callsPlaced: number;
  readonly callsEnded: { readonly [status: string]: number };
}

export interface StoreCounts {
  readonly journal: JournalCounts;
  /** How long ago the directory was last known to hold what every node has written. */
  readonly directoryAgeMs: number;
}

/** A row of a record that goes into the same transaction as a change, and only if that happens. */
export interface Along {
  readonly definition: AnyResource;
  readonly row: object;
}

/** What became of what another exchange was asked for. */
export type OrderOutcome =
  | { readonly kind: 'answered'; readonly answer: string }
  /** Nothing was done, unless `mayBeDone`; `exchange` is a name for people. */
  | { readonly kind: 'unanswered'; readonly exchange: string; readonly mayBeDone: boolean }
  /** That exchange is no more: its calls are another's, or are over. */
  | { readonly kind: 'gone' };

/** Does what another exchange asks for; resolves with the answer. */
export type OrderHandler = (content: string) => Promise<string>;

/** What exchanges on one database ask of each other. */
export interface Orders {
  /** Resolves with the answer of the node, or after 5 s. @throws {StoreError} while the database is away. */
  ask(node: string, content: string): Promise<OrderOutcome>;
  /** `handler` is called once for each order that another exchange has for this one. */
  onOrder(handler: OrderHandler): void;
}

export type BindingsListener = (sids?: readonly string[]) => Promise<void>;

/** Rows by definition. API writes survive a power cut; the journal's survive a kill. */
export interface Store {
  /** This run of the exchange: no other ever has the same. */
  readonly node: string;
  /** Configuration in memory, as of the last commit. */
  readonly directory: Directory;
  readonly journal: Journal<Row<typeof call>>;
  /** Undefined where nobody can share the database. */
  readonly orders: Orders | undefined;
  /**
   * @throws {LimitError} when the definition's limit is reached; exact under concurrent inserts.
   * @throws {IntegrityError} `reference` when the parent or a referenced row is gone, `unique` for a taken sid.
   */
  insert<R extends AnyResource>(definition: R, row: Row<R>, along?: Along): Promise<Row<R>>;
  find<R extends AnyResource>(definition: R, sid: string): Promise<Row<R> | undefined>;
  /** Those that there are, oldest first. */
  findAll<R extends AnyResource>(definition: R, sids: readonly string[]): Promise<readonly Row<R>[]>;
  /** Newest first. Pages neither skip nor repeat a row when others come and go. @throws {CursorError} */
  list<R extends AnyResource>(definition: R, page: PageRequest): Promise<PageOf<Row<R>>>;
  /** The row as it is now; `dateUpdated` is set. Undefined when there is none. @throws {IntegrityError} */
  update<R extends AnyResource>(
    definition: R,
    sid: string,
    patch: Patch<R>,
    along?: Along,
  ): Promise<Row<R> | undefined>;
  /** False when there is none; children go with it. @throws {IntegrityError} `restrict` while it is referred to. */
  remove(definition: AnyResource, sid: string, along?: Along): Promise<boolean>;
  counts(): StoreCounts;
  /**
   * `listener` is called with the SIDs of bindings that an exchange on this database, this one included, has written or
   * removed; without, where any may have changed. One call at a time; again, later, where it rejects.
   */
  onBindings(listener: BindingsListener): void;
  /**
   * `listener` is called when another exchange on this database is gone: its calls and callbacks are to be taken over. It
   * is called again, later, where it rejects.
   */
  onDeath(listener: () => Promise<void>): void;
  /**
   * `listener` is called when others took this exchange for dead, and may have closed its calls: it stood still, or was
   * cut off from the database alone.
   */
  onBurial(listener: () => void): void;
  /** Resolves when the database answers. @throws {StoreError} */
  ping(): Promise<void>;
  /** Commits what the journal still holds, then closes. Later calls reject with StoreError `closed`. */
  close(): Promise<void>;
}

/** Refused by the database's own rules. */
export class IntegrityError extends Error {
  readonly kind: 'unique' | 'reference' | 'restrict';

  constructor(kind: IntegrityError['kind'], message: string) {
    super(message);
    this.name = 'IntegrityError';
    this.kind = kind;
  }
}

/** One row more than a definition's limit. */
export class LimitError extends Error {
  readonly limit: Limit;

  constructor(limit: Limit) {
    super(limit.message);
    this.name = 'LimitError';
    this.limit = limit;
  }
}

/** A page cursor that no page ever gave. */
export class CursorError extends Error {
  constructor() {
    super('Not a page cursor');
    this.name = 'CursorError';
  }
}

/** The database itself is the trouble. The message is one line that says what to do. */
export class StoreError extends Error {
  readonly code:
    | 'newer-database'
    | 'unreachable'
    | 'refused'
    | 'corrupt'
    | 'unwritable'
    | 'locked'
    | 'full'
    | 'wrong-key'
    | 'bad-file'
    | 'closed'
    | 'failed';

  constructor(code: StoreError['code'], message: string) {
    super(message);
    this.name = 'StoreError';
    this.code = code;
  }
}
