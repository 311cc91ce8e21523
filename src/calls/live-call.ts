// One call from its order to its end, whoever began it: its leg, its TwiML and its record, held together.
import type { MediaSession } from '../media/index.ts';
import type { RouteTrace } from '../routing/index.ts';
import type { Dialog, HeaderField } from '../sip/index.ts';
import type { Parameters, Role } from '../twiml/index.ts';
import type { Call, CallScript, ChildOrder } from './call.ts';
import { CallApp, changedTarget } from './call-app.ts';
import type { CallRow } from './call-life.ts';
import { CallRecord } from './call-record.ts';
import { CallTimers } from './call-timers.ts';
import { detectionRow } from './callback/status-callback.ts';
import type { ModifyResult } from './control.ts';
import { byeHeaders } from './leg/invite-template.ts';
import type { Leg, SipFacts } from './leg/leg.ts';
import { TRANSFER_REFUSED } from './leg/leg-transfer.ts';
import { calledParameters } from './leg/sip-parameters.ts';
import type { LiveCallDeps, LiveCallGivens, LiveCallObserver } from './live-call-givens.ts';
import type { CallChange, OrderWarning, TwimlSource, WebhookTarget } from './order.ts';
import { type CallEnding, canceled, completed, failed, givenUp, refusedByTwiml } from './outcome.ts';
import type { LiveRecording } from './recording/live.ts';
import { isOfCall } from './recording/outcome.ts';
import type { RecordingStart } from './recording/shelf.ts';
import { CallTwiml, type RunnerOwn } from './twiml/call-twiml.ts';
import { DialRun } from './twiml/dial.ts';
import { TwimlRunner, type TwimlRunnerDeps } from './twiml/twiml-runner.ts';
import { recordRun, referRun } from './twiml/verb-runs.ts';

/** Twilio: no audio came of the party any more. */
const NO_AUDIO = 32014;
/** Twilio: the call reached its maximum duration. */
const TIME_LIMIT = 32015;

export class LiveCall implements Call {
  readonly family: string;
  readonly hopsLeft: number | undefined;
  readonly domainSid: string | undefined;
  readonly twiml: CallTwiml;
  readonly #deps: LiveCallDeps;
  readonly #observer: LiveCallObserver;
  readonly #script: CallScript;
  readonly #leg: Leg;
  readonly #record: CallRecord;
  readonly #app: CallApp;
  readonly #connection = Promise.withResolvers<void>();
  #fallback: WebhookTarget | undefined;
  readonly #timers: CallTimers;
  #isPlaced = false;
  #isDue = false;
  #session: MediaSession | undefined;
  #earlySession: MediaSession | undefined;
  #whenEarly: () => void = () => {};
  /** The first recording of the call: `Record=true` begins with the answer. */
  #recording: LiveRecording | undefined;
  /** What is still to be told to the app after the end has been told. */
  #release: () => void = () => {};

  constructor(deps: LiveCallDeps, givens: LiveCallGivens, observer: LiveCallObserver) {
    const { row, script, leg } = givens;
    this.family = givens.family;
    this.hopsLeft = givens.hopsLeft;
    this.domainSid = givens.domainSid;
    this.#deps = deps;
    this.#observer = observer;
    this.#script = script;
    this.#fallback = script.fallback;
    this.#timers = new CallTimers(
      {
        clock: deps.clock,
        now: () => this.#record.now(),
        beat: () => this.#record.advance({ type: 'heartbeat' }, this.#leg.dialogs),
        tooLong: (limitS) => this.#cut(TIME_LIMIT, `the time limit of ${limitS} s`),
      },
      script.timeLimitS,
    );
    this.#leg = leg({
      dialing: () => this.#record.advance({ type: 'dialing' }),
      ringing: () => this.#ringing(),
      early: (session) => this.#early(session),
      answered: (dialog) => this.#answered(dialog),
      connected: (session) => this.#connected(session),
      unanswered: (ending) => this.#end(ending),
      hungUp: (why, errorCode) => this.#end({ ...completed(why), errorCode }),
      referred: (target) => (this.#script.referred?.(this, target) ? 202 : TRANSFER_REFUSED),
      warned: (code, text) => this.warn(code, text),
      moved: (session) => this.#hears(session),
      traced: () => this.#record.traced(),
    });
    const parameters = () =>
      script.parameters ?? calledParameters(this.row, this.#leg.sip, givens.calledDomainSid);
    this.#record = new CallRecord(deps, { row, trace: this.#leg.trace, parameters }, () =>
      observer.finished(),
    );
    this.#app = new CallApp(deps, this.#record, parameters);
    this.twiml = new CallTwiml((role, own) => this.#runner(role, own));
  }

  get trace(): RouteTrace {
    return this.#leg.trace;
  }

  get row(): CallRow {
    return this.#record.row;
  }

  get accountSid(): string {
    return this.row.accountSid;
  }

  get key(): { readonly accountSid: string; readonly callSid: string } {
    return { accountSid: this.row.accountSid, callSid: this.row.sid };
  }

  get session(): MediaSession | undefined {
    return this.ended ? undefined : this.#session;
  }

  get audible(): MediaSession | undefined {
    return this.ended ? undefined : (this.#session ?? this.#earlySession);
  }

  get sip(): SipFacts | undefined {
    return this.#leg.sip;
  }

  get ended(): boolean {
    return this.#record.ended;
  }

  get isUntouched(): boolean {
    return !this.ended && !this.twiml.hasRun;
  }

  get byeHeaders(): readonly HeaderField[] {
    return byeHeaders(this.row.sid, this.#recording?.recorded);
  }

  /** Its row is durable. It starts once its turn has come too. */
  placed(): void {
    const { from, to, direction } = this.row;
    const isQueued = direction === 'outbound-api' || direction === 'outbound-dial';
    this.note('call', `${isQueued ? 'queued: ' : ''}${from} calls ${to}`);
    this.#warn(this.#script.warnings);
    this.#isPlaced = true;
    this.#start();
  }

  /** Its turn has come. It starts once its row is durable too. */
  turn(): void {
    this.#isDue = true;
    this.#start();
  }

  #start(): void {
    if (!this.#isPlaced || !this.#isDue || this.ended) return;
    this.#leg.start();
    if (!this.ended) this.#script.begun?.(this);
  }

  end(why: string): void {
    if (this.#leg.isAnswered) this.#end(completed(why));
    else if (!this.#leg.cancel()) this.#end(canceled);
  }

  /** The same for a call that is to be told of even where it has not begun. */
  fail(why: string): void {
    if (this.#isDue) this.end(why);
    else this.#end(failed(why));
  }

  giveUp(why: string): void {
    this.#end(this.#leg.isAnswered ? completed(why) : givenUp(why));
  }

  /** Its record is another exchange's: what happens to it here is neither written nor told any more. */
  disown(): void {
    this.#record.disown();
  }

  /** Lets the leg go without a word in the record: there is none. */
  abandon(): void {
    this.#leg.refuse(500);
    this.#leg.close([]);
  }

  note(kind: 'call' | 'twiml' | 'warning', text: string): void {
    this.#record.note(kind, text);
  }

  named(callerName: string): void {
    this.#record.change({ callerName });
  }

  readdress(parties: Partial<Pick<CallRow, 'to' | 'direction'>>): void {
    this.#record.change(parties);
  }

  warn(code: number, text: string): void {
    this.#record.notify({ code, level: 'warning', text });
  }

  fault(code: number, text: string): void {
    this.#record.notify({ code, level: 'error', text });
  }

  place(order: ChildOrder): Call {
    return this.#deps.placeChild(this, order);
  }

  runTwiml(source: TwimlSource): void {
    if ('twiml' in source) this.#app.forget();
    this.twiml.run(source);
  }

  referProgress(status: number): void {
    this.#leg.referProgress(status);
  }

  goOnAlone(target: WebhookTarget, parameters: Parameters): Promise<void> {
    this.note('twiml', 'goes on without its caller');
    return this.twiml.follow(target, parameters);
  }

  openEarly(then: () => void): void {
    if (this.audible) return then();
    this.#whenEarly = then;
    this.#leg.openEarly();
  }

  answer(): Promise<void> {
    this.#leg.answer();
    return this.#connection.promise;
  }

  record(session: MediaSession, start: Omit<RecordingStart, 'accountSid' | 'callSid'>): LiveRecording {
    const recording = this.#deps.recordings.start(session, { ...start, ...this.key });
    this.note('call', `is recorded as ${recording.sid}`);
    if (isOfCall(recording.row)) this.#recording ??= recording;
    return recording;
  }

  /** All or nothing; resolves when it is committed. */
  async change(change: CallChange): Promise<ModifyResult> {
    const { status, twiml } = change;
    if (this.ended) return 'not-live';
    const isAnswered = this.#leg.isAnswered;
    if (status === 'canceled' ? isAnswered : !status && twiml && !isAnswered) return 'wrong-state';
    this.#warn(change.warnings);
    this.#changeSettings(change);
    if (status) this.end('ended over the API');
    else if (twiml) this.#redirect(twiml);
    await this.#record.written();
    return 'done';
  }

  #warn(warnings: readonly OrderWarning[] = []): void {
    for (const { code, text } of warnings) {
      if (code === undefined) this.#record.note('warning', text);
      else this.#record.notify({ code, level: 'warning', text });
    }
  }

  #redirect(twiml: TwimlSource): void {
    this.note('twiml', 'redirected over the API');
    this.#script.redirected?.(this);
    if ('twiml' in twiml) this.#app.forget();
    this.twiml.redirect(twiml);
  }

  #changeSettings({ fallback, statusCallback, timeLimitS }: CallChange): void {
    if (fallback) this.#fallback = changedTarget(this.#fallback, fallback);
    if (statusCallback) {
      const { url = this.row.statusCallback, method = this.row.statusCallbackMethod } = statusCallback;
      const statusCallbackEvents =
        this.row.statusCallbackEvents.length > 0 ? this.row.statusCallbackEvents : (['completed'] as const);
      this.#record.change({ statusCallback: url, statusCallbackMethod: method, statusCallbackEvents });
    }
    if (timeLimitS !== undefined) this.#timers.setLimit(timeLimitS);
  }

  #ringing(): void {
    this.#record.advance({ type: 'ringing' });
    this.#script.ringing?.(this);
  }

  #early(session: MediaSession): void {
    this.#earlySession = session;
    this.#whenEarly();
    this.#script.early?.(this, session);
  }

  #answered({ callId: sipCallId, localTag, remoteTag }: Dialog): void {
    const { machineDetection } = this.#script;
    const answeredBy = machineDetection && ({ answeredBy: 'unknown' } as const);
    this.#record.advance(
      { type: 'answered', sipCallId, localTag, remoteTag, ...answeredBy },
      this.#leg.dialogs,
      detectionRow(this.row, machineDetection),
    );
  }

  #hears(session: MediaSession): void {
    this.#session = session;
    session.onDigit((key) => this.twiml.key(key));
    session.onLost(() => {
      if (session === this.#session) this.#cut(NO_AUDIO, 'neither sound nor RTCP came of the party any more');
    });
  }

  #connected(session: MediaSession): void {
    this.#hears(session);
    this.#timers.connected(this.row.answeredAt ?? this.#record.now());
    this.#connection.resolve();
    this.#script.connected(this, session);
  }

  #cut(code: number, why: string): void {
    if (this.ended) return;
    this.#record.notify({ code, level: 'warning', text: why });
    this.#end(completed(why));
  }

  #runner(role: Role, { bridge, dialed, ...own }: RunnerOwn): TwimlRunner {
    const app = this.#app;
    const { clock, placeChild } = this.#deps;
    const deps: TwimlRunnerDeps = {
      clock,
      media: () => this.session,
      fallback: () => this.#fallback,
      fetch: (target, extra) => app.fetch(target, extra),
      download: (url) => app.download(url),
      note: (text) => this.note('twiml', text),
      notify: (notice) => app.notify(notice),
      answer: () => this.answer(),
      record: (rules) => recordRun(this, rules),
      dial: (rules) =>
        new DialRun({ ...own, clock, place: (order) => placeChild(this, order), over: dialed }, this, rules),
      refer: (target) => referRun(this.#leg, target),
      reject: (reason) => this.#refuse(refusedByTwiml(reason)),
      refuse: (why) => this.#refuseFailed(why),
      hangUp: (why) => this.#end(completed(why)),
      bridge,
      over: () => this.#release(),
    };
    return new TwimlRunner(deps, role);
  }

  #refuse(ending: CallEnding & { readonly sipStatus: number }): void {
    this.#leg.refuse(ending.sipStatus);
    this.#end(ending);
  }

  #refuseFailed(why: string): boolean {
    const { appFailure: sipStatus } = this.#deps;
    if (sipStatus === undefined || this.row.direction !== 'inbound' || this.#leg.isAnswered) return false;
    this.#refuse({ ...failed(why), sipStatus });
    return true;
  }

  #end(ending: CallEnding): void {
    if (this.ended) return;
    this.#timers.stop();
    const { status, errorCode, why } = ending;
    this.note('call', `${status}${errorCode === undefined ? '' : ` (${errorCode})`}: ${why}`);
    if (errorCode !== undefined) this.#record.notify({ code: errorCode, level: 'error', text: why });
    // Read once: app and party are told the same.
    const recorded = this.#recording?.recorded;
    this.#record.advance({ type: 'ended', ending: { ...ending, recorded } });
    this.#release = this.#record.hold();
    if (!this.twiml.callEnded()) this.#release();
    this.#leg.close(byeHeaders(this.row.sid, recorded));
    this.#script.ended?.(this, ending);
    this.#observer.ended();
  }
}
