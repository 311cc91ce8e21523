// baresip at a SIP domain of a running exchange: it calls and is dialled, is heard, hears, presses keys, holds.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toneLevel } from '../../src/media/index.ts';
import { certificateFor } from '../support/certificates.ts';
import { listenerOf, listOf, PASSWORD } from '../support/doors.ts';
import { type Inbound, startInbound } from '../support/inbound.ts';
import { hearsTone, type SoftCall } from '../support/softphone.ts';
import { hasBaresip, startBaresip } from './baresip.ts';

const certificate = certificateFor('127.0.0.1');
const patience = { timeout: 15_000 };
/** Of baresip. */
const PHONE_HZ = 440;

describe.skipIf(!hasBaresip)('baresip at a SIP domain', { timeout: 60_000 }, () => {
  let folder: string;
  let inbound: Inbound;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-phones-'));
  });
  afterEach(async () => {
    await inbound.stop();
    rmSync(folder, { recursive: true });
  });

  const start = async (secure: boolean): Promise<void> => {
    const files = { TANDEM_TLS_CERT: join(folder, 'cert.pem'), TANDEM_TLS_KEY: join(folder, 'key.pem') };
    writeFileSync(files.TANDEM_TLS_CERT, certificate.cert);
    writeFileSync(files.TANDEM_TLS_KEY, certificate.key);
    inbound = await startInbound({ secure, settings: files, users: ['phone', 'alice'] });
  };

  const phoneOver = (transport: 'udp' | 'tcp' | 'tls', srtp: boolean) =>
    startBaresip({
      registrar: listenerOf(inbound.exchange, transport).port,
      transport,
      password: PASSWORD,
      ca: certificate.cert,
      domain: inbound.domain.name,
      intervalS: 900,
      srtp,
      recordings: folder,
    });

  it.each([
    ['UDP', 'udp', false],
    ['TCP', 'tcp', false],
    ['TLS with SRTP', 'tls', true],
  ] as const)('over %s', async (_name, transport, secure) => {
    await start(secure);
    const { domain, twiml, exchange } = inbound;
    twiml['/voice'] =
      '<Gather action="/digits" numDigits="4" timeout="30"><Play loop="0">/tone.wav</Play></Gather>';
    twiml['/digits'] = '<Play>/tone.wav</Play><Hangup/>';
    const phone = await phoneOver(transport, secure);
    try {
      await expect
        .poll(() => listOf(exchange, 'Registrations', `?DomainSid=${domain.sid}`), patience)
        .toMatchObject([{ transport }]);
      await phone.command('dial', `sip:5000@${domain.name}`);
      const voice = await inbound.asked('/voice');
      expect(voice.parameters).toMatchObject({
        From: `sip:phone@${domain.name}`,
        To: `sip:5000@${domain.name}`,
        SipDomain: domain.name,
        SipUsername: 'phone',
        CallStatus: 'ringing',
      });
      const sid = await inbound.sidOf();
      await exchange.reached(sid, 'in-progress');
      for (const key of '12#4') await phone.command('sndcode', key);
      expect((await inbound.asked('/digits')).parameters).toMatchObject({ Digits: '12', CallSid: sid });
      expect((await exchange.ended(sid)).status).toBe('completed');
      await expect.poll(() => heardBy(folder), patience).toBe(true);
    } finally {
      await phone.stop();
    }
    await exchange.quiet();
    await expect
      .poll(() => exchange.counts(), patience)
      .toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0 });
  });

  it.each([
    ['UDP', 'udp', false],
    ['TCP', 'tcp', false],
    ['TLS with SRTP', 'tls', true],
  ] as const)('is dialled by a caller, and both hear, over %s', async (_name, transport, secure) => {
    await start(secure);
    const { domain, twiml, exchange } = inbound;
    twiml['/voice'] = `<Dial><Sip>sip:phone@${domain.name}${secure ? ';secure=true' : ''}</Sip></Dial>`;
    const phone = await phoneOver(transport, secure);
    try {
      await expect
        .poll(() => listOf(exchange, 'Registrations', `?DomainSid=${domain.sid}`), patience)
        .toMatchObject([{ transport }]);
      const caller = await inbound.call();
      await caller.answered;
      await phone.said('Call established');
      void caller.session.play({ kind: 'tone', frequenciesHz: [1000], durationMs: 60_000 });
      await expect.poll(() => hearsTone(caller, PHONE_HZ), patience).toBe(true);
      await expect.poll(() => heardBy(folder), patience).toBe(true);
      // Hold through the bridge: the phone asks for it, and what it sends is not heard any more.
      await phone.command('hold');
      await expect.poll(() => packetsSoon(caller, PHONE_HZ), patience).not.toBe('tone');
      await phone.command('resume');
      await expect.poll(() => packetsSoon(caller, PHONE_HZ), patience).toBe('tone');
      caller.hangUp();
      // After less than a second it says no more of its end.
      await phone.said('session closed');
    } finally {
      await phone.stop();
    }
    await exchange.quiet();
  });

  it('without SRTP is refused where the domain is secure', async () => {
    await start(true);
    const { domain, exchange, app } = inbound;
    const phone = await phoneOver('tls', false);
    try {
      await phone.command('dial', `sip:5000@${domain.name}`);
      await expect
        .poll(() => listOf(exchange, 'RejectedCalls', `?DomainSid=${domain.sid}`), patience)
        .toMatchObject([{ status: 488, error_code: 32_208 }]);
    } finally {
      await phone.stop();
    }
    expect(app.requests).toEqual([]);
  });
});

/** Whether the recording of what the phone heard has the app's tone in it: 16 bit at 8 kHz after 44 bytes of header. */
function heardBy(folder: string): boolean {
  const file = readdirSync(folder).find((name) => name.endsWith('-dec.wav'));
  if (file === undefined) return false;
  const bytes = readFileSync(join(folder, file)).subarray(44);
  const samples = new Int16Array(Math.floor(bytes.length / 2));
  for (let at = 0; at < samples.length; at++) samples[at] = bytes.readInt16LE(at * 2);
  return toneLevel(samples, 1000) > 10 * toneLevel(samples, 1400) && toneLevel(samples, 1000) > 0.01;
}

/** What comes while a third of a second passes. */
async function packetsSoon(caller: SoftCall, hz: number): Promise<'tone' | 'silence' | 'nothing'> {
  const before = (await caller.heard()).length;
  await new Promise((resolve) => setTimeout(resolve, 330));
  const heard = (await caller.heard()).slice(before);
  if (heard.length < 800) return 'nothing';
  return toneLevel(heard, hz) > 0.01 ? 'tone' : 'silence';
}
