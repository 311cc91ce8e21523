// Hours of hostile messages in minutes: the fuzz of `npm test` at full length. `node soak/sip.ts [messages] [seconds]`
// prints progress on stderr and one JSON line on stdout; exits 1 when anything was thrown, slow, or kept.
import { seededRandom } from '../src/lib/random.ts';
import { fuzz, tortureMessages } from '../test/sip/fuzz.ts';
import { heapBytes } from './heap.ts';

const BATCH = 100_000;
/** What a process may grow by that has compiled and cached all it needs. */
const MAX_GROWTH_BYTES = 4 * 1024 * 1024;

export interface SoakResult {
  readonly name: 'sip';
  readonly mutated: number;
  readonly accepted: number;
  readonly slow: number;
  /** The first few of them. */
  readonly slowest: readonly string[];
  readonly messagesPerSecond: number;
  readonly heapGrowthBytes: number;
  readonly passed: boolean;
}

export function soak(count: number, maxMs: number): SoakResult {
  const messages = tortureMessages();
  const random = seededRandom(2026);
  const slow: string[] = [];
  let [mutated, accepted, elapsedMs] = [0, 0, 0];
  let startBytes = 0;
  while (mutated < count && elapsedMs < maxMs) {
    const batch = fuzz(messages, { count: Math.min(BATCH, count - mutated) }, random);
    mutated += batch.mutated;
    accepted += batch.accepted;
    elapsedMs += batch.elapsedMs;
    slow.push(...batch.slow);
    // The first batch warms up.
    startBytes ||= heapBytes();
    process.stderr.write(`\r${mutated} messages, ${accepted} accepted, ${Math.round(elapsedMs / 1000)} s`);
  }
  process.stderr.write('\n');
  const heapGrowthBytes = heapBytes() - startBytes;
  return {
    name: 'sip',
    mutated,
    accepted,
    slow: slow.length,
    slowest: slow.slice(0, 3),
    messagesPerSecond: Math.round((mutated * 1000) / elapsedMs),
    heapGrowthBytes,
    passed: slow.length === 0 && heapGrowthBytes < MAX_GROWTH_BYTES,
  };
}

if (import.meta.main) {
  const [count = '10000000', seconds = '86400'] = process.argv.slice(2);
  const result = soak(Number(count), Number(seconds) * 1000);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (!result.passed) process.exitCode = 1;
}
