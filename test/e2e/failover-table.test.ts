// Every line of the table in docs/failover.md, with real carriers over UDP, TCP and TLS.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CarrierOptions, Treatment } from '../../src/carrier/index.ts';
import { certificateFor } from '../support/certificates.ts';
import { type Exchange, startExchange, type TestCarrier } from '../support/exchange.ts';

const certificate = certificateFor('127.0.0.1');

describe.each(['udp', 'tcp', 'tls'] as const)('over %s', (transport) => {
  let folder: string;
  let exchange: Exchange;
  /** The target after the one that is tried first. */
  let next: TestCarrier;

  const carrier = (options: Partial<CarrierOptions>): Promise<TestCarrier> =>
    exchange.carrier({ transport, tls: certificate, ringMs: 5, ...options });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-table-'));
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, certificate.cert);
    // No target is to be demoted for what another line of the table did at its port.
    exchange = await startExchange({ TANDEM_SIP_CA: ca, TANDEM_HEALTH_FAILURES: '0' });
    next = await carrier({});
  });

  afterAll(async () => {
    await exchange.stop();
    rmSync(folder, { recursive: true });
  });

  const call = async (first: string, options: { readonly timeout?: number } = {}): Promise<string> =>
    exchange.place(await exchange.trunkTo(first, next.uri), {
      twiml: '<Response><Hangup/></Response>',
      ...options,
    });

  /** The call's status and the error in its trace, how each attempt ended, and whether the next target was asked. */
  async function result(sid: string, before: number) {
    const { status } = await exchange.ended(sid);
    const { attempts, events } = await exchange.trace(sid);
    const ending = events.filter(({ kind }) => kind === 'call').at(-1)?.text ?? '';
    const code = /\((\d{5})\)/.exec(ending)?.[1] ?? null;
    return { status, code, results: attempts.map((each) => each.result), asked: next.invites() - before };
  }

  const went = { status: 'completed', code: null, results: ['failed over', 'answered'], asked: 1 };
  const ended = (status: string) => ({ status, code: null, results: ['final'], asked: 0 });

  async function expectOf(treatment: Treatment, expected: object): Promise<void> {
    const first = await carrier({ treatment });
    const before = next.invites();
    expect(await result(await call(first.uri), before)).toEqual(expected);
    expect(first.invites()).toBe(1);
    await first.close();
  }

  it('2xx: the call is answered', () =>
    expectOf(
      { kind: 'answer', sends: 'echo' },
      { status: 'completed', code: null, results: ['answered'], asked: 0 },
    ));

  it.each([400, 404, 405, 410, 416, 482, 484, 603, 604, 606])('%i ends the call', (status) =>
    expectOf({ kind: 'refuse', status }, ended('failed')),
  );

  it.each([486, 600])('%i ends the call as busy', (status) =>
    expectOf({ kind: 'refuse', status }, ended('busy')),
  );

  it.each([408, 480, 487])('%i after it rang ends the call as no-answer', (status) =>
    expectOf({ kind: 'refuse', status, after: 'ringing' }, ended('no-answer')),
  );

  it.each([408, 480, 487])('%i before it rang goes on', (status) =>
    expectOf({ kind: 'refuse', status }, went),
  );

  it.each([500, 503, 504])('%i after early media ends the call', (status) =>
    expectOf({ kind: 'refuse', status, after: 'early media' }, ended('failed')),
  );

  it.each([500, 503])('%i after it rang without early media goes on', (status) =>
    expectOf({ kind: 'refuse', status, after: 'ringing' }, went),
  );

  it.each([
    300, 301, 305, 380, 401, 402, 403, 406, 407, 413, 415, 420, 421, 481, 483, 485, 488, 491, 493, 500, 501,
    502, 503, 504, 505, 513, 580,
  ])('%i goes on', (status) => expectOf({ kind: 'refuse', status }, went));

  describe('302', () => {
    const moved = (to?: string): Treatment => ({
      kind: 'refuse',
      status: 302,
      ...(to !== undefined && { headers: [['Contact', `<${to}>`]] }),
    });

    it('leads to the first Contact it names', async () => {
      const there = await carrier({});
      await expectOf(moved(there.uri), {
        status: 'completed',
        code: null,
        results: ['redirected', 'answered'],
        asked: 0,
      });
      expect(there.invites()).toBe(1);
    });

    it('is followed once a call', async () => {
      const again = await carrier({ treatment: moved(next.uri) });
      const results = ['redirected', 'final'];
      await expectOf(moved(again.uri), { status: 'failed', code: '32219', results, asked: 0 });
    });

    it.each([undefined, 'tel:+15550001234', 'sip:nowhere.invalid'])(
      'to %s ends the call with 32219',
      async (to) => {
        const results = to?.startsWith('sip:') ? ['redirected', 'final'] : ['final'];
        await expectOf(moved(to), { status: 'failed', code: '32219', results, asked: 0 });
      },
    );

    it('to a place that is out of service goes on', async () => {
      const dead = await carrier({ always: 'unavailable' });
      const results = ['redirected', 'failed over', 'answered'];
      await expectOf(moved(dead.uri), { status: 'completed', code: null, results, asked: 1 });
    });
  });

  it('nothing within 4 s: goes on', async () => {
    const silent = await carrier({ always: 'silent' });
    const before = next.invites();
    const sid = await call(silent.uri);
    await silent.event('invite');
    await expect.poll(() => exchange.hurry(4000)).toBe(1);
    expect(await result(sid, before)).toEqual(went);
    expect((await exchange.trace(sid)).attempts[0]?.why).toBe('no response within 4 s');
  });

  it('100, then nothing for 15 s: goes on, and the first target gets CANCEL', async () => {
    const stalling = await carrier({ treatment: { kind: 'stall' } });
    const before = next.invites();
    const sid = await call(stalling.uri);
    await expect.poll(() => exchange.hurry(15_000)).toBe(1);
    expect(await result(sid, before)).toEqual(went);
    expect((await exchange.trace(sid)).attempts[0]?.why).toBe('no ringing within 15 s of its 100');
    await stalling.event('canceled');
  });

  it.each([
    ['an unknown host', 'sip:nowhere.invalid'],
    ['an address that may not be called', 'sip:169.254.169.254'],
  ])('%s: goes on', async (_name, uri) => {
    const before = next.invites();
    expect(await result(await call(uri), before)).toEqual(went);
  });

  it('the exchange itself, and a closed port: goes on', async () => {
    const own = transport === 'tls' ? exchange.tandem.sips : exchange.tandem.sip;
    const before = next.invites();
    expect(await result(await call(`sip:${own};transport=${transport}`), before)).toEqual(went);
    if (transport === 'udp') return; // it may be as silent as it likes
    expect(await result(await call(`sip:127.0.0.1:9;transport=${transport}`), before + 1)).toEqual(went);
  });

  it('Timeout ends the call as no-answer, wherever the search is', async () => {
    const ringing = await carrier({ always: 'ring' });
    const before = next.invites();
    const sid = await call(ringing.uri, { timeout: 37 });
    await exchange.reached(sid, 'ringing');
    await expect.poll(() => exchange.hurry(37_000)).toBe(1);
    expect(await result(sid, before)).toEqual(ended('no-answer'));
    await ringing.event('canceled');
  });

  it('60 s without ringing end the call, though Timeout is longer', async () => {
    const stalling = await carrier({ treatment: { kind: 'stall' } });
    const before = next.invites();
    const sid = await call(stalling.uri, { timeout: 90 });
    await stalling.event('invite');
    await expect.poll(() => exchange.hurry(60_000)).toBe(1);
    expect(await result(sid, before)).toEqual({ ...ended('no-answer'), code: '32016' });
  });

  it('a ringing call is left to its Timeout: 60 s end nothing', async () => {
    const ringing = await carrier({ always: 'ring' });
    const sid = await call(ringing.uri, { timeout: 90 });
    await exchange.reached(sid, 'ringing');
    expect(exchange.hurry(60_000)).toBe(0);
    await exchange.client.calls(sid).update({ status: 'canceled' });
    expect((await exchange.ended(sid)).status).toBe('canceled');
  });

  it('at the end nothing is left of all of it', async () => {
    await exchange.quiet();
    await expect.poll(() => exchange.counts()).toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0 });
    // What still absorbs retransmissions; what that sends sets timers of its own.
    for (let turn = 0; turn < 1000 && exchange.counts().transactions > 0; turn++) exchange.hurry();
    expect(exchange.counts()).toMatchObject({ transactions: 0, timers: 0 });
  });
});
