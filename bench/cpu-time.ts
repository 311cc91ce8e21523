// CPU time of another process from /proc: user and system time of all its threads.
import { readFileSync } from 'node:fs';

/** Linux counts in ticks of 10 ms on every machine we know (`getconf CLK_TCK`). */
const TICK_MS = 10;

/** Milliseconds of CPU that process `pid` has used since it started. */
export function cpuTimeMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
