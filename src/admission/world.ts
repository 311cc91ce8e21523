import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';

/** What is handed in. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
}
