// The traffic of a soak over an Elastic trunk: its configuration, and what each kind of call does and should come to.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Carrier, startCarrier } from '../src/carrier/index.ts';
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import { createMediaEngine } from '../src/media/index.ts';
import type { Tandem } from '../src/tandem.ts';
import { twilioClient } from '../test/support/twilio-client.ts';
import { startWebhookApp } from '../test/support/webhook-app.ts';
import type { PartyCall, TrunkParty } from './trunk-party.ts';

export const PASSWORD = 'Correct-horse-1';
const PBX_DOMAIN = 'soak.pstn.twilio.com';
const CARRIER_DOMAIN = 'carrier.sip.twilio.com';
export const PHONE_DOMAIN = 'phones.sip.twilio.com';
export const PHONES = 20;
const CALLER = '+14155550123';
const HOLD_MS = 2000;

/** The carrier and the PBX do what the number's last digits say. */
export const ENDINGS = { answers: '440', hangsUp: '002', busy: '486', rings: '180', isDown: '503' };
/** This prefix goes to a carrier that is down, and then to one that is not; the other has no route. */
export const PREFIXES = { routed: '+1415555', failsOver: '+1416555', unrouted: '+1417555' };

export interface Site {
  readonly carrier: Carrier;
  readonly client: ReturnType<typeof twilioClient>;
  readonly trunkSid: string;
}

export interface Kind {
  readonly name: string;
  /** How often, beside the others. */
  readonly weight: number;
  /** Direction and status of each record that it leaves. */
  readonly records: readonly string[];
  /** Does it; resolves with what went wrong. */
  run(party: TrunkParty, site: Site): Promise<string | undefined>;
}

/** Everything the traffic needs: carriers, an app, a trunk that is recorded, numbers, and a domain of phones. */
export async function openSite(tandem: Tandem, opened: AsyncDisposableStack): Promise<Site> {
  const ports = { first: 30_000, last: 39_999 };
  const media = await createMediaEngine({ address: '127.0.0.1', ports, log: silentLog });
  opened.defer(() => media.close());
  const world = { clock: systemClock, random: systemRandom(), log: silentLog, media };
  const place = { host: '127.0.0.1', port: 0, ringMs: 100, holdMs: HOLD_MS, captureMs: 100 };
  const carrier = await startCarrier({ ...world, ...place });
  const down = await startCarrier({ ...world, ...place, always: 'unavailable' });
  opened.defer(() => Promise.all([carrier.close(), down.close()]).then(() => {}));
  const app = await startWebhookApp((_request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/xml' })
      .end('<Response><Pause length="1"/><Hangup/></Response>'),
  );
  opened.defer(() => app.close());
  const places = { answers: carrier.uri, refuses: down.uri, rescues: `${app.url}/rescue` };
  return { carrier, ...(await configure(tandem, places)) };
}

/** URIs of the carrier that is the PBX too and of one that is down, and the URL of disaster recovery. */
export interface Places {
  readonly answers: string;
  readonly refuses: string;
  readonly rescues: string;
}

export async function configure(tandem: Tandem, places: Places): Promise<Omit<Site, 'carrier'>> {
  const { accountSid, authToken } = tandem.account;
  const client = twilioClient(tandem.http, accountSid, authToken);
  const trunkSid = await openTrunk(client, places.rescues);
  await openOrigination(client, { trunkSid, url: places.answers });
  await openPhones(client);
  await openRoute(tandem, client, { prefix: PREFIXES.routed, targets: [places.answers] });
  const both = [places.refuses, places.answers];
  await openRoute(tandem, client, { prefix: PREFIXES.failsOver, targets: both });
  return { client, trunkSid };
}

type Client = Site['client'];

async function openTrunk(client: Client, disasterRecoveryUrl: string): Promise<string> {
  const { sid } = await client.trunking.v1.trunks.create({
    domainName: PBX_DOMAIN,
    disasterRecoveryUrl,
    transferMode: 'enable-all',
  });
  const trunk = client.trunking.v1.trunks(sid);
  await trunk.recordings().update({ mode: 'record-from-answer-dual' });
  await trunk.credentialsLists.create({ credentialListSid: await users(client, ['pbx']) });
  return sid;
}

async function openOrigination(client: Client, given: { readonly trunkSid: string; readonly url: string }) {
  const { trunkSid, url: sipUrl } = given;
  const { originationUrls } = client.trunking.v1.trunks(trunkSid);
  await originationUrls.create({ friendlyName: 'pbx', sipUrl, priority: 1, weight: 10, enabled: true });
  for (const ending of Object.values(ENDINGS))
    await client.incomingPhoneNumbers.create({ phoneNumber: `+12025550${ending}`, trunkSid });
  const { sid: byocTrunkSid } = await client.voice.v1.byocTrunks.create();
  const { sid } = await client.sip.domains.create({ domainName: CARRIER_DOMAIN });
  await client.sip.domains(sid).update({ byocTrunkSid });
  const list = await client.sip.ipAccessControlLists.create({ friendlyName: 'carrier' });
  await client.sip
    .ipAccessControlLists(list.sid)
    .ipAddresses.create({ friendlyName: 'here', ipAddress: '127.0.0.1', cidrPrefixLength: 8 });
  await client.sip
    .domains(sid)
    .auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: list.sid });
}

async function openPhones(client: Client): Promise<void> {
  const { sid } = await client.sip.domains.create({ domainName: PHONE_DOMAIN, sipRegistration: true });
  const names = Array.from({ length: PHONES }, (_, index) => `phone${index}`);
  const credentialListSid = await users(client, names);
  const { registrations } = client.sip.domains(sid).auth;
  await registrations.credentialListMappings.create({ credentialListSid });
}

/** @returns the SID of their list */
async function users(client: Client, names: readonly string[]): Promise<string> {
  const { sid } = await client.sip.credentialLists.create({ friendlyName: `with ${names[0]}` });
  for (const username of names)
    await client.sip.credentialLists(sid).credentials.create({ username, password: PASSWORD });
  return sid;
}

export async function openRoute(
  { http, account }: Tandem,
  { voice: { v1 } }: Client,
  { prefix, targets }: { readonly prefix: string; readonly targets: readonly string[] },
): Promise<void> {
  const { sid: connectionPolicySid } = await v1.connectionPolicies.create();
  for (const [priority, target] of targets.entries())
    await v1.connectionPolicies(connectionPolicySid).targets.create({ target, priority });
  const { sid } = await v1.byocTrunks.create({ connectionPolicySid });
  const key = Buffer.from(`${account.accountSid}:${account.authToken}`).toString('base64');
  const { status } = await fetch(`${http}/tandem/v1/CarrierRoutes`, {
    method: 'POST',
    headers: { authorization: `Basic ${key}` },
    body: new URLSearchParams({ Prefix: prefix, ByocTrunkSid: sid }),
  });
  if (status !== 201) throw new Error(`CarrierRoutes: ${status}`);
}

export const callOut = (party: TrunkParty, number: string): PartyCall =>
  party.call({
    uri: `sip:${number}@${PBX_DOMAIN}`,
    from: `sip:+12025550${ENDINGS.answers}@pbx.example`,
    credentials: { username: 'pbx', password: PASSWORD },
  });

export const callIn = (party: TrunkParty, ending: string): PartyCall =>
  party.call({ uri: `sip:+12025550${ending}@${CARRIER_DOMAIN}`, from: `sip:${CALLER}@carrier.example` });

const expected = (what: string, is: string, was: string): string | undefined =>
  is === was ? undefined : `${what}: ${is}, not ${was}`;

async function talk(call: PartyCall): Promise<string | undefined> {
  const status = await call.final;
  if (status !== '200') return `refused: ${status}`;
  await sleep(HOLD_MS);
  call.hangUp();
  return expected('ended by', await call.ended, 'local');
}

async function listen(call: PartyCall): Promise<string | undefined> {
  const status = await call.final;
  return status === '200' ? expected('ended by', await call.ended, 'remote') : `refused: ${status}`;
}

const hearRefusal = async (call: PartyCall, status: string): Promise<string | undefined> =>
  expected('refused', await call.final, status);

async function giveUp(call: PartyCall): Promise<string | undefined> {
  await call.rings;
  call.cancel();
  return expected('canceled', await call.final, '487');
}

async function transfer(call: PartyCall, to: string): Promise<string | undefined> {
  const status = await call.final;
  if (status !== '200') return `refused: ${status}`;
  const news = await call.transfer(to);
  call.hangUp();
  await call.ended;
  return expected('transfer', news, '200');
}

const OUT = 'trunking-terminating';
const IN = 'trunking-originating';
const out = (party: TrunkParty, ending: string, prefix = PREFIXES.routed): PartyCall =>
  callOut(party, `${prefix}0${ending}`);

export const KINDS: readonly Kind[] = [
  {
    name: 'out',
    weight: 20,
    records: [`${OUT} completed`],
    run: (party) => talk(out(party, ENDINGS.answers)),
  },
  {
    name: 'out, the callee hangs up',
    weight: 10,
    records: [`${OUT} completed`],
    run: (party) => listen(out(party, ENDINGS.hangsUp)),
  },
  {
    name: 'out, past a carrier that is down',
    weight: 10,
    records: [`${OUT} completed`],
    run: (party) => talk(out(party, ENDINGS.answers, PREFIXES.failsOver)),
  },
  {
    name: 'out, busy',
    weight: 5,
    records: [`${OUT} busy`],
    run: (party) => hearRefusal(out(party, ENDINGS.busy), '486'),
  },
  {
    name: 'out, given up',
    weight: 5,
    records: [`${OUT} no-answer`],
    run: (party) => giveUp(out(party, ENDINGS.rings)),
  },
  {
    name: 'out, without a route',
    weight: 2,
    records: [`${OUT} failed`],
    run: (party) => hearRefusal(out(party, ENDINGS.answers, PREFIXES.unrouted), '503'),
  },
  {
    name: 'out, transferred',
    weight: 5,
    records: [`${OUT} completed`, `${IN} completed`],
    run: (party, { carrier }) =>
      transfer(
        out(party, ENDINGS.answers),
        carrier.uri.replace('sip:', `sip:${PREFIXES.routed}0${ENDINGS.hangsUp}@`),
      ),
  },
  {
    name: 'in',
    weight: 20,
    records: [`${IN} completed`],
    run: (party) => talk(callIn(party, ENDINGS.answers)),
  },
  {
    name: 'in, the PBX hangs up',
    weight: 10,
    records: [`${IN} completed`],
    run: (party) => listen(callIn(party, ENDINGS.hangsUp)),
  },
  {
    name: 'in, busy',
    weight: 5,
    records: [`${IN} busy`],
    run: (party) => hearRefusal(callIn(party, ENDINGS.busy), '486'),
  },
  {
    name: 'in, given up',
    weight: 5,
    records: [`${IN} no-answer`],
    run: (party) => giveUp(callIn(party, ENDINGS.rings)),
  },
  {
    name: 'in, rescued',
    weight: 3,
    records: ['inbound completed'],
    run: (party) => listen(callIn(party, ENDINGS.isDown)),
  },
];
