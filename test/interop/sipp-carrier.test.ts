// SIPp as the carrier: its built-in UAS, and scenarios that refuse, ring out, hang up, and lose packets.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { hasSipp, type Sipp, startSipp } from './sipp.ts';
import { CALLEES } from './sipp-callee.ts';

describe.skipIf(!hasSipp)('a call to SIPp', () => {
  let exchange: Exchange;
  const running: Sipp[] = [];

  beforeEach(async () => {
    exchange = await startExchange();
  });

  afterEach(async () => {
    for (const sipp of running.splice(0)) sipp.stop();
    await exchange.stop();
  });

  async function carrier(xml: string, ...args: string[]): Promise<Sipp> {
    const sipp = await startSipp(['-m', '1', ...args], 'udp', xml);
    running.push(sipp);
    return sipp;
  }

  async function call(targets: readonly Sipp[], timeout = 20): Promise<string> {
    const byoc = await exchange.trunkTo(...targets.map(({ port }) => `sip:127.0.0.1:${port}`));
    return exchange.place(byoc, { twiml: '<Response><Pause length="1"/></Response>', timeout });
  }

  it('is answered and hung up by the exchange', async () => {
    const sipp = await carrier('uas');
    const sid = await call([sipp]);
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(await sipp.exit, sipp.output()).toBe(0);
  });

  it('goes from one that answers 503 to one that answers', async () => {
    const dead = await carrier(CALLEES.refuses('503 Service Unavailable'));
    const alive = await carrier('uas');
    const sid = await call([dead, alive]);
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(await dead.exit, dead.output()).toBe(0);
    expect(await alive.exit, alive.output()).toBe(0);
  });

  it.each([
    ['486 Busy Here', 'busy'],
    ['603 Decline', 'failed'],
    ['404 Not Found', 'failed'],
  ])('ends on %s as %s', async (status, callStatus) => {
    const sipp = await carrier(CALLEES.refuses(status));
    expect((await exchange.ended(await call([sipp]))).status).toBe(callStatus);
    expect(await sipp.exit, sipp.output()).toBe(0);
  });

  it('is canceled when nobody answers', async () => {
    const sipp = await carrier(CALLEES.rings);
    expect((await exchange.ended(await call([sipp], 1))).status).toBe('no-answer');
    expect(await sipp.exit, sipp.output()).toBe(0);
  });

  it('is hung up by SIPp', async () => {
    const sipp = await carrier(CALLEES.hangsUp);
    const sid = await call([sipp]);
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(await sipp.exit, sipp.output()).toBe(0);
    expect((await exchange.trace(sid)).events.map(({ text }) => text)).toContain(
      'completed: the callee hung up',
    );
  });

  it('survives a lossy line', async () => {
    const sipp = await carrier('uas', '-lost', '10');
    expect((await exchange.ended(await call([sipp]))).status).toBe('completed');
    expect(await sipp.exit, sipp.output()).toBe(0);
  });
});
