import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../lib/random.ts';
import { inSrvOrder } from './srv-order.ts';

const record = (name: string, priority: number, weight: number) => ({ name, priority, weight, port: 5060 });
const names = (records: readonly { readonly name: string }[]): string =>
  records.map(({ name }) => name).join('');

describe('SRV order', () => {
  it('goes by priority, whatever the weights', () => {
    const records = [record('c', 30, 9), record('a', 10, 0), record('b', 20, 5)];
    for (let seed = 0; seed < 20; seed++) expect(names(inSrvOrder(records, seededRandom(seed)))).toBe('abc');
  });

  it('draws by weight within a priority', () => {
    const records = [record('a', 1, 60), record('b', 1, 20), record('c', 1, 20), record('d', 2, 1)];
    const random = seededRandom(7);
    const first: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (let draw = 0; draw < 10_000; draw++) {
      const order = names(inSrvOrder(records, random));
      expect(order.at(-1)).toBe('d');
      first[order[0] as string] = (first[order[0] as string] ?? 0) + 1;
    }
    expect(first.a).toBeGreaterThan(5800);
    expect(first.a).toBeLessThan(6200);
    expect(first.b).toBeGreaterThan(1800);
    expect(first.c).toBeGreaterThan(1800);
  });

  it('draws any of several zeros', () => {
    const random = seededRandom(9);
    const records = ['a', 'b', 'c'].map((name) => record(name, 1, 0));
    const orders = Array.from({ length: 200 }, () => names(inSrvOrder(records, random)));
    expect(new Set(orders).size).toBe(6);
  });

  it('hardly ever draws weight 0 before another', () => {
    const random = seededRandom(8);
    const mixed = Array.from({ length: 1000 }, () =>
      names(inSrvOrder([record('z', 1, 0), record('a', 1, 99)], random)),
    );
    const zeroFirst = mixed.filter((order) => order === 'za').length;
    expect(zeroFirst).toBeGreaterThan(0);
    expect(zeroFirst).toBeLessThan(40);
  });

  it('keeps every record, also of none', () => {
    expect(inSrvOrder([], seededRandom(1))).toEqual([]);
    const many = Array.from({ length: 50 }, (_, index) => record(`${index}`, index % 3, index % 5));
    expect(inSrvOrder(many, seededRandom(2))).toHaveLength(50);
    expect(new Set(inSrvOrder(many, seededRandom(2)))).toEqual(new Set(many));
  });
});
