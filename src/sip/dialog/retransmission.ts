// A response of ours that is sent until the peer acknowledges it: the shell around success-response.ts.
import type { Stack } from '../stack.ts';
import { Runner } from '../transaction/runner.ts';
import type { Timers } from '../transaction/timers.ts';
import {
  SUCCESS_RESPONSE,
  type SuccessResponseInput,
  type SuccessResponseState,
  stepSuccessResponse,
} from './success-response.ts';

export class Retransmission {
  readonly #runner: Runner<SuccessResponseState, SuccessResponseInput>;

  /** The first copy has been sent. `again` sends it once more; `missing` hears that nothing came for 64·T1. */
  constructor({ clock }: Stack, timers: Timers, again: () => void, missing: () => void) {
    this.#runner = new Runner<SuccessResponseState, SuccessResponseInput>({
      clock,
      timers,
      initial: SUCCESS_RESPONSE,
      step: stepSuccessResponse,
      perform: (action) => {
        if (action.type === 'send') again();
        else if (action.type === 'fail') missing();
      },
    });
    this.#runner.feed({ type: 'start' });
  }

  acknowledged(): void {
    this.#runner.feed({ type: 'ack' });
  }

  dispose(): void {
    this.#runner.dispose();
  }
}
