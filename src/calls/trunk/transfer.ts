// One transfer under way: performs what transfer-state decides, on the call's leg, its record and the target.
import type { Clock, Timer } from '../../lib/clock.ts';
import { MediaError } from '../../media/index.ts';
import type { Call } from '../call.ts';
import type { Side, ThroughLeg } from './through-leg.ts';
import {
  beginTransfer,
  stepTransfer,
  type TransferAction,
  type TransferInput,
  type TransferState,
  type TransferStep,
} from './transfer-state.ts';
import type { TransferTarget } from './transfer-target.ts';

export interface TransferGivens {
  readonly clock: Clock;
  readonly call: Call;
  readonly leg: ThroughLeg;
  /** Which of the call's parties asked for it. */
  readonly transferor: Side;
  readonly target: TransferTarget;
  /** It has failed, and the call is as it was before. */
  restored(): void;
}

/** Twilio: how long the transferor may take to hang up. */
const BYE_MS = 32_000;

export class Transfer {
  readonly #givens: TransferGivens;
  readonly #transferee: Side;
  #state: TransferState;
  /** Comes while actions are performed. */
  readonly #inputs: TransferInput[] = [];
  #isPerforming = false;
  #overdue: Timer | undefined;

  constructor(givens: TransferGivens) {
    this.#givens = givens;
    this.#transferee = givens.transferor === 'caller' ? 'callee' : 'caller';
    this.#state = beginTransfer().state;
  }

  begin(): void {
    const { leg, transferor } = this.#givens;
    leg.watch({
      left: (side) => this.#left(side === transferor ? 'transferor' : 'transferee'),
      closing: () => this.#left('transferee'),
    });
    this.#go(beginTransfer());
    this.#takeInputs();
  }

  readonly feed = (input: TransferInput): void => {
    this.#inputs.push(input);
    if (!this.#isPerforming) this.#takeInputs();
  };

  #takeInputs(): void {
    for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
      this.#go(stepTransfer(this.#state, next));
    }
  }

  #left(party: 'transferor' | 'transferee'): void {
    const { clock, leg, transferor, call } = this.#givens;
    if (party === 'transferor') {
      clock.cancel(this.#overdue);
      leg.letGo(transferor, call.byeHeaders);
    }
    this.feed({ type: 'left', party });
  }

  #go({ state, actions }: TransferStep): void {
    this.#state = state;
    this.#isPerforming = true;
    if (state.phase === 'over') this.#givens.clock.cancel(this.#overdue);
    for (const action of actions) this.#perform(action);
    this.#isPerforming = false;
  }

  #perform(action: TransferAction): void {
    const { clock, call, leg, transferor, target } = this.#givens;
    switch (action.type) {
      case 'hold':
        return leg.hold();
      case 'place':
        return target.place(this.feed);
      case 'tell':
        return leg.party(transferor).referProgress(action.status);
      case 'tone':
        return void this.#session?.play({ kind: 'ringback' }).catch(() => {});
      case 'join':
        return this.#join();
      case 'await-bye':
        this.#overdue = clock.after(BYE_MS, () => this.feed({ type: 'overdue' }));
        return;
      case 'release':
        return leg.letGo(transferor, call.byeHeaders);
      case 'restore':
        return this.#restore();
      case 'drop':
        return target.drop(action.why);
      case 'end':
        return call.end(action.why);
    }
  }

  /** Of the transferee. */
  get #session() {
    return this.#givens.leg.party(this.#transferee).session;
  }

  #join(): void {
    const { call, target } = this.#givens;
    const session = this.#session;
    session?.stopPlaying();
    try {
      if (target.session) session?.bridge(target.session);
      target.joined();
      call.note('call', `is transferred to ${target.name}`);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      call.end(`no bridge: ${error.message}`);
    }
  }

  #restore(): void {
    const { call, leg, target } = this.#givens;
    this.#session?.stopPlaying();
    target.failed();
    leg.watch(undefined);
    leg.rejoin();
    call.note('call', `was not transferred to ${target.name}: the call goes on`);
    this.#givens.restored();
  }
}
