// A response of ours that is sent until the peer acknowledges it: the shell around success-response.ts.
import type { Stack } from '../stack.ts';
import type { Timers } from '../timers.ts';
import type { OwnerAction } from '../transaction/machine.ts';
import { type Machine, type Owner, Runner } from '../transaction/runner.ts';
import {
  SUCCESS_RESPONSE,
  type SuccessResponseInput,
  type SuccessResponseState,
  stepSuccessResponse,
} from './success-response.ts';

const MACHINE: Machine<SuccessResponseState, SuccessResponseInput> = {
  initial: SUCCESS_RESPONSE,
  step: stepSuccessResponse,
};

export class Retransmission implements Owner {
  readonly #again: () => void;
  readonly #missing: () => void;
  readonly #runner: Runner<SuccessResponseState, SuccessResponseInput>;

  /** The first copy has been sent. `again` sends it once more; `missing` hears that nothing came for 64·T1. */
  constructor({ alarms }: Stack, timers: Timers, again: () => void, missing: () => void) {
    this.#again = again;
    this.#missing = missing;
    this.#runner = new Runner(MACHINE, alarms, timers, this);
    this.#runner.feed({ type: 'start' });
  }

  perform(action: OwnerAction): void {
    if (action.type === 'send') this.#again();
    else if (action.type === 'fail') this.#missing();
  }

  acknowledged(): void {
    this.#runner.feed({ type: 'ack' });
  }

  dispose(): void {
    this.#runner.dispose();
  }
}
