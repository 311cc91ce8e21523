// Whom a call is transferred to: somebody who is called, or the other party of another call of the same PBX.
import { MediaError, type MediaSession } from '../../media/index.ts';
import type { Call, CallScript, ChildOrder } from '../call.ts';
import { refusalOf } from './caller-refusal.ts';
import type { Side, ThroughLeg } from './through-leg.ts';
import type { TransferInput } from './transfer-state.ts';

export interface TransferTarget {
  /** For the trace. */
  readonly name: string;
  /** Its media, once it has answered. */
  readonly session: MediaSession | undefined;
  /** Begins; `ringing`, `answered`, `failed` and `left` are fed. */
  place(feed: (input: TransferInput) => void): void;
  /** It talks with the transferee. */
  joined(): void;
  /** It was not reached, and the transfer is over. */
  failed(): void;
  /** Gives it up, or hangs it up. */
  drop(why: string): void;
}

export type TargetOrder = Omit<ChildOrder, 'script'> & {
  /** Seconds that it may last from its answer. */
  readonly timeLimitS: number;
};

/** A call of its own that belongs to the transferred one. */
export class CalledTarget implements TransferTarget {
  readonly #parent: Call;
  readonly #order: TargetOrder;
  readonly #record: (call: Call, session: MediaSession) => void;
  #child: Call | undefined;

  /** @param record once it talks, where that is wanted */
  constructor(parent: Call, order: TargetOrder, record: (call: Call, session: MediaSession) => void) {
    this.#parent = parent;
    this.#order = order;
    this.#record = record;
  }

  get name(): string {
    return this.#order.to;
  }

  get session(): MediaSession | undefined {
    return this.#child?.session;
  }

  place(feed: (input: TransferInput) => void): void {
    this.#child = this.#parent.place({ ...this.#order, script: this.#script(feed) });
  }

  joined(): void {
    const { session } = this;
    if (this.#child && session) this.#record(this.#child, session);
  }

  failed(): void {}

  drop(why: string): void {
    this.#child?.giveUp(why);
  }

  #script(feed: (input: TransferInput) => void): CallScript {
    return {
      timeLimitS: this.#order.timeLimitS,
      ringing: () => feed({ type: 'ringing' }),
      early: () => feed({ type: 'ringing' }),
      connected: () => feed({ type: 'answered' }),
      redirected: () => feed({ type: 'left', party: 'target' }),
      ended: (_child, ending) => feed({ type: 'failed', status: refusalOf(ending).status }),
    };
  }
}

/** A PBX's second call, whose far party the first one's is joined with. */
export interface OtherCall {
  readonly call: Call;
  readonly leg: ThroughLeg;
  readonly pbx: Side;
  /** It has ended. */
  whenEnded(then: () => void): void;
}

/** Whom the other party is to talk with. */
interface Transferee {
  readonly session: MediaSession | undefined;
  /** Of its call. */
  readonly family: string;
  /** They talk. */
  joined(): void;
}

export class OtherParty implements TransferTarget {
  readonly #other: OtherCall;
  readonly #transferee: Transferee;
  #isJoined = false;
  /** The PBX has hung up the call that it gives away. */
  #isAlone = false;
  /** The two are not joined after all. */
  #isOver = false;

  constructor(other: OtherCall, transferee: Transferee) {
    this.#other = other;
    this.#transferee = transferee;
  }

  get name(): string {
    return `the other party of ${this.#other.call.row.sid}`;
  }

  get session(): MediaSession | undefined {
    return this.#far.session;
  }

  get #far() {
    const { leg, pbx } = this.#other;
    return leg.party(pbx === 'caller' ? 'callee' : 'caller');
  }

  place(feed: (input: TransferInput) => void): void {
    const { call, leg, pbx } = this.#other;
    this.#other.whenEnded(() => feed({ type: 'failed', status: 480 }));
    leg.watch({
      left: (side, why) => (side === pbx ? this.#leave() : call.end(why)),
      closing() {},
    });
    leg.hold();
    if (this.#isBeside()) return feed({ type: 'answered' });
    void this.#far.moveTo(this.#transferee.family).then((isMoved) => {
      if (!this.#isOver) return feed(isMoved ? { type: 'answered' } : { type: 'failed', status: 500 });
      return isMoved ? this.#moveBack() : undefined;
    });
  }

  joined(): void {
    const { call } = this.#other;
    this.#isJoined = true;
    this.#leave();
    this.#transferee.joined();
    call.note('call', 'is joined with another call of the PBX, which leaves');
  }

  failed(): void {
    const { call, leg } = this.#other;
    this.#isOver = true;
    if (call.ended) return;
    leg.watch(undefined);
    if (this.#isAlone) call.end('the PBX hung up, and who was to talk with its party could not');
    else leg.rejoin();
  }

  /** Before the two are joined, the PBX keeps the call that it wanted to give away. */
  drop(why: string): void {
    if (this.#isJoined) this.#other.call.end(why);
    else this.failed();
  }

  /** It has moved for nothing: the PBX, whom it is to talk with again, is where it was before. */
  async #moveBack(): Promise<void> {
    const { call, leg } = this.#other;
    if (call.ended) return;
    if (await this.#far.moveTo(call.family)) leg.rejoin();
    else call.end('its party could not be brought back to the PBX');
  }

  #leave(): void {
    const { call, leg, pbx } = this.#other;
    if (this.#isAlone) return;
    this.#isAlone = true;
    leg.letGo(pbx, call.byeHeaders);
  }

  /** Sessions of one worker can be bridged, whatever families they are of. */
  #isBeside(): boolean {
    const there = this.session;
    const here = this.#transferee.session;
    try {
      if (!here || !there) return false;
      here.bridge(there);
      return true;
    } catch (error) {
      if (error instanceof MediaError) return false;
      throw error;
    }
  }
}
