// One outgoing call from its order to its end: route, media, TwiML and record, held together.
import type { Clock, Timer } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { MediaEngine, MediaSession } from '../media/index.ts';
import { type RouteTrace, traceEvent } from '../routing/index.ts';
import { acceptAnswer, readAudio, SdpError, writeAnswer, writeOffer } from '../sdp/index.ts';
import type { Body, Dialog, ResponseView } from '../sip/index.ts';
import type { Journal, JournalEntry, OutboxRow } from '../store/index.ts';
import { type CallInput, type CallRow, hasEnded, step } from './call-life.ts';
import type { CallbackSender } from './callback-sender.ts';
import type { CallOrder, TwimlSource } from './control.ts';
import { byeHeaders, inviteTemplate, SDP } from './invite-template.ts';
import { type CallEnding, canceled, completed, endingOf, failed } from './outcome.ts';
import type { CallPlan } from './plan.ts';
import { RouteRunner, type RouteRunnerDeps } from './route-runner.ts';
import { encodeForm } from './signature.ts';
import { callbackRow, voiceParameters } from './status-callback.ts';
import { TwimlRunner } from './twiml-runner.ts';
import type { WebhookClient } from './webhook-client.ts';

/** How often a live call's record says that it is alive: after a crash, its duration is known this exactly. */
const HEARTBEAT_MS = 10_000;

export interface LiveCallDeps extends RouteRunnerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly journal: Journal<CallRow>;
  readonly media: MediaEngine;
  readonly webhooks: WebhookClient;
  readonly callbacks: CallbackSender;
  /** Host of the From header where the trunk names none. */
  readonly fromDomain: string;
  authToken(accountSid: string): string | undefined;
}

export class LiveCall {
  readonly #deps: LiveCallDeps;
  readonly #order: CallOrder;
  readonly #route: RouteRunner;
  readonly #finished: () => void;
  readonly #fromDomain: string;
  #row: CallRow;
  #session: MediaSession | undefined;
  #sdpVersion = 1;
  #dialog: Dialog | undefined;
  #twiml: TwimlRunner | undefined;
  #timeLimit: Timer | undefined;
  #heartbeat: Timer | undefined;
  /** Writes and first callback tries that are under way. */
  #pending = 0;

  /** @param finished called when the call has ended and all about it is stored; again after a late event. */
  constructor(
    deps: LiveCallDeps,
    given: { readonly order: CallOrder; readonly plan: CallPlan; readonly row: CallRow },
    finished: () => void,
  ) {
    this.#deps = deps;
    this.#order = given.order;
    this.#row = given.row;
    this.#finished = finished;
    this.#fromDomain = given.plan.fromDomain ?? deps.fromDomain;
    this.#route = new RouteRunner(deps, given.plan, {
      dialing: () => this.#advance({ type: 'dialing' }),
      ringing: () => this.#advance({ type: 'ringing' }),
      answered: (dialog, response) => this.#answered(dialog, response),
      ended: (outcome) => this.#end(endingOf(outcome)),
      lateEvent: () => this.ended && this.#write({ trace: this.#storedTrace() }),
    });
  }

  get trace(): RouteTrace {
    return this.#route.trace;
  }

  get ended(): boolean {
    return hasEnded(this.#row);
  }

  get answered(): boolean {
    return this.#dialog !== undefined;
  }

  start(): void {
    this.#note('call', `queued: ${this.#row.from} calls ${this.#row.to}`);
    for (const warning of this.#order.warnings) this.#note('warning', warning);
    this.#deps.media.open({ family: this.#row.sid }).then(
      (session) => this.#dial(session),
      (error: Error) => this.#end(failed(`no media: ${error.message}`)),
    );
  }

  /** Ends the call in whatever state it is; `why` goes into its record. */
  end(why: string): void {
    if (this.#dialog) this.#hangUp(why);
    else if (this.#session) this.#route.cancel();
    else this.#end(canceled);
  }

  /** Leaves the running TwiML for another; only for an answered call. */
  redirect(twiml: TwimlSource): void {
    this.#note('twiml', 'redirected over the API');
    this.#twiml?.start(twiml);
  }

  #dial(session: MediaSession): void {
    if (this.ended) return session.close();
    this.#session = session;
    const offer = writeOffer(this.#localMedia(session));
    this.#route.start(inviteTemplate(this.#row, this.#fromDomain, offer));
  }

  #localMedia(session: MediaSession) {
    return { ...session.local, sessionId: String(this.#row.dateCreated), version: this.#sdpVersion };
  }

  #answered(dialog: Dialog, response: ResponseView): void {
    const session = this.#session as MediaSession;
    this.#dialog = dialog;
    const { callId: sipCallId, localTag, remoteTag } = dialog;
    this.#advance({ type: 'answered', sipCallId, localTag, remoteTag });
    dialog.handle({
      ended: (by) => this.#end(completed(by === 'remote' ? 'the callee hung up' : 'the callee was lost')),
      offered: (offer) => this.#renegotiate(session, offer),
    });
    try {
      session.connect(acceptAnswer(readAudio(response.body)));
    } catch (error) {
      if (!(error instanceof SdpError)) throw error;
      return this.#hangUp(`the answer's SDP cannot be used: ${error.message}`);
    }
    this.#startTimers();
    this.#twiml = this.#twimlRunner(session);
    this.#twiml.start(this.#order.twiml);
  }

  #renegotiate(session: MediaSession, offer: string): Body | number {
    try {
      this.#sdpVersion += 1;
      const { sdp, peer } = writeAnswer(readAudio(offer), this.#localMedia(session));
      session.connect(peer);
      return { contentType: SDP, content: sdp };
    } catch (error) {
      if (!(error instanceof SdpError)) throw error;
      return 488;
    }
  }

  #startTimers(): void {
    const { clock } = this.#deps;
    const { timeLimitS } = this.#order;
    this.#timeLimit = clock.after(timeLimitS * 1000, () => this.#hangUp(`the time limit of ${timeLimitS} s`));
    const beat = () => {
      this.#advance({ type: 'heartbeat' });
      this.#heartbeat = clock.after(HEARTBEAT_MS, beat);
    };
    this.#heartbeat = clock.after(HEARTBEAT_MS, beat);
  }

  #twimlRunner(media: MediaSession): TwimlRunner {
    const { webhooks, random, clock, authToken } = this.#deps;
    const identity = () => ({
      authToken: authToken(this.#row.accountSid) ?? '',
      idempotencyToken: random.hex(16),
    });
    return new TwimlRunner({
      media,
      clock,
      fallback: this.#order.fallback,
      fetch: (target, extra) =>
        webhooks.send({
          ...target,
          ...identity(),
          parameters: encodeForm([...voiceParameters(this.#row), ...Object.entries(extra)]),
        }),
      download: (url) =>
        webhooks.send({ url, method: 'GET', wanted: 'audio', ...identity(), parameters: '' }),
      note: (kind, text) => this.#note(kind, text),
      hangUp: (why) => this.#hangUp(why),
    });
  }

  #hangUp(why: string): void {
    if (this.ended) return;
    this.#end(completed(why));
    this.#dialog?.bye(byeHeaders(this.#row.sid));
  }

  #end(ending: CallEnding): void {
    if (this.ended) return;
    this.#deps.clock.cancel(this.#timeLimit);
    this.#deps.clock.cancel(this.#heartbeat);
    this.#twiml?.stop();
    this.#session?.close();
    const code = ending.errorCode === undefined ? '' : ` (${ending.errorCode})`;
    this.#note('call', `${ending.status}${code}: ${ending.why}`);
    this.#advance({ type: 'ended', ending });
  }

  #advance(input: CallInput): void {
    const nowMs = this.#deps.clock.now();
    const before = this.#row.status;
    const { row, patch, callback } = step(this.#row, input, nowMs);
    this.#row = row;
    if (!patch) return;
    if (row.status !== before && !this.ended) this.#note('call', row.status);
    const waiting = callback && callbackRow(row, callback, nowMs);
    // With a callback to come at the end, the trace is written when that has been told.
    const isMilestone = input.type === 'answered' || (input.type === 'ended' && !waiting);
    this.#write(
      {
        update: { sid: row.sid, patch },
        ...(isMilestone ? { trace: this.#storedTrace() } : {}),
        ...(waiting ? { outbox: [waiting] } : {}),
      },
      () => waiting && this.#sendCallback(waiting, callback.status),
    );
  }

  #sendCallback(waiting: OutboxRow, status: string): void {
    this.#pending += 1;
    this.#deps.callbacks.send(waiting, (result) => {
      const answer = result.kind === 'answer' ? `was answered ${result.status}` : `failed: ${result.message}`;
      this.#note('callback', `status callback "${status}" ${answer}`);
      if (this.ended) this.#write({ trace: this.#storedTrace() });
      this.#settled();
    });
  }

  /** Writes to the journal; a store that is away is logged, and the call goes on. */
  #write(entry: JournalEntry<CallRow>, then: () => void = () => {}): void {
    this.#pending += 1;
    const unwritten = (error: unknown) =>
      this.#deps.log.error(
        { call_sid: this.#row.sid, err: String(error) },
        'the call record was not written',
      );
    void this.#deps.journal
      .commit(entry)
      .then(then, unwritten)
      .then(() => this.#settled());
  }

  #settled(): void {
    this.#pending -= 1;
    if (this.#pending === 0 && this.ended) this.#finished();
  }

  #storedTrace(): { callSid: string; json: string } {
    return { callSid: this.#row.sid, json: JSON.stringify(this.trace) };
  }

  #note(kind: 'call' | 'twiml' | 'warning' | 'callback', text: string): void {
    traceEvent(this.trace, this.#deps.clock.now(), kind, text);
  }
}
