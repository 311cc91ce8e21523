// A call as it is kept: its row, route trace, events and notifications, and the status callbacks that follow from it.
// Everything goes through the journal; a store that is away is logged, and the call goes on.
import { type Clock, steadyTime } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { type RouteTrace, type TracedEvent, traceEvent } from '../routing/index.ts';
import type { Dialog } from '../sip/index.ts';
import {
  type Along,
  IntegrityError,
  type Journal,
  type JournalEntry,
  type OutboxRow,
} from '../store/index.ts';
import { type CallInput, type CallRow, hasEnded, step } from './call-life.ts';
import { CallLog, type Exchange, type Notice, responseOf } from './call-log.ts';
import type { CallbackSender } from './callback/sender.ts';
import { callbackRow } from './callback/status-callback.ts';
import { KeptDialogs } from './kept-dialogs.ts';
import type { WebhookResult } from './webhook/request.ts';
import type { FormParameters } from './webhook/signature.ts';

export interface CallRecordDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly journal: Journal<CallRow>;
  readonly callbacks: CallbackSender;
}

/** Twilio: the application answered a status callback with 4xx or 5xx. */
const CALLBACK_REFUSED = 15003;

interface CallRecordGivens {
  readonly row: CallRow;
  readonly trace: RouteTrace;
  /** What its requests carry beside the usual. */
  parameters(): FormParameters;
}

export class CallRecord {
  readonly #deps: CallRecordDeps;
  readonly #settled: () => void;
  readonly #log: CallLog;
  readonly #trace: RouteTrace;
  readonly #parameters: () => FormParameters;
  readonly #dialogs: KeptDialogs;
  /** The time by which its row goes: a clock that is set makes no call longer or shorter. */
  readonly now: () => number;
  #row: CallRow;
  /** It is kept by another exchange: nothing more is written or told of it here. */
  #isDisowned = false;
  /** Writes and first callback tries that are under way. */
  #pending = 0;
  /** Whether the trace has grown since it was written. */
  #isTraceStale = true;
  #lastWrite: Promise<void> = Promise.resolve();

  /** @param settled called when the call has ended and all about it is stored; again after a late event. */
  constructor(deps: CallRecordDeps, { row, trace, parameters }: CallRecordGivens, settled: () => void) {
    this.#deps = deps;
    this.#row = row;
    this.#trace = trace;
    this.#parameters = parameters;
    this.#settled = settled;
    this.#dialogs = new KeptDialogs(row.sid);
    this.now = steadyTime(deps.clock, row.dateCreated);
    this.#log = new CallLog(deps, { accountSid: row.accountSid, callSid: row.sid });
  }

  get row(): CallRow {
    return this.#row;
  }

  get ended(): boolean {
    return hasEnded(this.#row);
  }

  /** Resolves when everything so far is committed, or was refused. */
  written(): Promise<void> {
    return this.#lastWrite;
  }

  /**
   * A step of the call's life: the row, its dialogs and its callback are committed together, then the callback is sent.
   * @param dialogs those that are up
   * @param detection tells who picked up; goes after the step's own callback
   */
  advance(input: CallInput, dialogs: readonly Dialog[] = [], detection?: OutboxRow): void {
    const nowMs = this.now();
    const before = this.#row.status;
    const { row, patch, callback } = step(this.#row, input, nowMs);
    this.#row = row;
    if (!patch) return;
    if (this.#isDisowned) return this.#write({});
    if (row.status !== before && !this.ended) this.note('call', row.status);
    const waiting = callback && callbackRow(row, callback, { nowMs, parameters: this.#parameters() });
    // With a callback to come at the end, the trace is written when that has been told.
    const isMilestone = input.type === 'answered' || (input.type === 'ended' && !waiting);
    this.#write(
      {
        update: { sid: row.sid, patch },
        ...(this.ended ? this.#dialogs.over() : this.#dialogs.changed(dialogs)),
        ...(isMilestone ? { trace: this.#storedTrace() } : {}),
        outbox: [waiting, detection].filter((each) => each !== undefined),
      },
      () => {
        if (waiting) this.#sendCallback(waiting, `status callback "${callback.status}"`);
        if (detection) this.#sendCallback(detection, 'machine detection callback');
      },
    );
  }

  /** Changes columns that are no part of the call's life. */
  change(patch: Partial<CallRow>): void {
    this.#row = { ...this.#row, ...patch };
    this.#write({ update: { sid: this.#row.sid, patch } });
  }

  /** Another exchange has ended the call's record. */
  disown(): void {
    this.#isDisowned = true;
  }

  /** A line of the trace. */
  note(kind: TracedEvent['kind'], text: string): void {
    traceEvent(this.#trace, this.#deps.clock.now(), kind, text);
    this.#isTraceStale = true;
  }

  /** A Notification, and a line of the trace. */
  notify(notice: Notice): void {
    this.note('warning', `${notice.code}: ${notice.text}`);
    this.#keep(this.#log.notice(notice));
  }

  /** An Event: a request that the call made. */
  exchanged(exchange: Exchange): void {
    this.#keep(this.#log.event(exchange));
  }

  /** Keeps it from being settled until what is returned is called: something is still to be told. */
  hold(): () => void {
    this.#pending += 1;
    return () => this.#done();
  }

  /** The trace has grown without `note`. */
  traced(): void {
    this.#isTraceStale = true;
    if (this.#pending === 0 && this.ended) this.#settle();
  }

  #keep(record: Along | undefined): void {
    if (record) this.#write({ records: [record] });
  }

  #sendCallback(waiting: OutboxRow, name: string): void {
    this.#pending += 1;
    this.#deps.callbacks.send(waiting, (result, durationMs) => {
      const { url, method, parameters } = waiting;
      this.exchanged({ request: { url, method, parameters }, result, durationMs });
      this.#tellCallback(name, waiting, result);
      this.#done();
    });
  }

  #tellCallback(name: string, { url, method, parameters }: OutboxRow, result: WebhookResult): void {
    if (result.kind === 'answer') return this.note('callback', `${name} was answered ${result.status}`);
    const response = responseOf(result);
    this.notify({
      code: response ? CALLBACK_REFUSED : result.code,
      level: 'warning',
      text: `${name} failed: ${result.message}`,
      request: { url, method, parameters },
      ...(response && { response }),
    });
  }

  #write(entry: JournalEntry<CallRow>, then: () => void = () => {}): void {
    this.#pending += 1;
    const written = this.#isDisowned ? Promise.resolve() : this.#deps.journal.commit(entry);
    this.#lastWrite = written.then(then, (error: unknown) => this.#unwritten(error)).then(() => this.#done());
  }

  #unwritten(error: unknown): void {
    // Deleted over the API after its end, before the last was told of it.
    const isGone = error instanceof IntegrityError && error.kind === 'reference' && this.ended;
    if (isGone) return;
    this.#deps.log.error({ call_sid: this.#row.sid, err: String(error) }, 'the call record was not written');
  }

  #done(): void {
    this.#pending -= 1;
    if (this.#pending === 0 && this.ended) this.#settle();
  }

  /** The trace is written once for all that came since, not for each line. */
  #settle(): void {
    if (this.#isTraceStale) this.#write({ trace: this.#storedTrace() });
    else this.#settled();
  }

  #storedTrace(): { callSid: string; toJson: () => string } {
    this.#isTraceStale = false;
    return { callSid: this.#row.sid, toJson: () => JSON.stringify(this.#trace) };
  }
}
