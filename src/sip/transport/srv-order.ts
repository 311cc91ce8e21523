// The order in which SRV records are tried (RFC 2782): priority first, then a draw by weight.
import type { Random } from '../../lib/random.ts';

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export function inSrvOrder<T extends SrvRecord>(records: readonly T[], random: Random): T[] {
  const left = records.toSorted((a, b) => a.priority - b.priority);
  const ordered: T[] = [];
  while (left.length > 0) {
    const group = left.filter(({ priority }) => priority === left[0]?.priority);
    const drawn = draw(group, random);
    ordered.push(drawn);
    left.splice(left.indexOf(drawn), 1);
  }
  return ordered;
}

/** Beside others, weight 0 is drawn only when chance says 0: it stands first in the running sum. */
function draw<T extends SrvRecord>(group: readonly T[], random: Random): T {
  const total = group.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return group[Math.floor(random.fraction() * group.length)] as T;
  const threshold = Math.floor(random.fraction() * (total + 1));
  let sum = 0;
  return group
    .toSorted((a, b) => a.weight - b.weight)
    .find(({ weight }) => (sum += weight) >= threshold) as T;
}
