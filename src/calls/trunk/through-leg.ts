// A leg that leads on to another: the caller of a trunk's call, and the callee whose ringing, sound and answer they get.
// Where the callee is gone, the caller's leg goes on alone, as if nobody had been called.
import { MediaError, type MediaSession } from '../../media/index.ts';
import type { RouteTrace } from '../../routing/index.ts';
import type { Dialog, HeaderField, RequestReply, RequestView } from '../../sip/index.ts';
import { InboundLeg, type InboundLegGivens } from '../leg/inbound-leg.ts';
import type { Leg, LegObserver, Party, ReferHandler, SipFacts } from '../leg/leg.ts';
import { type LegDeps, OutboundLeg, type OutboundLegGivens } from '../leg/outbound-leg.ts';
import { type CallEnding, failed } from '../outcome.ts';
import { type CallerRefusal, refusalOf } from './caller-refusal.ts';

export type Side = 'caller' | 'callee';

/** Sees to a call whose parties change: what becomes of it when one hangs up is not for the leg to say then. */
export interface PartyWatch {
  left(side: Side, why: string): void;
  /** The call ends; its parties are there still. */
  closing(): void;
}

export interface ThroughLegGivens {
  readonly caller: Pick<InboundLegGivens, 'invite' | 'offer'>;
  readonly callee: Omit<OutboundLegGivens, 'family'>;
  readonly family: string;
  /** Done before the callee is called; never rejects. */
  readonly prepare?: () => Promise<void>;
  /** Nobody took the call: what it ends in, or undefined where the caller's leg goes on alone. */
  unreached(ending: CallEnding): CallEnding | undefined;
  /** A party has answered, or another leg has taken its place. */
  answered(side: Side, dialog: Dialog): void;
  /** A party's REFER. */
  referred(side: Side, request: RequestView): RequestReply | number;
}

/** The callee answered, and nothing came of it: 502 is for a gateway whose other side gave an answer of no use. */
const LOST: CallerRefusal = { status: 502, headers: [] };

export class ThroughLeg implements Leg {
  readonly #deps: LegDeps;
  readonly #givens: ThroughLegGivens;
  readonly #observer: LegObserver;
  readonly #caller: InboundLeg;
  readonly #callee: OutboundLeg;
  /** What a caller who is not answered is refused with. */
  #refusal: CallerRefusal = { status: 480, headers: [] };
  /** There is sound of the callee before the answer. */
  #isHeard = false;
  #isBridged = false;
  /** The callee is gone, or was never there. */
  #isAlone = false;
  #isOver = false;
  /** Legs that took a party's place. */
  readonly #successors: Partial<Record<Side, Party>> = {};
  /** Whose place a leg is about to take, and whether they hung up meanwhile. */
  #moving: { readonly side: Side; readonly successor: Party; hasLeft: boolean } | undefined;
  /** Who was let go. */
  #gone: Side | undefined;
  #watch: PartyWatch | undefined;

  /** Inside the handler of `onInvite`: a CANCEL may come at any time after. */
  constructor(deps: LegDeps, givens: ThroughLegGivens, observer: LegObserver) {
    this.#deps = deps;
    this.#givens = givens;
    this.#observer = observer;
    const { family, caller, callee } = givens;
    const { rule } = callee.plan;
    this.#caller = new InboundLeg(deps, { ...caller, family, rule, isSilent: true }, this.#ofCaller());
    this.#callee = new OutboundLeg(deps, { ...callee, family }, this.#ofCallee());
  }

  get trace(): RouteTrace {
    return this.#callee.trace;
  }

  get isAnswered(): boolean {
    return this.#caller.isAnswered;
  }

  get session(): MediaSession | undefined {
    return this.party(this.#gone === 'caller' ? 'callee' : 'caller').session;
  }

  get dialogs(): readonly Dialog[] {
    const sides = (['caller', 'callee'] as const).filter((side) => side !== this.#gone);
    return sides.flatMap((side) => this.party(side).dialogs);
  }

  get sip(): SipFacts | undefined {
    return this.#callee.sip;
  }

  start(): void {
    this.#caller.start();
    const { prepare } = this.#givens;
    if (prepare) void prepare().then(() => this.#callCallee());
    else this.#callCallee();
  }

  answer(): void {
    if (this.#isAlone) this.#caller.answer();
  }

  openEarly(): void {
    if (this.#isAlone) this.#caller.openEarly();
  }

  refuse(status: number, reason?: string): void {
    this.#caller.refuse(status, reason);
  }

  cancel(): boolean {
    return !this.#isAlone && this.#callee.cancel();
  }

  refer(target: Parameters<Leg['refer']>[0], done: ReferHandler): void {
    this.#caller.refer(target, done);
  }

  /** While there are two parties, whoever transfers tells them. */
  referProgress(status: number): void {
    if (this.#isAlone) this.#caller.referProgress(status);
  }

  close(byeHeaders: readonly HeaderField[]): void {
    this.#watch?.closing();
    this.#isOver = true;
    const { status, headers } = this.#refusal;
    if (this.#caller.isAnswered) this.party('caller').close(byeHeaders);
    else this.#caller.refuse(status, undefined, headers);
    this.party('callee').close(byeHeaders);
    this.#moving?.successor.close(byeHeaders);
  }

  party(side: Side): Party {
    return this.#successors[side] ?? (side === 'caller' ? this.#caller : this.#callee);
  }

  /** Whether both parties are there and talk, and nobody watches over them. */
  get isSettled(): boolean {
    const isWhole = !this.#isAlone && this.#gone === undefined && this.#moving === undefined;
    return isWhole && this.#isBridged && this.#caller.isAnswered && !this.#isOver && !this.#watch;
  }

  /** From now on `watch` is told who hangs up; without one, the call ends with either party. */
  watch(watch: PartyWatch | undefined): void {
    this.#watch = watch;
  }

  /** The parties hear nothing of each other. */
  hold(): void {
    this.party('caller').session?.unbridge();
  }

  /** The parties hear each other again. */
  rejoin(): void {
    this.#isBridged = false;
    this.#bridge();
  }

  /** Lets a party go, if it has not gone by itself; the other one stays in the call. */
  letGo(side: Side, byeHeaders: readonly HeaderField[]): void {
    const other = this.party(side === 'caller' ? 'callee' : 'caller');
    this.#gone = side;
    this.party(side).close(byeHeaders);
    if (other.session) this.#observer.moved?.(other.session);
  }

  /**
   * Takes a call that comes in place of a party's own (RFC 3891). Inside the handler of `onInvite`.
   * @param taken once the two talk
   */
  takeOver(side: Side, { invite, offer }: ThroughLegGivens['caller'], taken: () => void): void {
    const { family, callee } = this.#givens;
    const { rule } = callee.plan;
    const observer = this.#ofSuccessor(side, () => {
      this.#moving = undefined;
      const before = this.party(side);
      this.#successors[side] = successor;
      before.close([]);
      this.rejoin();
      if (side === 'caller' && successor.session) this.#observer.moved?.(successor.session);
      taken();
    });
    const successor = new InboundLeg(this.#deps, { invite, offer, family, rule, isSilent: true }, observer);
    this.#moving = { side, successor, hasLeft: false };
    successor.start();
    successor.answer();
  }

  /** Not before there are ports for the caller: who answers has somebody to talk with, and may transfer at once. */
  #callCallee(): void {
    this.#caller.whenOpen(() => this.#isAlone || this.#isOver || this.#callee.start());
  }

  /** Runs when there are ports for the caller's sound. */
  whenOpen(then: (session: MediaSession) => void): void {
    this.#caller.whenOpen(then);
  }

  /** Lets the callee go; the caller's leg goes on alone. */
  leaveCallee(byeHeaders: readonly HeaderField[]): void {
    this.#watch = undefined;
    if (this.#gone === 'caller') return;
    this.#isAlone = true;
    // This ends the bridge.
    this.party('callee').close(byeHeaders);
  }

  #ofCaller(): LegObserver {
    const observer = this.#observer;
    return {
      dialing() {},
      ringing() {},
      early: (session) => {
        this.#bridge();
        observer.early(session);
      },
      answered: (dialog) => {
        this.#givens.answered('caller', dialog);
        observer.answered(dialog);
      },
      connected: (session) => {
        this.#bridge();
        if (!this.#isOver) observer.connected(session);
      },
      unanswered: (ending) => observer.unanswered(ending),
      hungUp: (why, errorCode) => this.#left('caller', why, errorCode),
      referred: (target, request) => this.#referred('caller', target, request),
      warned() {},
      traced() {},
    };
  }

  #ofSuccessor(side: Side, taken: () => void): LegObserver {
    return {
      dialing() {},
      ringing() {},
      early() {},
      answered: (dialog) => this.#givens.answered(side, dialog),
      connected: taken,
      unanswered: () => {
        const hasLeft = this.#moving?.hasLeft === true;
        this.#moving = undefined;
        if (hasLeft) this.#left(side, 'it hung up, and who was to take over could not');
      },
      hungUp: (why, errorCode) => this.#left(side, why, errorCode),
      referred: (target, request) => this.#referred(side, target, request),
      warned() {},
      traced() {},
    };
  }

  #left(side: Side, why: string, errorCode?: number): void {
    if (this.#moving?.side === side) this.#moving.hasLeft = true;
    else if (this.#watch) this.#watch.left(side, why);
    else this.#observer.hungUp(why, errorCode);
  }

  #referred(side: Side, target: string, request: RequestView): RequestReply | number {
    if (this.#isAlone) return this.#observer.referred(target, request);
    return this.#givens.referred(side, request);
  }

  #ofCallee(): LegObserver {
    const observer = this.#observer;
    return {
      dialing() {},
      ringing: () => this.#ringing(),
      early: () => {
        this.#isHeard = true;
        this.#caller.openEarly();
      },
      answered: (dialog) => this.#givens.answered('callee', dialog),
      connected: () => this.#caller.answer(),
      unanswered: (ending) => this.#unreached(ending),
      hungUp: (why, errorCode) => this.#lost(why, errorCode),
      referred: (target, request) => this.#referred('callee', target, request),
      warned: (code, text) => observer.warned(code, text),
      traced: () => observer.traced(),
    };
  }

  /** A response that brings sound goes on as 183, and whether it does is only known when all of it was looked at. */
  #ringing(): void {
    queueMicrotask(() => {
      if (this.#isOver) return;
      if (!this.#isHeard) this.#caller.ring();
      this.#observer.ringing();
    });
  }

  #unreached(ending: CallEnding): void {
    if (this.#isOver) return;
    this.#isAlone = true;
    this.#callee.close([]);
    const after = this.#givens.unreached(ending);
    if (!after) return;
    this.#refusal = refusalOf(after);
    this.#observer.unanswered(after);
  }

  #lost(why: string, errorCode?: number): void {
    if (this.#caller.isAnswered) return this.#left('callee', why, errorCode);
    this.#refusal = LOST;
    this.#observer.unanswered({ ...failed(why), errorCode });
  }

  #bridge(): void {
    const caller = this.party('caller').session;
    const callee = this.party('callee').session;
    if (this.#isAlone || this.#isBridged || !caller || !callee) return;
    try {
      caller.bridge(callee);
      this.#isBridged = true;
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      if (this.#caller.isAnswered) this.#observer.hungUp(`no bridge: ${error.message}`);
    }
  }
}
