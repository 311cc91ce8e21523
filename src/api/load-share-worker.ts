// The thread that draws: one task, one answer.
import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom, systemRandom } from '../lib/random.ts';
import { countDraws, type Target } from '../routing/index.ts';

export interface LoadShareTask {
  readonly targets: readonly Target[];
  readonly selections: number;
  /** The same draws for the same seed. */
  readonly seed?: number;
}

const { targets, selections, seed } = workerData as LoadShareTask;
const random = seed === undefined ? systemRandom() : seededRandom(seed);
parentPort?.postMessage(countDraws(targets, selections, random));
