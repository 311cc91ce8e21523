// baresip as the PBX of a secure trunk: TLS and SRTP both ways, the carrier's side without.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toneLevel } from '../../src/media/index.ts';
import { certificateFor } from '../support/certificates.ts';
import { hears } from '../support/dial-scene.ts';
import { listenerOf, listOf, PASSWORD } from '../support/doors.ts';
import { hearsTone } from '../support/softphone.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { NUMBER, OUTSIDE, OUTSIDE_HZ, PHONE_HZ, TrunkScene } from '../support/trunk-scene.ts';
import { type Baresip, hasBaresip, startBaresip } from './baresip.ts';

const certificate = certificateFor('127.0.0.1');
const patience = { timeout: 12_000 };
/** Of baresip. */
const PBX_HZ = 440;
/** What it says when sound goes, and by which keys. */
const SECURED = 'AES_CM_128_HMAC_SHA1_80';

describe.skipIf(!hasBaresip)('baresip behind a secure trunk', () => {
  let folder: string;
  let scene: TrunkScene;
  let pbx: Baresip;

  beforeEach(async () => {
    folder = tempFolder();
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const TANDEM_TLS_CERT = file('cert.pem', certificate.cert);
    const TANDEM_TLS_KEY = file('key.pem', certificate.key);
    const env = { TANDEM_TLS_CERT, TANDEM_TLS_KEY, TANDEM_SIP_CA: TANDEM_TLS_CERT };
    scene = await TrunkScene.open({ trunk: { secure: true }, env });
  });
  afterEach(async ({ task }) => {
    await pbx.stop();
    await scene.close(task.result?.state === 'fail');
  });

  async function start(srtp: boolean): Promise<void> {
    pbx = await startBaresip({
      registrar: listenerOf(scene.exchange, 'tls').port,
      transport: 'tls',
      password: PASSWORD,
      ca: certificate.cert,
      certificate,
      domain: scene.trunk.domainName,
      user: NUMBER,
      authUser: 'pbx',
      intervalS: 0,
      srtp,
      recordings: folder,
    });
  }

  it('calls out, and both hear', async () => {
    await start(true);
    const carrier = await scene.peer();
    await scene.route('', carrier.uri);
    await pbx.command('dial', `sip:${OUTSIDE}@${scene.trunk.domainName}`);
    await pbx.said('Call established');
    await hears(carrier, PBX_HZ);
    await expect.poll(() => hasHeard(folder, OUTSIDE_HZ), patience).toBe(true);
    expect(pbx.output()).toContain(SECURED);
    await pbx.command('hangup');
    await carrier.event('ended');
    expect(await scene.ended()).toMatchObject({ status: 'completed', direction: 'trunking-terminating' });
  });

  it('is called, and both hear', async () => {
    await start(true);
    await scene.urls(`sip:127.0.0.1:${pbx.ports.tls}`);
    const carrier = await scene.callsIn({ srtp: false });
    await carrier.answered;
    void carrier.session.play({ kind: 'tone', frequenciesHz: [PHONE_HZ], durationMs: 30_000 });
    await expect.poll(() => hearsTone(carrier, PBX_HZ), patience).toBe(true);
    await expect.poll(() => hasHeard(folder, PHONE_HZ), patience).toBe(true);
    expect(pbx.output()).toContain(SECURED);
    carrier.hangUp();
    await pbx.said('session closed');
    expect(await scene.ended()).toMatchObject({ status: 'completed', direction: 'trunking-originating' });
  });

  it('takes no call where it offers no SRTP', async () => {
    await start(false);
    scene.hasRefused = true;
    const carrier = await scene.peer();
    await scene.route('', carrier.uri);
    await pbx.command('dial', `sip:${OUTSIDE}@${scene.trunk.domainName}`);
    await pbx.said('488');
    await expect
      .poll(() => listOf(scene.exchange, 'RejectedCalls', `?TrunkSid=${scene.trunk.sid}`), patience)
      .toMatchObject([{ status: 488, error_code: 32_208 }]);
    expect(carrier.invites()).toBe(0);
  });
});

/** Whether the tone is in what baresip has kept of what it heard: 16 bit at 8 kHz after 44 bytes of header. */
function hasHeard(folder: string, hz: number): boolean {
  const file = readdirSync(folder).find((name) => name.endsWith('-dec.wav'));
  if (file === undefined) return false;
  const bytes = readFileSync(join(folder, file)).subarray(44);
  const samples = Int16Array.from({ length: bytes.length >> 1 }, (_, at) => bytes.readInt16LE(at * 2));
  return toneLevel(samples, hz) > 10 * toneLevel(samples, 1400) && toneLevel(samples, hz) > 0.01;
}
