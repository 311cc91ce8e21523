// Failover where the network or the carrier is unkind: lost datagrams, dead addresses, strange certificates.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RouteRunner } from '../../src/calls/route/route-runner.ts';
import { readConfig } from '../../src/config.ts';
import { silentLog } from '../../src/lib/log.ts';
import { seededRandom, systemRandom } from '../../src/lib/random.ts';
import { type CallReport, type RouteOutcome, type Target } from '../../src/routing/index.ts';
import { createUserAgent, locate, parseUri } from '../../src/sip/index.ts';
import { certificateFor } from '../support/certificates.ts';
import { CountingClock } from '../support/counting-clock.ts';
import { startDnsServer, type Zone } from '../support/dns-server.ts';
import { CALL, type Exchange, startExchange, type TestCarrier } from '../support/exchange.ts';
import { startLossyLine } from '../support/lossy-line.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';

const rules = readConfig({}).failover;

const HANG_UP = '<Response><Hangup/></Response>';

let exchange: Exchange;

beforeEach(async () => {
  exchange = await startExchange({ TANDEM_HEALTH_RECOVERY_S: '1' });
});

afterEach(() => exchange.stop());

/** A trunk over targets by ascending priority. */
async function trunkTo(...uris: readonly string[]) {
  const { voice } = exchange.client;
  const { sid: policy } = await voice.v1.connectionPolicies.create();
  const targets: string[] = [];
  for (const [priority, target] of uris.entries()) {
    targets.push((await voice.v1.connectionPolicies(policy).targets.create({ target, priority })).sid);
  }
  const { sid: byoc } = await voice.v1.byocTrunks.create({ connectionPolicySid: policy });
  return { policy, targets, byoc };
}

async function call(byoc: string): Promise<string> {
  return exchange.place(byoc, { twiml: HANG_UP });
}

async function ask(method: 'GET' | 'POST' | 'DELETE', path: string, form?: Readonly<Record<string, string>>) {
  const { accountSid, authToken } = exchange.account;
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  const response = await fetch(exchange.tandem.http + path, {
    method,
    headers: { authorization },
    ...(form && { body: new URLSearchParams(form) }),
  });
  const text = await response.text();
  // The test reads what the exchange answers, whatever its shape.
  return { status: response.status, text, body: text.startsWith('{') ? JSON.parse(text) : undefined };
}

async function nothingIsLeft(): Promise<void> {
  await exchange.quiet();
  await expect.poll(() => exchange.counts()).toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0 });
  // Timers of one delay wait behind one of the clock: each turn ends the earliest of them.
  for (let turn = 0; turn < 1000 && exchange.counts().transactions > 0; turn++) exchange.hurry();
  expect(exchange.counts()).toMatchObject({ transactions: 0, dialogs: 0 });
}

describe('a line that loses, delays, reorders and doubles datagrams', () => {
  it('costs no call: each goes past the dead carrier to the one that answers, once', async () => {
    const weather = { loss: 0.15, duplicates: 0.1, maxDelayMs: 40 };
    const dead = await exchange.carrier({ always: 'unavailable' });
    const alive = await exchange.carrier({ ringMs: 10 });
    const random = seededRandom(11);
    const lines = [
      await startLossyLine(dead.uri, weather, random),
      await startLossyLine(alive.uri, weather, random),
    ];
    const { byoc } = await trunkTo(...lines.map(({ uri }) => uri));
    const sids = await Promise.all(Array.from({ length: 30 }, () => call(byoc)));
    const ended = await Promise.all(sids.map((sid) => exchange.ended(sid)));
    expect(ended.map(({ status }) => status)).toEqual(sids.map(() => 'completed'));
    expect(alive.invites()).toBe(30);
    expect(dead.invites()).toBeLessThanOrEqual(30);
    expect(lines.every((line) => line.lost() > 0)).toBe(true);
    await nothingIsLeft();
    await Promise.all(lines.map((line) => line.close()));
  });
});

describe('a target with several addresses', () => {
  /** Sends one call through the very code that routes, with a DNS of the test's own. */
  async function route(zone: Zone, target: string, { firstIsSilent = false } = {}) {
    const dns = await startDnsServer(zone);
    const clock = new CountingClock();
    const [random, log] = [systemRandom(), silentLog];
    const listen = (['udp', 'tcp'] as const).map((transport) => ({ host: '127.0.0.1', port: 0, transport }));
    const agent = await createUserAgent({ clock, random, log, listen });
    const reports: CallReport[] = [];
    const { resolver } = dns;
    const targets: Target[] = [{ sid: 'NE1', uri: target, priority: 1, weight: 1, enabled: true }];
    const ending = new Promise<RouteOutcome>((resolve) => {
      const health = {
        of: () => ({ state: 'unknown', why: 'a test' }) as const,
        report: (_target: Target, report: CallReport) => void reports.push(report),
      };
      const find = (uri: string) => locate(parseUri(uri), { resolver, random });
      const runner = new RouteRunner(
        { agent, locate: find, clock, random, health, rules },
        { rule: 'a test', targets, timeoutMs: 30_000 },
        {
          dialing: () => {},
          ringing: () => {},
          lateEvent: () => {},
          attemptFailed: () => {},
          early: () => {},
          final: () => {},
          answered: (dialog) => {
            dialog.handle({ ended: () => {}, offered: () => 488 });
            dialog.bye();
            resolve({ kind: 'answered' });
          },
          ended: resolve,
        },
      );
      traces.push(runner.trace);
      const body = { contentType: 'application/sdp', content: ANSWER_SDP };
      runner.start({ user: '+15550001234', fromUri: 'sip:me@127.0.0.1', headers: [], offer: () => body });
    });
    if (firstIsSilent) await expect.poll(() => clock.hurry(rules.silenceMs)).toBe(1);
    const outcome = await ending;
    await agent.close();
    await dns.close();
    const attempts = traces.at(-1)?.attempts.map(({ destination, result }) => [destination, result]);
    return { outcome, reports: reports.map(({ type }) => type), attempts };
  }

  const traces: RouteRunner['trace'][] = [];
  const portOf = ({ uri }: TestCarrier) => Number(/:(\d+)/.exec(uri.slice(4))?.[1]);

  it('is reached though the first is dead, and its health does not suffer', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const port = portOf(carrier);
    const zone = { 'A carrier.example': ['60 127.0.0.66', '60 127.0.0.1'] };
    expect(await route(zone, `sip:carrier.example:${port}`, { firstIsSilent: true })).toEqual({
      outcome: { kind: 'answered' },
      reports: ['call-heard', 'call-heard'],
      attempts: [
        [`udp:127.0.0.66:${port}`, 'failed over'],
        [`udp:127.0.0.1:${port}`, 'answered'],
      ],
    });
  });

  it('is tried at three of them and no more, then counts as failed, once', async () => {
    const refusing = await exchange.carrier({ transport: 'tcp', always: 'unavailable' });
    const port = portOf(refusing);
    const hosts = ['127.0.0.66', '127.0.0.1', '127.0.0.67', '127.0.0.68', '127.0.0.1'];
    const zone = {
      'SRV _sip._tcp.carrier.example': hosts.map((_, index) => `60 ${index} 1 ${port} h${index}.example`),
      ...Object.fromEntries(hosts.map((address, index) => [`A h${index}.example`, [`60 ${address}`]])),
    };
    const { outcome, reports, attempts } = await route(zone, 'sip:carrier.example;transport=tcp');
    expect(attempts).toEqual(hosts.slice(0, 3).map((address) => [`tcp:${address}:${port}`, 'failed over']));
    expect(outcome).toMatchObject({ kind: 'exhausted', sipStatus: 503 });
    expect(reports).toEqual(['call-failed']);
    expect(refusing.invites()).toBe(1);
  });
});

describe('the certificate of a target', () => {
  it('is not checked once the target is insecure: said by the trace, by Explain, and until it is taken back', async () => {
    const carrier = await exchange.carrier({ transport: 'tls', tls: certificateFor('stranger.example') });
    const { byoc, policy, targets } = await trunkTo(carrier.uri);
    const [targetSid = ''] = targets;
    const refused = await call(byoc);
    expect((await exchange.ended(refused)).status).toBe('failed');
    expect((await exchange.trace(refused)).attempts[0]?.why).toMatch(/self-signed/);

    const made = await ask('POST', '/tandem/v1/InsecureTargets', { TargetSid: targetSid });
    expect(made).toMatchObject({ status: 201, body: { target_sid: targetSid, sid: /^TI/ } });
    const again = await ask('POST', '/tandem/v1/InsecureTargets', { TargetSid: targetSid });
    expect(again).toMatchObject({ status: 400, body: { code: 20001 } });
    const taken = await call(byoc);
    expect((await exchange.ended(taken)).status).toBe('completed');
    const trace = await exchange.trace(taken);
    expect(trace.targets).toMatchObject([{ insecure: true }]);
    expect(trace.events.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^INVITE to .*, whose certificate is not checked$/),
    );
    const explained = await ask('POST', '/tandem/v1/Explain', { To: CALL.to, From: CALL.from, Byoc: byoc });
    expect(explained.body.targets).toMatchObject([
      { insecure: true, verdict: expect.stringContaining('its certificate is not checked') },
    ]);

    expect((await ask('DELETE', `/tandem/v1/InsecureTargets/${made.body.sid}`)).status).toBe(204);
    expect((await exchange.ended(await call(byoc))).status).toBe('failed');

    const other = await ask('POST', '/tandem/v1/InsecureTargets', { TargetSid: targetSid });
    await exchange.client.voice.v1.connectionPolicies(policy).targets(targetSid).remove();
    expect((await ask('GET', `/tandem/v1/InsecureTargets/${other.body.sid}`)).status).toBe(404);
    expect((await ask('GET', '/tandem/v1/InsecureTargets')).body.insecure_targets).toEqual([]);
  });
});

/** Swaps the exchange for one with settings of its own while `test` runs. */
async function withSettings(settings: Readonly<Record<string, string>>, test: () => Promise<void>) {
  const before = exchange;
  exchange = await startExchange(settings);
  try {
    await test();
  } finally {
    await exchange.stop();
    exchange = before;
  }
}

describe('the rules of failover, changed by settings', () => {
  const SETTINGS = {
    TANDEM_FAILOVER_SILENCE_MS: '2345',
    TANDEM_FAILOVER_STALL_MS: '6789',
    TANDEM_FAILOVER_RING_AGAIN: 'yes',
  };
  const refusal = (status: number, after: 'ringing' | 'early media') =>
    ({ kind: 'refuse', status, after }) as const;

  it.each([
    ['is silent', { kind: 'ignore' }, 2345, 'no response within 2.345 s'],
    ['sends 100 alone', { kind: 'stall' }, 6789, 'no ringing within 6.789 s of its 100'],
    ['rings, then is unavailable', refusal(480, 'ringing'), 0, '480 is no answer about the callee'],
    ['is heard, then fails', refusal(500, 'early media'), 0, '500 is no answer about the callee'],
  ] as const)('a target that %s is left for the next', (_name, treatment, delayMs, why) =>
    withSettings(SETTINGS, async () => {
      const first = await exchange.carrier({ treatment });
      const { byoc } = await trunkTo(first.uri, (await exchange.carrier({ ringMs: 0 })).uri);
      const sid = await call(byoc);
      if (delayMs > 0) await expect.poll(() => exchange.hurry(delayMs)).toBe(1);
      expect((await exchange.ended(sid)).status).toBe('completed');
      expect((await exchange.trace(sid)).attempts).toMatchObject([{ why }, { result: 'answered' }]);
    }),
  );
});

describe('the health of a target', () => {
  const health = async (query = '') => (await ask('GET', `/tandem/v1/TargetHealth${query}`)).body;
  const stateOf = async (sid: string) => (await health(`/${sid}`)).state as string;

  it('is down after three calls in vain: tried last, told everywhere, until an OPTIONS is answered', async () => {
    const dead = await exchange.carrier({ always: 'unavailable' });
    const alive = await exchange.carrier({ ringMs: 0 });
    const { byoc, policy, targets } = await trunkTo(dead.uri, alive.uri);
    const [first = '', second = ''] = targets;
    expect(await health(`/${first}`)).toMatchObject({ state: 'unknown', since: null, history: [] });
    for (let count = 1; count <= 3; count++) {
      expect((await exchange.ended(await call(byoc))).status).toBe('completed');
      expect(dead.invites()).toBe(count);
    }
    const demoted = await call(byoc);
    expect((await exchange.ended(demoted)).status).toBe('completed');
    expect(dead.invites()).toBe(3);

    const why = '3 calls in a row failed, the last one: 503 is no answer about the callee';
    expect((await exchange.trace(demoted)).targets).toMatchObject([
      {
        uri: dead.uri,
        health: expect.stringMatching(/down|half-open/),
        standing: expect.stringContaining('down'),
      },
      { uri: alive.uri, health: 'up', standing: 'tried as attempt 1: answered' },
    ]);
    const explained = await ask('POST', '/tandem/v1/Explain', { To: CALL.to, From: CALL.from, Byoc: byoc });
    expect(explained.body.targets).toMatchObject([
      {
        probability: 0,
        verdict: expect.stringMatching(/^down, so tried when every target that is not down has failed \(/),
      },
      { probability: 1, health: 'up', verdict: 'tried first in 100 % of calls' },
    ]);
    const told = await health(`/${first}`);
    expect(told).toMatchObject({
      target_sid: first,
      connection_policy_sid: policy,
      target: dead.uri,
      history: [{ state: 'down', why }],
      url: `${exchange.tandem.http}/tandem/v1/TargetHealth/${first}`,
    });
    expect(told.since).toBe(told.history[0].at);
    expect((await health(`?ConnectionPolicySid=${policy}&State=up`)).target_health).toMatchObject([
      { target_sid: second },
    ]);
    expect((await ask('GET', '/metrics')).text).toMatch(
      /^tandem_target_transitions_total\{state="down"\} [1-9]/m,
    );

    // It is asked again and again, and stays down, until it is alive.
    await dead.close();
    await exchange.carrier({ port: Number(dead.uri.split(':')[2]) });
    await expect.poll(() => stateOf(first), { timeout: 15_000 }).toBe('up');
    expect((await health(`/${first}`)).history).toMatchObject([
      { state: 'down' },
      { state: 'up', why: 'OPTIONS is answered 200' },
    ]);
    expect((await ask('GET', '/metrics')).text).toMatch(/^tandem_targets\{state="up"\} 2$/m);
  });

  it('is asked for by OPTIONS without a call, of any account', async () => {
    await withSettings({ TANDEM_HEALTH_INTERVAL_S: '1', TANDEM_HEALTH_FAILURES: '1' }, async () => {
      const [dead, alive] = [await exchange.carrier({ always: 'unavailable' }), await exchange.carrier({})];
      const { targets } = await trunkTo(dead.uri, alive.uri);
      await expect
        .poll(async () => Promise.all(targets.map(stateOf)), { timeout: 15_000 })
        .toEqual([expect.stringMatching(/down|half-open/), 'up']);
      expect((await health(`/${targets[0]}`)).history).toMatchObject([
        { state: 'down', why: 'a check failed, the last one: OPTIONS is answered 503' },
      ]);
      expect([dead.invites(), alive.invites()]).toEqual([0, 0]);
    });
  });
});
