// The shell around a pure machine: keeps its state and its timers, and leaves what else it asks for to whoever extends
// it. Thousands wait at once, so that machine and transaction are one object.
import type { SipMessage } from '../message/message.ts';
import type { Timers } from '../timers.ts';
import type { Alarm, Alarms } from './alarms.ts';
import type { OwnerAction, Step, TimerInput, TimerName } from './machine.ts';

/** What all runners of a kind share. */
export interface Machine<State, Input> {
  readonly initial: State;
  // Pure. A method, so that a runner may hold machines of several kinds of state: it only hands back what it was given.
  step(state: State, input: Input | TimerInput, timers: Timers): Step<State>;
}

export abstract class Runner<Input> {
  readonly #machine: Machine<unknown, Input>;
  readonly #timers: Timers;
  /** The first of those that run, linked by `other`: mostly one or two. */
  #running: Alarm | undefined;
  #state: unknown;
  #over = false;

  protected constructor(machine: Machine<unknown, Input>, timers: Timers) {
    this.#machine = machine;
    this.#timers = timers;
    this.#state = machine.initial;
  }

  protected abstract get alarms(): Alarms;

  /** Does what the machine asks for; `message` is that of the input. */
  protected abstract perform(action: OwnerAction, message: SipMessage | undefined): void;

  protected feed(input: Input | TimerInput, message?: SipMessage): void {
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
          this.perform(action, message);
        } catch (error) {
          thrown ??= { error };
        }
      }
    }
    // Only now: a handler that throws must not keep the transaction from its timers and its end.
    if (thrown) throw thrown.error;
  }

  /** For the alarms alone. */
  rang(timer: TimerName): void {
    this.#forget(timer);
    this.feed({ type: 'timer', timer });
  }

  /** Ends without a word: no timer is left, no input does anything. */
  dispose(): void {
    this.#over = true;
    for (let alarm = this.#running; alarm; alarm = alarm.other) this.alarms.stop(alarm);
    this.#running = undefined;
  }

  #set(name: TimerName, delayMs: number): void {
    // What a `pass` led to may have ended this already.
    if (this.#over) return;
    this.#stop(name);
    const alarm = this.alarms.set(delayMs, name, this);
    alarm.other = this.#running;
    this.#running = alarm;
  }

  #stop(name: TimerName): void {
    const alarm = this.#forget(name);
    if (alarm) this.alarms.stop(alarm);
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
