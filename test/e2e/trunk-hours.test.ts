// Four hours of an exchange in well under a minute: the whole of it runs on a clock that stands still until it is told,
// and so do the PBX, the carriers and the phones, over real sockets of this process. Time goes on from timer to timer, and
// only while nobody waits for an answer; worker threads (store, media) and HTTP keep the real time, and no sound is sent.
// Covers: session timers of both sides, parties that die without a word, registrations that are refreshed and one that
// expires, health checks, calls that come and go all the time, and the time limit of four hours.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Twilio } from 'twilio';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type PartyCall, TrunkParty } from '../../soak/trunk-party.ts';
import {
  callIn,
  callOut,
  configure,
  ENDINGS,
  openRoute,
  PASSWORD,
  PHONE_DOMAIN,
  PHONES,
  PREFIXES,
} from '../../soak/trunk-traffic.ts';
import { readConfig } from '../../src/config.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { startTandem, type Tandem } from '../../src/tandem.ts';
import { Hours, Peer } from '../support/hours.ts';
import { tempFolder } from '../support/temp-folder.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SESSION_S = 600;
const HEALTH_S = 60;
const EXPIRES_S = 600;
/** A party dies so long after the start, between two refreshes. */
const DEATH_MS = HOUR + 100_000;
const PATIENCE_MS = 2000;
const LONG = `0${ENDINGS.answers}`;
const SHORT = `0${ENDINGS.hangsUp}`;

let hours: Hours;
let tandem: Tandem;
let client: Twilio;
let carrier: Peer;
let mortal: Peer;
let pbx: Peer;
let mortalPbx: Peer;
let refused: string[];

const partyOf = ({ agent }: Peer): TrunkParty => {
  const [address = '', port = ''] = tandem.sip.split(':');
  return new TrunkParty(agent, { transport: 'udp', address, port: Number(port) });
};

beforeEach(async () => {
  hours = new Hours();
  refused = [];
  const config = readConfig({
    TANDEM_DATA: tempFolder(),
    TANDEM_HTTP_PORT: '0',
    TANDEM_SIP_PORT: '0',
    TANDEM_SESSION_EXPIRES_S: String(SESSION_S),
    TANDEM_HEALTH_INTERVAL_S: String(HEALTH_S),
  });
  tandem = await startTandem(config, { clock: hours.clock, random: systemRandom(), log: silentLog });
  [carrier, mortal, pbx, mortalPbx] = (await Promise.all(
    [1, 2, 3, 4].map(() => Peer.open(hours, { user: SHORT, afterMs: MINUTE })),
  )) as [Peer, Peer, Peer, Peer];
  const places = { answers: carrier.uri, refuses: mortal.uri, rescues: 'http://127.0.0.1:9/' };
  ({ client } = await configure(tandem, places));
  await openRoute(tandem, client, { prefix: PREFIXES.unrouted, targets: [mortal.uri] });
});
afterEach(async () => {
  await Promise.all([carrier, mortal, pbx, mortalPbx].map(({ agent }) => agent.close()));
  await tandem.stop(0);
  expect(hours.clock.pending).toBe(0);
});

/** Resolves with when it was over, and by whom. */
async function over(call: PartyCall): Promise<{ readonly atMs: number; readonly by: string }> {
  const status = await hours.answer(call.final);
  if (status !== '200') refused.push(`a call at ${hours.passedMs / 1000} s: ${status}`);
  const by = await call.ended;
  return { atMs: hours.passedMs, by };
}

/** What time that has passed must have led to. */
const soon = <T>(promise: Promise<T>): Promise<T> =>
  Promise.race([promise, sleep(PATIENCE_MS).then(() => Promise.reject(new Error('it did not happen')))]);

/** Registers again each time half of its time is over, until so long after the start. */
function keepRegistered(user: string, untilMs: number): void {
  const party = partyOf(pbx);
  const aor = `sip:${user}@${PHONE_DOMAIN}`;
  const register = async (): Promise<void> => {
    if (hours.passedMs > untilMs) return;
    hours.clock.after((EXPIRES_S * 1000) / 2, register);
    const status = await hours.answer(party.register(aor, { username: user, password: PASSWORD }, EXPIRES_S));
    if (status !== '200') refused.push(`${user} at ${hours.passedMs / 1000} s: ${status}`);
  };
  void register();
}

/** One each way every two minutes, which the callee ends after one. @returns what became of them, in time */
function traffic(untilMs: number): readonly string[] {
  const ends: string[] = [];
  const party = partyOf(pbx);
  const begin = (): void => {
    if (hours.passedMs > untilMs) return;
    for (const call of [callOut(party, PREFIXES.routed + SHORT), callIn(party, ENDINGS.hangsUp)])
      void over(call).then(({ by }) => ends.push(by));
    hours.clock.after(2 * MINUTE, begin);
  };
  begin();
  return ends;
}

async function registered(): Promise<readonly string[]> {
  const { accountSid, authToken } = tandem.account;
  const key = Buffer.from(`${accountSid}:${authToken}`).toString('base64');
  const response = await fetch(`${tandem.http}/tandem/v1/Registrations?PageSize=100`, {
    headers: { authorization: `Basic ${key}` },
  });
  const { registrations } = (await response.json()) as { registrations: readonly { username: string }[] };
  return registrations.map(({ username }) => username);
}

it('four hours of calls, refreshes, registrations and deaths leave nothing, and end when they should', async () => {
  const ends = traffic(4 * HOUR - 10 * MINUTE);
  for (let index = 1; index < PHONES; index++) keepRegistered(`phone${index}`, 4 * HOUR);
  keepRegistered('phone0', 30 * MINUTE);
  const [here, gone] = [partyOf(pbx), partyOf(mortalPbx)];
  const long = [over(callOut(here, PREFIXES.routed + LONG)), over(callIn(here, ENDINGS.answers))];
  const calleeDies = over(callOut(here, PREFIXES.unrouted + LONG));
  void over(callIn(gone, ENDINGS.answers));

  await hours.passTo(30 * MINUTE + EXPIRES_S * 1000 - MINUTE);
  expect(await registered()).toContain('phone0');
  await hours.passTo(30 * MINUTE + EXPIRES_S * 1000 + MINUTE);
  expect(await registered()).not.toContain('phone0');

  await hours.passTo(DEATH_MS);
  await Promise.all([mortal.agent.close(), mortalPbx.agent.close()]);
  await hours.passTo(DEATH_MS + SESSION_S * 1000);
  // The exchange asks at half of the interval, for 32 s; for one who does not ask itself, it waits for nearly all of it.
  const died = await soon(calleeDies);
  expect(died.by).toBe('remote');
  expect(died.atMs).toBeGreaterThan(DEATH_MS);
  expect(died.atMs).toBeLessThanOrEqual(DEATH_MS + (SESSION_S * 1000) / 2 + 33_000);
  const [callerDied, ...more] = carrier.ended.filter(({ by }) => by === 'remote');
  expect(more).toEqual([]);
  expect(callerDied?.atMs).toBeGreaterThan(DEATH_MS);
  expect(callerDied?.atMs).toBeLessThanOrEqual(DEATH_MS + SESSION_S * 1000 - 32_000);

  await hours.passTo(4 * HOUR - 1000);
  expect(carrier.ended.filter(({ by }) => by === 'remote')).toHaveLength(1);
  await hours.passTo(4 * HOUR + 1000);
  const limits = await soon(Promise.all(long));
  for (const { atMs, by } of limits) {
    expect(by).toBe('remote');
    expect(Math.abs(atMs - 4 * HOUR)).toBeLessThanOrEqual(1000);
  }
  expect(refused).toEqual([]);
  expect(ends).toHaveLength(2 * 116);
  expect(new Set(ends)).toEqual(new Set(['remote']));

  // Refreshes at half of the interval: 47 in four hours, of the two that died 12 and 13.
  expect(pbx.count('200 UPDATE')).toBe(47 + 47 + 13);
  expect(carrier.count('UPDATE')).toBe(47 + 47 + 13);
  expect(mortal.count('UPDATE')).toBe(12);
  expect(mortalPbx.count('200 UPDATE')).toBe(12);
  expect(carrier.count('OPTIONS')).toBeGreaterThan((0.8 * 4 * HOUR) / 1000 / HEALTH_S);

  await hours.passTo(4 * HOUR + 15 * MINUTE);
  expect(await registered()).toEqual([]);
  await expect
    .poll(() => tandem.counts())
    .toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0, callbacks: 0 });
  const records = await client.calls.list({ pageSize: 500 });
  expect(records).toHaveLength(2 * 116 + 4);
  expect(new Set(records.map(({ status }) => status))).toEqual(new Set(['completed']));
  expect(records.filter(({ duration }) => Number(duration) === 4 * 3600)).toHaveLength(2);
}, 120_000);
