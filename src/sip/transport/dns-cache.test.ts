import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { cachedResolver } from './dns-cache.ts';
import type { AddressRecord, DnsResolver } from './locate.ts';

let clock: FakeClock;
let asked: string[];
let answers: Record<string, () => Promise<readonly AddressRecord[]>>;

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  answers = {};
});

const fail = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));
const ok =
  (ttl: number, address = '192.0.2.1') =>
  () =>
    Promise.resolve([{ address, ttl }]);
const ADDRESS = { ttl: true } as const;

function cache(maxEntries = 100): DnsResolver {
  const ask = (name: string): Promise<readonly never[]> => {
    asked.push(name);
    return (answers[name] ?? fail('ENOTFOUND'))() as Promise<readonly never[]>;
  };
  return cachedResolver(
    { resolve4: ask, resolve6: ask, resolveSrv: ask, resolveNaptr: ask },
    { clock, maxEntries },
  );
}

describe('the memory of the DNS', () => {
  it('keeps addresses for their TTL, the shortest of them, under any spelling', async () => {
    answers.h = () =>
      Promise.resolve([
        { address: '192.0.2.1', ttl: 60 },
        { address: '192.0.2.2', ttl: 20 },
      ]);
    const resolver = cache();
    expect(await resolver.resolve4('h', ADDRESS)).toHaveLength(2);
    clock.advance(19_999);
    expect(await resolver.resolve4('H', ADDRESS)).toHaveLength(2);
    expect(asked).toEqual(['h']);
    clock.advance(1);
    await resolver.resolve4('h', ADDRESS);
    expect(asked).toEqual(['h', 'h']);
    expect(clock.pending).toBe(0);
  });

  it('keeps types apart', async () => {
    answers.h = ok(60);
    const resolver = cache();
    await Promise.all([
      resolver.resolve4('h', ADDRESS),
      resolver.resolve6('h', ADDRESS),
      resolver.resolveSrv('h'),
      resolver.resolveNaptr('h'),
    ]);
    expect(asked).toHaveLength(4);
  });

  it.each([
    ['a TTL beyond the hour', ok(1e9), 3_600_000],
    ['a TTL of 0', ok(0), 0],
    ['an absent name', fail('ENOTFOUND'), 30_000],
    ['an absent type', fail('ENODATA'), 30_000],
    ['an empty answer', () => Promise.resolve([]), 30_000],
    ['a failure', fail('ESERVFAIL'), 2000],
  ])('keeps %s for its time', async (_, answer, keptMs) => {
    answers.h = answer;
    const resolver = cache();
    const ask = () => resolver.resolve4('h', ADDRESS).catch((error: Error) => error.message);
    const first = await ask();
    if (keptMs > 0) {
      clock.advance(keptMs - 1);
      expect(await ask()).toEqual(first);
      expect(asked).toHaveLength(1);
      clock.advance(1);
    }
    await ask();
    expect(asked).toHaveLength(2);
  });

  it('asks once for all who ask at once', async () => {
    answers.h = ok(0);
    const resolver = cache();
    const all = await Promise.all(Array.from({ length: 50 }, () => resolver.resolve4('h', ADDRESS)));
    expect(all.every((each) => each === all[0])).toBe(true);
    expect(asked).toEqual(['h']);
  });

  it('forgets the name that was asked for least recently', async () => {
    const resolver = cache(3);
    for (const name of ['a', 'b', 'c', 'a', 'd']) {
      answers[name] = ok(600);
      await resolver.resolve4(name, ADDRESS);
    }
    asked = [];
    for (const name of ['a', 'c', 'd', 'b']) await resolver.resolve4(name, ADDRESS);
    expect(asked).toEqual(['b']);
  });

  it('gives up on a resolver that hangs, for everybody who waits', async () => {
    answers.h = () => new Promise(() => {});
    const resolver = cache();
    const waiting = [resolver.resolve4('h', ADDRESS), resolver.resolve4('h', ADDRESS)];
    clock.advance(5000);
    for (const each of waiting) await expect(each).rejects.toMatchObject({ code: 'ETIMEOUT' });
    expect(asked).toEqual(['h']);
    expect(clock.pending).toBe(0);
  });
});
