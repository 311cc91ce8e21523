// A stage for calls of Elastic trunks: an exchange with a trunk and a number on it, a domain that a carrier's calls come
// in by, an app, and a phone that stands for whoever calls: the PBX, or the carrier.

import type { CallInstance } from 'twilio/lib/rest/api/v2010/account/call.js';
import { expect } from 'vitest';
import { toneLevel } from '../../src/media/index.ts';
import type { RequestView } from '../../src/sip/index.ts';
import { listenerOf, PASSWORD } from './doors.ts';
import { type Exchange, startExchange, type TestCarrier } from './exchange.ts';
import { openDomain } from './inbound.ts';
import { nothingLeft } from './nothing-left.ts';
import { type CallOptions, type SoftCall, Softphone } from './softphone.ts';
import { startWebhookApp, type WebhookApp } from './webhook-app.ts';

/** Of the account, and on the trunk. */
export const NUMBER = '+14155550100';
/** Somebody in the world, whom carriers reach. */
export const OUTSIDE = '+14155550123';
export const OUTSIDE_HZ = 1200;
export const PHONE_HZ = 700;

let opened = 0;

export class TrunkScene {
  readonly exchange: Exchange;
  readonly app: WebhookApp;
  readonly phone: Softphone;
  /** What the app answers, by path: TwiML without its root; nothing is 404. */
  readonly twiml: Record<string, string> = {};
  readonly trunk: { readonly sid: string; readonly domainName: string };
  /** By which a carrier's calls come in. */
  readonly domain: string;
  /** The door has refused a call, of which there will be a row: that timer is no call's. */
  hasRefused = false;
  /** There are connections, which have timers of their own. */
  overStreams = false;
  readonly #secure: boolean;

  private constructor(
    given: Pick<TrunkScene, 'exchange' | 'app' | 'phone' | 'twiml' | 'trunk' | 'domain'>,
    secure: boolean,
  ) {
    this.exchange = given.exchange;
    this.app = given.app;
    this.phone = given.phone;
    this.twiml = given.twiml;
    this.trunk = given.trunk;
    this.domain = given.domain;
    this.#secure = secure;
    this.overStreams = secure;
  }

  /** The trunk takes its PBX by its address and by a password. @param trunk its settings */
  static async open({
    trunk: settings = {},
    env = {},
  }: {
    readonly trunk?: { readonly secure?: boolean; readonly cnamLookupEnabled?: boolean };
    readonly env?: Readonly<Record<string, string>>;
  } = {}): Promise<TrunkScene> {
    const twiml: Record<string, string> = {};
    const [exchange, app, phone] = await Promise.all([
      startExchange(env),
      startWebhookApp(({ path }, response) => {
        const answer = twiml[path.split('?')[0] ?? ''];
        if (answer === undefined) response.writeHead(404).end();
        else response.writeHead(200, { 'content-type': 'text/xml' }).end(`<Response>${answer}</Response>`);
      }),
      Softphone.open(),
    ]);
    const { client } = exchange;
    const domainName = `trunk-${++opened}.pstn.twilio.com`;
    const { sid } = await client.trunking.v1.trunks.create({ domainName, ...settings });
    const domain = await openDomain(exchange, { voiceUrl: `${app.url}/domain` });
    await guard(exchange, sid);
    const [found] = (await client.sip.domains.list()).filter((each) => each.domainName === domain);
    const byoc = await client.voice.v1.byocTrunks.create({ voiceUrl: `${app.url}/byoc` });
    await client.sip.domains(String(found?.sid)).update({ byocTrunkSid: byoc.sid });
    await client.incomingPhoneNumbers.create({ phoneNumber: NUMBER, trunkSid: sid });
    const scene = { exchange, app, phone, twiml, trunk: { sid, domainName }, domain };
    return new TrunkScene(scene, settings.secure ?? false);
  }

  /** @param hasFailed a test that has failed may have left calls up: what it says is enough. */
  async close(hasFailed: boolean): Promise<void> {
    try {
      if (this.hasRefused) this.exchange.hurry();
      if (!hasFailed) await nothingLeft(this.exchange, this);
    } finally {
      await this.exchange.stop();
      await this.app.close();
      await this.phone.close();
    }
  }

  /** A carrier or PBX that answers with a tone. */
  peer(treatment: object = {}, options: Parameters<Exchange['carrier']>[0] = {}): Promise<TestCarrier> {
    return this.exchange.carrier({
      treatment: { kind: 'answer', sends: 'tone', hz: OUTSIDE_HZ, ...treatment } as never,
      // A call is heard from its answer on for so long, and the machine may be busy.
      captureMs: 40_000,
      ...options,
    });
  }

  /** Another trunk of the account, that takes the same PBX. @returns its domain */
  async anotherTrunk(): Promise<string> {
    const domainName = `trunk-${++opened}.pstn.twilio.com`;
    const { sid } = await this.exchange.client.trunking.v1.trunks.create({ domainName });
    await guard(this.exchange, sid, 'another pbx');
    return domainName;
  }

  /** Numbers that begin with the prefix go to these carriers, the first one first. @returns the BYOC trunk's SID */
  async route(prefix: string, ...targets: readonly string[]): Promise<string> {
    const byoc = await this.exchange.trunkTo(...targets);
    const { status } = await this.exchange.ours('CarrierRoutes', { Prefix: prefix, ByocTrunkSid: byoc });
    expect(status).toBe(201);
    return byoc;
  }

  /** The trunk's origination URLs, the first one first. */
  async urls(...urls: readonly string[]): Promise<void> {
    const { originationUrls } = this.exchange.client.trunking.v1.trunks(this.trunk.sid);
    for (const [priority, sipUrl] of urls.entries())
      await originationUrls.create({ friendlyName: sipUrl, sipUrl, priority, weight: 10, enabled: true });
  }

  /** The account may call as this number. */
  async verify(phoneNumber: string): Promise<void> {
    const { tandem, account, authorization } = this.exchange;
    const url = `${tandem.http}/2010-04-01/Accounts/${account.accountSid}/OutgoingCallerIds.json`;
    const body = new URLSearchParams({ PhoneNumber: phoneNumber });
    const { ok } = await fetch(url, { method: 'POST', headers: { authorization }, body });
    expect(ok).toBe(true);
  }

  /** The PBX calls somebody outside. */
  callsOut(options: Partial<CallOptions> = {}): Promise<SoftCall> {
    return this.phone.call({
      uri: `sip:${OUTSIDE}@${this.trunk.domainName}`,
      from: `sip:${NUMBER}@pbx.example`,
      credentials: { username: 'pbx', password: PASSWORD },
      destination: listenerOf(this.exchange, this.#secure ? 'tls' : 'udp'),
      srtp: this.#secure,
      ...options,
    });
  }

  /** A carrier calls the trunk's number. */
  callsIn(options: Partial<CallOptions> = {}): Promise<SoftCall> {
    return this.phone.call({
      uri: `sip:${NUMBER}@${this.domain}`,
      from: `sip:${OUTSIDE}@carrier.example`,
      destination: listenerOf(this.exchange, 'udp'),
      ...options,
    });
  }

  /** The record of the only call, once it has ended. */
  async ended(): Promise<CallInstance> {
    return this.exchange.ended(await this.sid());
  }

  /** Of the call that was begun last. */
  async sid(): Promise<string> {
    let sid: string | undefined;
    await expect
      .poll(async () => (sid = (await this.exchange.client.calls.list({ limit: 1 }))[0]?.sid))
      .toBeDefined();
    return String(sid);
  }

  async notices(): Promise<readonly string[]> {
    const rows = await this.exchange.client.calls(await this.sid()).notifications.list();
    return rows.map(({ errorCode }) => errorCode);
  }
}

/** The first INVITE that a carrier or PBX got. */
export function requestOf({ events }: TestCarrier): RequestView | undefined {
  const [event] = events;
  return event?.type === 'invite' ? event.request : undefined;
}

/** Whether a tone is there clearly, if only for a fifth of a second. */
export function hasTone(samples: Int16Array, hz: number): boolean {
  const step = 1600;
  for (let at = 0; at + step <= samples.length; at += step)
    if (toneLevel(samples.subarray(at, at + step), hz) > 0.1) return true;
  return false;
}

async function guard({ client }: Exchange, trunkSid: string, friendlyName = 'pbx'): Promise<void> {
  const trunk = client.trunking.v1.trunks(trunkSid);
  const addresses = await client.sip.ipAccessControlLists.create({ friendlyName });
  await client.sip
    .ipAccessControlLists(addresses.sid)
    .ipAddresses.create({ friendlyName: 'here', ipAddress: '127.0.0.1', cidrPrefixLength: 8 });
  await trunk.ipAccessControlLists.create({ ipAccessControlListSid: addresses.sid });
  const users = await client.sip.credentialLists.create({ friendlyName });
  await client.sip.credentialLists(users.sid).credentials.create({ username: 'pbx', password: PASSWORD });
  await trunk.credentialsLists.create({ credentialListSid: users.sid });
}
