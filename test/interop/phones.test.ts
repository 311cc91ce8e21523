// baresip calls a SIP domain of a running exchange: it is heard, hears, presses keys, and is hung up on.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toneLevel } from '../../src/media/index.ts';
import { certificateFor } from '../support/certificates.ts';
import { listenerOf, listOf, PASSWORD } from '../support/doors.ts';
import { type Inbound, startInbound } from '../support/inbound.ts';
import { hasBaresip, startBaresip } from './baresip.ts';

const certificate = certificateFor('127.0.0.1');
const patience = { timeout: 15_000 };

describe.skipIf(!hasBaresip)('baresip calls a SIP domain', () => {
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
    inbound = await startInbound({ secure, settings: files, users: ['phone'] });
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
