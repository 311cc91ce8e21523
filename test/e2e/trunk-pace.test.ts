// How many calls a trunk's PBX may make, to the call: bursts of them on a clock that stands still, over real sockets.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type PartyCall, TrunkParty } from '../../soak/trunk-party.ts';
import { openRoute } from '../../soak/trunk-traffic.ts';
import { readConfig } from '../../src/config.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { startTandem, type Tandem } from '../../src/tandem.ts';
import { Hours, Peer } from '../support/hours.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { basic, twilioClient } from '../support/twilio-client.ts';

const PER_SECOND = 5;
const AT_A_TIME = 23;
/** Calls that are begun at once, over each of two trunks. */
const BURST = 12;
const NUMBER = '+14155550100';
const TRUNKS = ['first', 'second'];

let hours: Hours;
let tandem: Tandem;
let carrier: Peer;
let pbx: Peer;
/** Calls that are up. */
let up: PartyCall[];

beforeEach(async () => {
  hours = new Hours();
  up = [];
  const config = readConfig({
    TANDEM_DATA: tempFolder(),
    TANDEM_HTTP_PORT: '0',
    TANDEM_SIP_PORT: '0',
    TANDEM_CALLS_PER_SECOND: String(PER_SECOND),
    TANDEM_MAX_CALLS: String(AT_A_TIME),
    TANDEM_HEALTH_INTERVAL_S: '3600',
  });
  tandem = await startTandem(config, { clock: hours.clock, random: systemRandom(), log: silentLog });
  [carrier, pbx] = [await Peer.open(hours), await Peer.open(hours)];
  const client = twilioClient(tandem.http, tandem.account.accountSid, tandem.account.authToken);
  await client.incomingPhoneNumbers.create({ phoneNumber: NUMBER });
  const { sid } = await client.sip.ipAccessControlLists.create({ friendlyName: 'here' });
  await client.sip
    .ipAccessControlLists(sid)
    .ipAddresses.create({ friendlyName: 'here', ipAddress: '127.0.0.1', cidrPrefixLength: 8 });
  for (const name of TRUNKS) {
    const trunk = await client.trunking.v1.trunks.create({ domainName: `${name}.pstn.twilio.com` });
    await client.trunking.v1.trunks(trunk.sid).ipAccessControlLists.create({ ipAccessControlListSid: sid });
  }
  await openRoute(tandem, client, { prefix: '', targets: [carrier.uri] });
});
afterEach(async () => {
  await Promise.all([carrier, pbx].map(({ agent }) => agent.close()));
  await tandem.stop(0);
});

/** As many calls over each trunk, at once, those of the first trunk before. @returns how many of each were answered */
async function burst(): Promise<readonly number[]> {
  const [address = '', port = ''] = tandem.sip.split(':');
  const party = new TrunkParty(pbx.agent, { transport: 'udp', address, port: Number(port) });
  const calls = TRUNKS.map((name) =>
    Array.from({ length: BURST }, () =>
      party.call({ uri: `sip:+14165550123@${name}.pstn.twilio.com`, from: `sip:${NUMBER}@pbx.example` }),
    ),
  );
  return Promise.all(
    calls.map(async (each) => {
      const statuses = await Promise.all(each.map(({ final }) => final));
      expect(statuses.filter((status) => status !== '200' && status !== '503')).toEqual([]);
      const answered = each.filter((_call, index) => statuses[index] === '200');
      up.push(...answered);
      return answered.length;
    }),
  );
}

async function hangUp(calls: readonly PartyCall[]): Promise<void> {
  for (const call of calls) call.hangUp();
  await expect.poll(() => tandem.counts().calls).toBe(up.length);
}

/** By Twilio's code, how many calls were refused. */
async function refusals(): Promise<Record<string, number>> {
  const { accountSid, authToken } = tandem.account;
  const headers = { authorization: basic(accountSid, authToken) };
  const response = await fetch(`${tandem.http}/tandem/v1/RejectedCalls?PageSize=1000`, { headers });
  const { rejected_calls: rows } = (await response.json()) as {
    rejected_calls: readonly { readonly error_code: number; readonly count: number }[];
  };
  const counts: Record<string, number> = {};
  for (const { error_code: code, count } of rows) counts[code] = (counts[code] ?? 0) + count;
  return counts;
}

it('bursts are taken to the very limit, of a second and at a time, and every other call is told why', async () => {
  const taken: (readonly number[])[] = [];
  const second = async (): Promise<void> => {
    taken.push(await burst());
    await hours.passTo(hours.passedMs + 1000);
  };
  for (let passed = 0; passed < 5; passed++) await second();
  await hangUp(up.splice(0, 3));
  await second();
  await hangUp(up.splice(0));
  // A second's worth of calls is all that a while without any gives.
  await hours.passTo(hours.passedMs + 60_000);
  await second();
  expect(taken).toEqual([
    [5, 0],
    [5, 0],
    [5, 0],
    [5, 0],
    [3, 0],
    [3, 0],
    [5, 0],
  ]);
  await hangUp(up.splice(0));
  await hours.passTo(hours.passedMs + 60_000);
  const expected = { 32_001: 5 * 7, 32_012: 5 * 12, 10_004: 2 * (9 + 12) };
  await expect.poll(refusals).toEqual(expected);
}, 60_000);
