// The shell around a pure machine: keeps its state and its timers, and hands the other actions to its owner.
import type { Clock, Timer } from '../../lib/clock.ts';
import type { OwnerAction, StepFunction, TimerInput, TimerName } from './machine.ts';
import type { Timers } from './timers.ts';

export interface RunnerOptions<State, Input> {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly initial: State;
  readonly step: StepFunction<State, Input>;
  readonly perform: (action: OwnerAction) => void;
}

/** What an owner does with a runner, whatever its machine. */
export interface Running<Input> {
  feed(input: Input): void;
  dispose(): void;
}

export class Runner<State, Input> implements Running<Input> {
  readonly #options: RunnerOptions<State, Input | TimerInput>;
  readonly #running = new Map<TimerName, Timer>();
  #state: State;
  #over = false;

  constructor(options: RunnerOptions<State, Input | TimerInput>) {
    this.#options = options;
    this.#state = options.initial;
  }

  feed(input: Input | TimerInput): void {
    if (this.#over) return;
    const { step, timers, perform } = this.#options;
    const { state, actions } = step(this.#state, input, timers);
    this.#state = state;
    const thrown: unknown[] = [];
    for (const action of actions) {
      if (action.type === 'set') this.#set(action.timer, action.delayMs);
      else if (action.type === 'stop') this.#stop(action.timer);
      else {
        if (action.type === 'end') this.dispose();
        try {
          perform(action);
        } catch (error) {
          thrown.push(error);
        }
      }
    }
    // Only now: a handler that throws must not keep the transaction from its timers and its end.
    if (thrown.length > 0) throw thrown[0];
  }

  /** Ends without a word: no timer is left, no input does anything. */
  dispose(): void {
    this.#over = true;
    for (const timer of this.#running.values()) this.#options.clock.cancel(timer);
    this.#running.clear();
  }

  #set(name: TimerName, delayMs: number): void {
    // What a `pass` led to may have ended this already.
    if (this.#over) return;
    this.#stop(name);
    const fire = (): void => {
      this.#running.delete(name);
      this.feed({ type: 'timer', timer: name });
    };
    this.#running.set(name, this.#options.clock.after(delayMs, fire));
  }

  #stop(name: TimerName): void {
    const timer = this.#running.get(name);
    if (timer === undefined) return;
    this.#options.clock.cancel(timer);
    this.#running.delete(name);
  }
}
