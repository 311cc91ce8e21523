// What the traffic of a soak over Elastic trunks needs: carriers, PBXs and their configuration.
import { type Carrier, startCarrier } from '../src/carrier/index.ts';
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import { createMediaEngine } from '../src/media/index.ts';
import type { Tandem } from '../src/tandem.ts';
import { twilioClient } from '../test/support/twilio-client.ts';
import { startWebhookApp } from '../test/support/webhook-app.ts';
import { Mortal } from './mortal.ts';
import type { PartyCall, TrunkParty } from './trunk-party.ts';

export const PASSWORD = 'Correct-horse-1';
const PBX_DOMAIN = 'soak.pstn.twilio.com';
const CARRIER_DOMAIN = 'carrier.sip.twilio.com';
export const PHONE_DOMAIN = 'phones.sip.twilio.com';
export const PHONES = 20;
const CALLER = '+14155550123';
export const HOLD_MS = 2000;

/** The carrier and the PBX do what the number's last digits say. */
export const ENDINGS = { answers: '440', hangsUp: '002', busy: '486', rings: '180', isDown: '503' };
/** A number of a trunk of its own, whose PBX dies now and then. */
export const MORTAL_NUMBER = '700';
/** Some go to a carrier that is down, or dies now and then, and then to one that is not; one has no route. */
export const PREFIXES = {
  routed: '+1415555',
  failsOver: '+1416555',
  unrouted: '+1417555',
  mayFailOver: '+1418555',
};

export interface Site {
  readonly carrier: Carrier;
  /** A carrier, and the PBX of a trunk with disaster recovery. */
  readonly mortal: Mortal;
  readonly client: ReturnType<typeof twilioClient>;
  readonly trunkSid: string;
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
  const mortal = await Mortal.open();
  opened.defer(() => mortal.die());
  const places = { answers: carrier.uri, refuses: down.uri, rescues: `${app.url}/rescue` };
  const configured = await configure(tandem, places);
  const { client } = configured;
  await openRoute(tandem, client, { prefix: PREFIXES.mayFailOver, targets: [mortal.uri, carrier.uri] });
  await openMortalTrunk(client, { dies: mortal.uri, rescues: places.rescues });
  return { carrier, mortal, ...configured };
}

/** URIs of the carrier that is the PBX too and of one that is down, and the URL of disaster recovery. */
export interface Places {
  readonly answers: string;
  readonly refuses: string;
  readonly rescues: string;
}

export async function configure(tandem: Tandem, places: Places): Promise<Omit<Site, 'carrier' | 'mortal'>> {
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

async function openMortalTrunk(
  client: Client,
  { dies: sipUrl, rescues }: { readonly dies: string; readonly rescues: string },
): Promise<void> {
  const { sid: trunkSid } = await client.trunking.v1.trunks.create({ disasterRecoveryUrl: rescues });
  const { originationUrls } = client.trunking.v1.trunks(trunkSid);
  await originationUrls.create({ friendlyName: 'pbx', sipUrl, priority: 1, weight: 10, enabled: true });
  await client.incomingPhoneNumbers.create({ phoneNumber: `+12025550${MORTAL_NUMBER}`, trunkSid });
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
