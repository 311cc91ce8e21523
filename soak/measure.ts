// What soaks measure: memory, sockets and timers of this process, and whether they stay as they were.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tandem } from '../src/tandem.ts';
import type { CountingClock } from '../test/support/counting-clock.ts';
import { timersOf } from '../test/support/exchange.ts';
import { heapBytes } from './heap.ts';

/** Figures by name. `done` is how many calls there have been, `heapBytes` what is held after a collection. */
export type Sample = Readonly<Record<string, number>>;

export interface Judged {
  /** Medians of the second third of the time, and of the last. */
  readonly middle: Sample;
  readonly end: Sample;
  readonly isFlat: boolean;
}

/** Of the exchange, where tests do not say otherwise. */
const RTP_PORTS = { first: 20_000, last: 29_999 };
/** The heap may grow by so much and by so much a call: a trace, a timer or a dialog that stays of each takes more. */
const HEAP_BYTES = 6e6;
const HEAP_BYTES_PER_CALL = 150;
/** Of everything else there may be so many more: rates are not quite even. */
const MORE = { share: 0.25, count: 50 };
const SETTLED_MS = 34_000;
const STRAY_WAITS = 100;

export const sampleOf = (tandem: Tandem, clock: CountingClock): Sample => ({
  heapBytes: heapBytes(),
  handles: process.getActiveResourcesInfo().length,
  timers: clock.pending,
  ...tandem.counts(),
});

/** Whether nothing grew from the second third of the samples to the last, but the heap by what its calls may take. */
export function judge(samples: readonly Sample[]): Judged {
  const third = Math.floor(samples.length / 3);
  const middle = medians(samples.slice(third, 2 * third));
  const end = medians(samples.slice(-third));
  const { done = 0, heapBytes: endBytes = 0, ...rest } = end;
  const grown = endBytes - (middle.heapBytes ?? 0);
  const isHeapFlat = grown < HEAP_BYTES + HEAP_BYTES_PER_CALL * (done - (middle.done ?? 0));
  const isFlat =
    isHeapFlat &&
    Object.entries(rest).every(([name, value]) => {
      const before = middle[name] ?? 0;
      return value <= before + before * MORE.share + MORE.count;
    });
  return { middle, end, isFlat };
}

function medians(samples: readonly Sample[]): Sample {
  const names = Object.keys(samples[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const values = samples.map((sample) => sample[name] ?? 0).toSorted((a, b) => a - b);
      return [name, values[Math.floor(values.length / 2)] ?? 0];
    }),
  );
}

/**
 * Until no call is left and every transaction has absorbed what it had to; says how many timers belong to none of them.
 * @param hurry fires those timers instead of waiting 64·T1 for them
 */
export async function settle(tandem: Tandem, clock: CountingClock, hurry: boolean): Promise<number> {
  while (tandem.counts().calls > 0) await sleep(20);
  // A dialog waits for the answer to its BYE, a target that is down for its check.
  const stray = () => Math.max(0, timersOf(tandem, clock) - tandem.counts().transactions);
  for (let waits = 0; waits < STRAY_WAITS && stray() > 0; waits++) await sleep(50);
  const strayTimers = stray();
  await absorb(clock, hurry);
  return strayTimers;
}

/** Until transactions have absorbed what they had to: 64·T1, or at once. */
export async function absorb(clock: CountingClock, hurry: boolean): Promise<void> {
  if (!hurry) return sleep(SETTLED_MS);
  for (let turn = 0; turn < 100 && clock.pending > 0; turn++) {
    // Of the transactions that share a timer of the clock, each time the first one's rings.
    for (let each = 0; each < 100; each++) clock.hurry();
    await sleep(20);
  }
}

/** RTP ports of the exchange that this process holds, by the kernel's word. */
export function openRtpPorts(): number {
  const sockets = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? [];
    } catch {
      return []; // closed meanwhile
    }
  });
  const own = new Set(sockets);
  const rows = readFileSync('/proc/self/net/udp', 'utf8').trim().split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , , , , , , , inode]) => own.has(inode ?? ''))
    .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16))
    .filter((port) => port >= RTP_PORTS.first && port <= RTP_PORTS.last).length;
}
