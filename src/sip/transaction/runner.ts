// The shell around a pure machine: keeps its state and its timers, and hands the other actions to its owner.

import type { Timers } from '../timers.ts';
import type { Alarm, Alarms } from './alarms.ts';
import type { OwnerAction, StepFunction, TimerInput, TimerName } from './machine.ts';

/** What all runners of a kind share. */
export interface Machine<State, Input> {
  readonly initial: State;
  readonly step: StepFunction<State, Input | TimerInput>;
}

/** Whose transaction it is. */
export interface Owner {
  perform(action: OwnerAction): void;
}

/** What an owner does with a runner, whatever its machine. */
export interface Running<Input> {
  feed(input: Input): void;
  dispose(): void;
}

export class Runner<State, Input> implements Running<Input> {
  readonly #machine: Machine<State, Input>;
  readonly #alarms: Alarms;
  readonly #timers: Timers;
  readonly #owner: Owner;
  /** The first of those that run, linked by `other`: mostly one or two. */
  #running: Alarm | undefined;
  #state: State;
  #over = false;

  constructor(machine: Machine<State, Input>, alarms: Alarms, timers: Timers, owner: Owner) {
    this.#machine = machine;
    this.#alarms = alarms;
    this.#timers = timers;
    this.#owner = owner;
    this.#state = machine.initial;
  }

  feed(input: Input | TimerInput): void {
    if (this.#over) return;
    const { state, actions } = this.#machine.step(this.#state, input, this.#timers);
    this.#state = state;
    let thrown: { readonly error: unknown } | undefined;
    for (const action of actions) {
      if (action.type === 'set') this.#set(action.timer, action.delayMs);
      else if (action.type === 'stop') this.#stop(action.timer);
      else {
        if (action.type === 'end') this.dispose();
        try {
          this.#owner.perform(action);
        } catch (error) {
          thrown ??= { error };
        }
      }
    }
    // Only now: a handler that throws must not keep the transaction from its timers and its end.
    if (thrown) throw thrown.error;
  }

  rang(timer: TimerName): void {
    this.#forget(timer);
    this.feed({ type: 'timer', timer });
  }

  /** Ends without a word: no timer is left, no input does anything. */
  dispose(): void {
    this.#over = true;
    for (let alarm = this.#running; alarm; alarm = alarm.other) this.#alarms.stop(alarm);
    this.#running = undefined;
  }

  #set(name: TimerName, delayMs: number): void {
    // What a `pass` led to may have ended this already.
    if (this.#over) return;
    this.#stop(name);
    const alarm = this.#alarms.set(delayMs, name, this);
    alarm.other = this.#running;
    this.#running = alarm;
  }

  #stop(name: TimerName): void {
    const alarm = this.#forget(name);
    if (alarm) this.#alarms.stop(alarm);
  }

  #forget(name: TimerName): Alarm | undefined {
    let before: Alarm | undefined;
    for (let alarm = this.#running; alarm; alarm = alarm.other) {
      if (alarm.name === name) {
        if (before) before.other = alarm.other;
        else this.#running = alarm.other;
        return alarm;
      }
      before = alarm;
    }
    return undefined;
  }
}
