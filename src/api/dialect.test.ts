// Dates as the two APIs write them, however many there are.
import { expect, it } from 'vitest';
import { byocTrunk, domain } from '../resources/index.ts';
import { dialectOf } from './dialect.ts';

it.each([
  ['v1', byocTrunk, (at: Date) => at.toISOString().replace(/\.\d+/, '')],
  ['2010-04-01', domain, (at: Date) => at.toUTCString().replace('GMT', '+0000')],
])('%s writes each second’s date, the second time too', (_name, definition, expected) => {
  const { formatDate } = dialectOf(definition);
  const times = Array.from({ length: 2500 }, (_, index) => Date.UTC(2026, 0, 2, 3, 4, 5) + index * 999);
  for (const ms of [...times, ...times.toReversed()]) expect(formatDate(ms)).toBe(expected(new Date(ms)));
});
