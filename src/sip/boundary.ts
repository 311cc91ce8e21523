// Where what a timer or a socket led to is caught: it is logged, and neither the process nor another call notices.
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

/** Runs a task; what it throws goes to the log. */
export type Boundary = (task: () => void) => void;

export const boundaryOf =
  (log: Log): Boundary =>
  (task) => {
    try {
      task();
    } catch (error) {
      log.error({ error }, 'a SIP timer or its handler failed');
    }
  };

/** The same clock, with every timer inside the boundary. */
export const guardedClock = (clock: Clock, boundary: Boundary): Clock => ({
  now: () => clock.now(),
  monotonic: () => clock.monotonic(),
  after: (delayMs, task) => clock.after(delayMs, () => boundary(task)),
  cancel: (timer) => clock.cancel(timer),
});
