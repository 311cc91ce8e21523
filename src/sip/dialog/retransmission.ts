// A response of ours that is sent until the peer acknowledges it: the shell around success-response.ts.
import type { Stack } from '../stack.ts';
import type { Timers } from '../timers.ts';
import type { Alarms } from '../transaction/alarms.ts';
import type { OwnerAction } from '../transaction/machine.ts';
import { type Machine, Runner } from '../transaction/runner.ts';
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

export class Retransmission extends Runner<SuccessResponseInput> {
  protected readonly alarms: Alarms;
  readonly #again: () => void;
  readonly #missing: () => void;

  /** The first copy has been sent. `again` sends it once more; `missing` hears that nothing came for 64·T1. */
  constructor({ alarms }: Stack, timers: Timers, again: () => void, missing: () => void) {
    super(MACHINE, timers);
    this.alarms = alarms;
    this.#again = again;
    this.#missing = missing;
    this.feed({ type: 'start' });
  }

  protected perform(action: OwnerAction): void {
    if (action.type === 'send') this.#again();
    else if (action.type === 'fail') this.#missing();
  }

  acknowledged(): void {
    this.feed({ type: 'ack' });
  }
}
