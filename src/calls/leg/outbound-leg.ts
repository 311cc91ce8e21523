// A leg towards a callee: the route that finds them, the dialog with them, and the media.
import type { Random } from '../../lib/random.ts';
import type { MediaEngine, MediaSession } from '../../media/index.ts';
import type { RoutePlan, RouteTrace } from '../../routing/index.ts';
import { SdpError } from '../../sdp/index.ts';
import type { Dialog, HeaderField, RequestView, ResponseView } from '../../sip/index.ts';
import { ATTEMPT_FAILED, endingOf, failed, uncallable } from '../outcome.ts';
import { ForkedRoute } from '../route/forked-route.ts';
import type { CallPlan } from '../route/plan.ts';
import { type InviteTemplate, type Route, RouteRunner, type RouteRunnerDeps } from '../route/route-runner.ts';
import { AnsweredParty } from './answered-party.ts';
import type { Leg, LegObserver, Party, ReferHandler, SipFacts } from './leg.ts';
import { LegMedia } from './leg-media.ts';

export interface LegDeps extends RouteRunnerDeps {
  readonly media: MediaEngine;
  readonly random: Random;
}

export type CalleeInvite = Omit<InviteTemplate, 'offer'>;

export interface OutboundLegGivens {
  readonly plan: RoutePlan & Pick<CallPlan, 'callee' | 'failure'>;
  /** Legs of one family can be bridged. */
  readonly family: string;
  /** What every INVITE has, but for the offer; asked when the first one is about to leave. */
  template(): CalleeInvite;
}

export class OutboundLeg implements Party {
  readonly #deps: LegDeps;
  readonly #observer: LegObserver;
  readonly #givens: OutboundLegGivens;
  readonly #route: Route;
  #media: LegMedia | undefined;
  /** Whether the callee has described media before the answer. */
  #hasEarly = false;
  readonly #party: AnsweredParty;
  #sip: SipFacts | undefined;
  #isOver = false;

  constructor(deps: LegDeps, givens: OutboundLegGivens, observer: LegObserver) {
    this.#deps = deps;
    this.#observer = observer;
    this.#party = new AnsweredParty(deps, observer);
    this.#givens = givens;
    const { plan } = givens;
    const Kind = plan.callee === 'devices' && plan.targets.length > 0 ? ForkedRoute : RouteRunner;
    this.#route = new Kind(deps, plan, {
      dialing: () => observer.dialing(),
      ringing: () => observer.ringing(),
      early: (response) => this.#early(response),
      final: (callId, response, address) => this.#noteFinal({ callId, address }, response),
      answered: (dialog, response) => this.#answered(dialog, response),
      ended: (outcome) => this.#isOver || observer.unanswered(endingOf(outcome, plan.callee)),
      attemptFailed: (text) => observer.warned(ATTEMPT_FAILED, text),
      lateEvent: () => observer.traced(),
    });
  }

  get trace(): RouteTrace {
    return this.#route.trace;
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

  get sip(): SipFacts | undefined {
    return this.#sip;
  }

  /** Reserves media, then calls. */
  start(): void {
    const { failure } = this.#givens.plan;
    if (failure) return this.#observer.unanswered(uncallable(failure));
    this.#deps.media.open({ family: this.#givens.family }).then(
      (session) => this.#begin(session),
      (error: Error) => this.#isOver || this.#observer.unanswered(failed(`no media: ${error.message}`)),
    );
  }

  /** A callee answers without being told. */
  answer(): void {}

  /** A callee opens early media by themselves. */
  openEarly(): void {}

  /** A callee is given up by `cancel`. */
  refuse(): void {}

  cancel(): boolean {
    if (!this.#media) return false;
    this.#route.cancel();
    return true;
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
    if (this.#isOver) return;
    this.#isOver = true;
    this.#media?.close();
    if (this.isAnswered) this.#party.close(byeHeaders);
    else this.#route.cancel();
  }

  #begin(session: MediaSession): void {
    if (this.#isOver) return session.close();
    const { random, clock } = this.#deps;
    const media = new LegMedia({ session, random, sessionId: String(clock.now()) });
    this.#media = media;
    this.#route.start({
      ...this.#givens.template(),
      offer: (target) => media.offer(target),
    });
  }

  #early({ body }: ResponseView): void {
    const media = this.#media as LegMedia;
    try {
      media.answered(body);
      this.#hasEarly = true;
      this.#observer.early(media.session);
    } catch (error) {
      // Sound that cannot be used is not heard; the answer may bring better.
      if (!(error instanceof SdpError)) throw error;
    }
  }

  #noteFinal(attempt: Pick<SipFacts, 'callId' | 'address'>, response: ResponseView): void {
    this.#sip = { ...attempt, responseCode: response.status, headers: extensionsOf(response) };
  }

  #answered(dialog: Dialog, { body }: ResponseView): void {
    const media = this.#media as LegMedia;
    this.#party.answer(dialog, media, { ended: (by, request) => this.#hungUp(by, request) });
    try {
      // The answer may have come in a reliable 1xx, and nowhere else.
      if (body !== '' || !this.#hasEarly) media.answered(body);
    } catch (error) {
      if (!(error instanceof SdpError)) throw error;
      return this.#observer.hungUp(`the answer's SDP cannot be used: ${error.message}`);
    }
    if (!this.#isOver) this.#observer.connected(media.session);
  }

  #hungUp(by: 'remote' | 'local' | 'failure', bye: RequestView | undefined): void {
    const headers = bye ? extensionsOf(bye) : [];
    if (this.#sip && headers.length > 0) this.#sip = { ...this.#sip, headers };
    this.#observer.hungUp(by === 'remote' ? 'the callee hung up' : 'the callee was lost');
  }
}

const extensionsOf = (message: RequestView | ResponseView): SipFacts['headers'] =>
  message.extensions('X-').map(([name, value]) => ({ name, value }));
