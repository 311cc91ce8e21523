// Explain and load share: what routing says it would do, held against what it does.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Exchange, startExchange } from '../support/exchange.ts';

let exchange: Exchange;

beforeEach(async () => {
  exchange = await startExchange();
});

afterEach(() => exchange.stop());

/** Exit code of a worker that was ended from outside. */
const TERMINATED = 1;

async function ask(path: string, form: Readonly<Record<string, string>>, signal?: AbortSignal) {
  const answer = await exchange.ours(path, form, signal && { signal });
  return { status: answer.status, body: answer.body as Record<string, never> };
}

interface Spec {
  readonly target: string;
  readonly priority?: number;
  readonly weight?: number;
  readonly enabled?: boolean;
}

async function trunkTo(...specs: readonly Spec[]): Promise<{ byoc: string; policy: string }> {
  const { client } = exchange;
  const policy = await client.voice.v1.connectionPolicies.create();
  for (const spec of specs) await client.voice.v1.connectionPolicies(policy.sid).targets.create(spec);
  const trunk = await client.voice.v1.byocTrunks.create({ connectionPolicySid: policy.sid });
  return { byoc: trunk.sid, policy: policy.sid };
}

const CALL = { To: '+15550001234', From: '+15550009999' };

describe('Explain', () => {
  it('says which targets would be tried, with which chance, at which addresses, and with what', async () => {
    const { byoc } = await trunkTo(
      { target: 'sip:127.0.0.1:5090', priority: 1, weight: 30 },
      { target: 'sip:fixed@127.0.0.2;transport=udp', priority: 1, weight: 10 },
      { target: 'sip:127.0.0.3', priority: 2 },
      { target: 'sip:127.0.0.4', priority: 0, enabled: false },
      { target: 'sip:nowhere.invalid', priority: 3 },
    );
    const { status, body } = await ask('Explain', { ...CALL, Byoc: byoc });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      account_sid: exchange.account.accountSid,
      to: CALL.To,
      byoc,
      rule: expect.stringContaining(byoc),
      error_code: null,
      verdict: 'The call would be tried at 3 of 5 targets',
    });
    const byTarget = Object.fromEntries(
      (body.targets as unknown as { target: string }[]).map((target) => [target.target, target]),
    );
    expect(byTarget['sip:127.0.0.1:5090']).toMatchObject({
      probability: 0.75,
      request_uri: 'sip:+15550001234@127.0.0.1:5090',
      addresses: ['udp:127.0.0.1:5090'],
      verdict: 'tried first in 75 % of calls',
    });
    expect(byTarget['sip:fixed@127.0.0.2;transport=udp']).toMatchObject({
      probability: 0.25,
      request_uri: 'sip:fixed@127.0.0.2;transport=udp',
    });
    expect(byTarget['sip:127.0.0.3']).toMatchObject({ probability: 0, share: 1 });
    expect(byTarget['sip:127.0.0.4']).toMatchObject({ verdict: 'disabled: never tried', probability: 0 });
    expect(byTarget['sip:nowhere.invalid']).toMatchObject({
      addresses: [],
      verdict: expect.stringMatching(/cannot be reached: .*nowhere\.invalid/),
    });
  });

  it('names the error that a call would end in, and the call ends in it', async () => {
    const none = await trunkTo();
    const own = await trunkTo({ target: `sip:${exchange.tandem.sip}` });
    expect((await ask('Explain', { ...CALL, Byoc: none.byoc })).body).toMatchObject({ error_code: 32010 });
    const loop = (await ask('Explain', { ...CALL, Byoc: own.byoc })).body;
    expect(loop).toMatchObject({ error_code: 32400 });
    expect(JSON.stringify(loop.targets)).toContain('the call would loop');
    const twiml = '<Response/>';
    const { sid } = await exchange.client.calls.create({
      to: CALL.To,
      from: CALL.From,
      byoc: own.byoc,
      twiml,
    });
    expect((await exchange.ended(sid)).status).toBe('failed');
    expect((await exchange.trace(sid)).attempts[0]?.why).toContain('the call would loop');
  });

  it('finds the trunk by the longest CarrierRoute, and the From host by the trunk’s domain', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const everywhere = await trunkTo({ target: 'sip:127.0.0.9' });
    const near = await trunkTo({ target: carrier.uri });
    const spare = await trunkTo({ target: 'sip:127.0.0.8' });
    const routes = [
      { Prefix: '', ByocTrunkSid: everywhere.byoc },
      { Prefix: '+1555', ByocTrunkSid: spare.byoc, Priority: '20' },
      { Prefix: '+1555', ByocTrunkSid: near.byoc, Priority: '10' },
    ];
    for (const route of routes) expect((await ask('CarrierRoutes', route)).status).toBe(201);
    const domain = await exchange.client.sip.domains.create({
      domainName: 'near.sip.twilio.com',
      byocTrunkSid: near.byoc,
    });
    expect((await ask('Explain', { ...CALL, To: '+4930123456' })).body).toMatchObject({
      byoc: everywhere.byoc,
      rule: expect.stringContaining('every number'),
    });
    expect((await ask('Explain', CALL)).body).toMatchObject({
      byoc: near.byoc,
      from: 'sip:+15550009999@near.sip.twilio.com',
      rule: expect.stringContaining('numbers that begin with +1555'),
    });
    const named = await exchange.client.sip.domains.create({ domainName: 'named.sip.twilio.com' });
    await exchange.client.voice.v1.byocTrunks(near.byoc).update({ fromDomainSid: named.sid });
    const { sid } = await exchange.client.calls.create({
      to: CALL.To,
      from: CALL.From,
      twiml: '<Response/>',
    });
    expect((await exchange.ended(sid)).status).toBe('completed');
    const { call } = await carrier.event('invite');
    expect(call.from).toContain('<sip:+15550009999@named.sip.twilio.com>');
    expect(domain.sid).toMatch(/^SD/);
  });

  it('refuses what POST /Calls refuses', async () => {
    expect(await ask('Explain', { From: CALL.From })).toMatchObject({ status: 400, body: { code: 21201 } });
    expect(await ask('Explain', { ...CALL, Byoc: `BY${'0'.repeat(32)}` })).toMatchObject({
      status: 400,
      body: { code: 20001 },
    });
  });
});

describe('LoadShare', () => {
  it('draws by weight inside the first priority, the same for the same seed', async () => {
    const { policy } = await trunkTo(
      { target: 'sip:127.0.0.1:1', priority: 1, weight: 70 },
      { target: 'sip:127.0.0.1:2', priority: 1, weight: 30 },
      { target: 'sip:127.0.0.1:3', priority: 2 },
    );
    const form = { ConnectionPolicySid: policy, Selections: '20000', Seed: '1' };
    const { status, body } = await ask('LoadShare', form);
    expect(status).toBe(200);
    expect(body).toMatchObject({ selections: 20_000, degrees_of_freedom: 1 });
    expect(body.p_value).toBeGreaterThan(0.001);
    const shares = (body.targets as unknown as { expected: number; observed: number }[]).map(
      ({ expected, observed }) => [expected, Math.round(observed * 20) / 20],
    );
    expect(shares).toEqual([
      [0.7, 0.7],
      [0.3, 0.3],
      [0, 0],
    ]);
    expect((await ask('LoadShare', form)).body).toEqual(body);
  });

  it('stops drawing when the client leaves', async () => {
    const { policy } = await trunkTo({ target: 'sip:127.0.0.1:1' }, { target: 'sip:127.0.0.1:2' });
    const leaving = new AbortController();
    const exited = new Promise<number>((resolve) => {
      const begun = (message: unknown) => {
        unsubscribe('worker_threads', begun);
        const { worker } = message as { readonly worker: Worker };
        worker.once('exit', resolve);
        worker.once('online', () => leaving.abort());
      };
      subscribe('worker_threads', begun);
    });
    const form = { ConnectionPolicySid: policy, Selections: '1000000' };
    await expect(ask('LoadShare', form, leaving.signal)).rejects.toThrow('abort');
    expect(await exited).toBe(TERMINATED);
  });

  it.each([
    [{ Selections: '10' }, /ConnectionPolicySid/],
    [{ ConnectionPolicySid: `NY${'0'.repeat(32)}` }, /does not exist/],
    [{ ConnectionPolicySid: 'NY', Selections: '1000001' }, /Selections/],
    [{ ConnectionPolicySid: 'NY', Selections: '0' }, /Selections/],
  ])('refuses %o', async (form, message) => {
    expect(await ask('LoadShare', form as Record<string, string>)).toMatchObject({
      status: 400,
      body: { code: 20001, message: expect.stringMatching(message) },
    });
  });
});
