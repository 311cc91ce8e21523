// A leg towards a caller: their INVITE, its ringing and its answer, and the media. Rings once the call is stored.
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { type MediaEngine, MediaError, type MediaSession } from '../../media/index.ts';
import { newTrace, type RouteTrace } from '../../routing/index.ts';
import { type AudioDescription, SdpError } from '../../sdp/index.ts';
import type { Body, Dialog, HeaderField, ServerInvite } from '../../sip/index.ts';
import { type CallEnding, failed } from '../outcome.ts';
import { AnsweredParty } from './answered-party.ts';
import type { Leg, LegObserver, Party, ReferHandler, SipFacts } from './leg.ts';
import { LegMedia } from './leg-media.ts';

export interface InboundLegDeps {
  readonly media: MediaEngine;
  readonly clock: Clock;
  readonly random: Random;
}

export interface InboundLegGivens {
  readonly invite: ServerInvite;
  /** Of the INVITE, as admission read it; SRTP where that was allowed. */
  readonly offer: AudioDescription;
  /** Legs of one family can be bridged. */
  readonly family: string;
  /** Why the call goes where it goes, in words. */
  readonly rule: string;
  /** The caller hears that it rings when `ring` says so; without it, at once. */
  readonly isSilent?: true;
}

/** Twilio: no ACK for the answer within 32 s. */
const NO_ACK = 32022;

/** 487 has been sent, by the stack. */
const GIVEN_UP: CallEnding = {
  status: 'no-answer',
  sipStatus: 487,
  errorCode: undefined,
  why: 'the caller gave up before the answer',
};

export class InboundLeg implements Party {
  readonly trace: RouteTrace;
  readonly #deps: InboundLegDeps;
  readonly #givens: InboundLegGivens;
  readonly #observer: LegObserver;
  /** From `start` on. It never rejects: without media the leg is over. */
  #opening: Promise<LegMedia | undefined> | undefined;
  /** From the moment that there are ports. */
  #opened: LegMedia | undefined;
  /** The same, from the first description that the caller got. */
  #media: LegMedia | undefined;
  #answer: Body | undefined;
  readonly #party: AnsweredParty;
  #wantsAnswer = false;
  #isAcknowledged = false;
  /** No more of it is told. */
  #isOver = false;

  /** Inside the handler of `onInvite`: a CANCEL may come at any time after. */
  constructor(deps: InboundLegDeps, givens: InboundLegGivens, observer: LegObserver) {
    this.#deps = deps;
    this.#givens = givens;
    this.#observer = observer;
    this.#party = new AnsweredParty(deps, observer);
    this.trace = newTrace(givens.rule);
    givens.invite.handle({
      canceled: () => this.#fail(GIVEN_UP),
      offered: (offer) => this.#media?.reoffered(offer) ?? 488,
    });
  }

  get isAnswered(): boolean {
    return this.#party.isThere;
  }

  get dialogs(): readonly Dialog[] {
    return this.#party.dialogs;
  }

  get session(): MediaSession | undefined {
    return this.#media?.session;
  }

  /** Only of a callee. */
  get sip(): SipFacts | undefined {
    return undefined;
  }

  start(): void {
    if (this.#isOver || this.#opening) return;
    this.#opening = this.#open();
    // Not before: without ports for its sound the call is refused, and nobody hears of it.
    if (!this.#givens.isSilent) this.#withMedia(() => this.ring());
  }

  /** Lets the caller hear that it rings. */
  ring(): void {
    if (this.#isOver || this.#wantsAnswer) return;
    this.#givens.invite.progress(180);
    this.#observer.ringing();
  }

  /** Runs when there are ports for the caller's sound, which need not flow yet; never where the leg is over before. */
  whenOpen(then: (session: MediaSession) => void): void {
    this.#withMedia(({ session }) => then(session));
  }

  answer(): void {
    if (this.#wantsAnswer) return;
    this.#wantsAnswer = true;
    this.#withMedia((media) => this.#pickUp(media));
  }

  openEarly(): void {
    if (this.#wantsAnswer || this.#media) return;
    this.#withMedia((media) => {
      if (this.isAnswered || this.#media) return;
      const body = this.#describe(media);
      if (!body) return;
      this.#givens.invite.progress(183, body);
      this.#observer.early(media.session);
    });
  }

  refuse(status: number, reason?: string, headers: readonly HeaderField[] = []): void {
    if (this.#isOver || this.isAnswered) return;
    this.#isOver = true;
    this.#opened?.close();
    this.#givens.invite.reject(status, headers, reason === undefined ? {} : { reason });
  }

  cancel(): boolean {
    return false;
  }

  refer(target: Parameters<Leg['refer']>[0], done: ReferHandler): void {
    this.#party.refer(target, done);
  }

  referProgress(status: number): void {
    this.#party.referProgress(status);
  }

  moveTo(family: string): Promise<boolean> {
    return this.#party.moveTo(family);
  }

  close(byeHeaders: readonly HeaderField[]): void {
    if (!this.isAnswered) return this.refuse(480);
    this.#isOver = true;
    this.#opened?.close();
    this.#party.close(byeHeaders);
  }

  async #open(): Promise<LegMedia | undefined> {
    const { media, random, clock } = this.#deps;
    const { family, offer, invite } = this.#givens;
    try {
      const session = await media.open({ family });
      if (this.#isOver) return void session.close();
      const ours = new LegMedia({
        session,
        random,
        sessionId: String(clock.now()),
        secure: offer.profile === 'RTP/SAVP',
        signalledFrom: invite.received.address,
      });
      this.#opened = ours;
      return ours;
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#fail(failed(`no media: ${error.message}`), 503);
      return undefined;
    }
  }

  #withMedia(task: (media: LegMedia) => void): void {
    void this.#opening?.then((media) => media && !this.#isOver && task(media));
  }

  /** Our description, once for all responses: a 200 repeats what a 183 said. Undefined where the leg is over by it. */
  #describe(media: LegMedia): Body | undefined {
    if (this.#answer) return this.#answer;
    try {
      this.#answer = media.answer(this.#givens.offer);
      this.#media = media;
      return this.#answer;
    } catch (error) {
      if (!(error instanceof SdpError)) throw error;
      this.#fail(failed(`the offer cannot be used: ${error.message}`), 488);
      return undefined;
    }
  }

  #pickUp(media: LegMedia): void {
    const body = this.#describe(media);
    if (!body) return;
    this.#party.answer(this.#givens.invite.accept(body), media, {
      ended: (by) => this.#hungUp(by),
      acknowledged: () => {
        this.#isAcknowledged = true;
      },
    });
    if (!this.#isOver) this.#observer.connected(media.session);
  }

  #hungUp(by: 'remote' | 'local' | 'failure'): void {
    if (by === 'remote') this.#observer.hungUp('the caller hung up');
    else if (this.#isAcknowledged) this.#observer.hungUp('the caller was lost');
    else this.#observer.hungUp('the answer was never acknowledged: no ACK within 32 s', NO_ACK);
  }

  /** It is over before an answer. */
  #fail(ending: CallEnding, status?: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#opened?.close();
    if (status !== undefined) this.#givens.invite.reject(status);
    this.#observer.unanswered(status === undefined ? ending : { ...ending, sipStatus: status });
  }
}
