// The token bucket: bursts, refilling, and what a client is told.
import { describe, expect, it } from 'vitest';
import { startApi } from '../../test/support/api-server.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { draw, RateLimit } from './rate-limit.ts';

/** The waits of requests at these times, on one bucket. */
function waits(perSecond: number, timesMs: readonly number[]): readonly number[] {
  let bucket: Parameters<typeof draw>[0];
  return timesMs.map((nowMs) => {
    const drawn = draw(bucket, perSecond, nowMs);
    bucket = drawn.bucket;
    return Math.round(drawn.waitMs);
  });
}

describe('a bucket', () => {
  it.each([
    ['passes a second’s worth at once, then refuses', 3, [0, 0, 0, 0], [0, 0, 0, 333]],
    ['fills again with time', 2, [0, 0, 499, 500, 500, 1000], [0, 0, 1, 0, 500, 0]],
    ['never holds more than a second’s worth', 2, [0, 100_000, 100_000, 100_000], [0, 0, 0, 500]],
    ['makes nobody wait longer for asking again', 1, [0, 100, 200, 300, 1000], [0, 900, 800, 700, 0]],
    [
      'lets through exactly its rate',
      10,
      Array.from({ length: 30 }, (_, index) => index * 100),
      Array(30).fill(0),
    ],
  ])('%s', (_name, perSecond, timesMs, expected) => {
    expect(waits(perSecond, timesMs)).toEqual(expected);
  });

  it('is each account’s own', () => {
    const limit = new RateLimit(1, new FakeClock());
    limit.admit('AC1');
    expect(() => limit.admit('AC1')).toThrow(expect.objectContaining({ status: 429, code: 20429 }));
    limit.admit('AC2');
  });
});

describe('the API', () => {
  it('answers 429 with Retry-After, to this account only, and not to who is not known', async () => {
    const { ask, client, stranger } = await startApi({ requestsPerSecond: 1 });
    expect(await client.voice.v1.byocTrunks.list()).toEqual([]);
    const refused = await ask('/v1/ByocTrunks');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(refused.headers.get('twilio-request-id')).toMatch(/^RQ/);
    expect(await refused.json()).toEqual({
      code: 20429,
      message: 'Too Many Requests',
      more_info: 'https://www.twilio.com/docs/errors/20429',
      status: 429,
    });
    expect(await stranger.voice.v1.byocTrunks.list()).toEqual([]);
    expect((await ask('/v1/ByocTrunks', { headers: { authorization: '' } })).status).toBe(401);
    expect((await ask('/healthz')).status).toBe(200);
  });

  it('limits nobody by default', async () => {
    const { ask } = await startApi();
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask('/v1/ByocTrunks')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });
});
