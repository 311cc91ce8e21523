// Secure trunks: TLS and SRTP towards the PBX and from it, whatever the URL says, and nothing else.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hears } from '../support/dial-scene.ts';
import { listenerOf } from '../support/doors.ts';
import { hearsTone, PHONE_CERTIFICATE, Softphone } from '../support/softphone.ts';
import { refer, told } from '../support/transfers.ts';
import { NUMBER, OUTSIDE_HZ, PHONE_HZ, TrunkScene } from '../support/trunk-scene.ts';

const patience = { timeout: 12_000 };
const tone = (hz: number) => ({ kind: 'tone', frequenciesHz: [hz], durationMs: 20_000 }) as const;

let folder: string;
let env: Record<string, string>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-secure-'));
  env = { TANDEM_SIP_CA: join(folder, 'ca.pem') };
  writeFileSync(join(folder, 'ca.pem'), PHONE_CERTIFICATE.cert);
});
afterAll(() => rmSync(folder, { recursive: true }));

let scene: TrunkScene;
let pbx: Softphone;
beforeEach(async () => {
  pbx = await Softphone.open();
});
afterEach(async ({ task }) => {
  await scene.close(task.result?.state === 'fail');
  await pbx.close();
});

const portOf = (uri: string): string => /:(\d+)(?:;|$)/.exec(uri)?.[1] ?? '';

describe('a secure trunk', () => {
  beforeEach(async () => {
    scene = await TrunkScene.open({ trunk: { secure: true }, env });
  });

  it('calls its PBX over TLS with SRTP of the one suite, though its URL says UDP', async () => {
    const taking = await pbx.expects({ srtp: true });
    await scene.urls(`sip:127.0.0.1:${portOf(pbx.uri('tls'))};transport=udp`);
    const carrier = await scene.callsIn({ srtp: false });
    const taken = await taking();
    expect(taken.request.uri).toBe(pbx.uri('tls', NUMBER));
    expect(taken.request.header('Via')).toMatch(/^SIP\/2\.0\/TLS /);
    expect(taken.request.body).toMatch(/^m=audio \d+ RTP\/SAVP 0 8 101\r$/m);
    expect(taken.request.body.match(/^a=crypto:.*/gm)).toEqual([
      expect.stringMatching(/^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:/),
    ]);
    void taken.session.play(tone(OUTSIDE_HZ));
    await expect.poll(() => hearsTone(carrier, OUTSIDE_HZ), patience).toBe(true);
    void carrier.session.play(tone(PHONE_HZ));
    await expect.poll(() => hearsTone(taken, PHONE_HZ), patience).toBe(true);
    carrier.hangUp();
    await taken.ended;
    await scene.ended();
  });

  it('is as secure where its PBX sends the call', async () => {
    const here = await Softphone.open();
    const taking = await pbx.expects({ srtp: true });
    here.agent.onInvite((invite) =>
      invite.reject(302, [['Contact', `<sip:desk@127.0.0.1:${portOf(pbx.uri('tls'))};transport=tcp>`]]),
    );
    await scene.urls(here.uri('tls'));
    const carrier = await scene.callsIn({ srtp: false });
    const taken = await taking();
    expect(taken.request.uri).toBe(pbx.uri('tls', 'desk'));
    expect(taken.request.body).toContain('RTP/SAVP');
    await carrier.answered;
    carrier.hangUp();
    await scene.ended();
    await here.close();
  });

  it('takes no answer without SRTP: the carrier is refused, and the PBX is hung up on', async () => {
    const sdp =
      'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';
    const taking = await pbx.expects({ srtp: true, sdp });
    await scene.urls(pbx.uri('tls'));
    const carrier = await scene.callsIn({ srtp: false });
    expect((await carrier.final).status).toBe(502);
    expect((await (await taking()).ended).by).toBe('remote');
    expect((await scene.ended()).status).toBe('failed');
  });

  it('is called by its PBX over TLS with SRTP, and the carrier without', async () => {
    const carrier = await scene.peer();
    await scene.route('', carrier.uri);
    const call = await scene.callsOut();
    await call.answered;
    await expect.poll(() => hearsTone(call, OUTSIDE_HZ), patience).toBe(true);
    void call.session.play(tone(PHONE_HZ));
    await hears(carrier, PHONE_HZ);
    call.hangUp();
    await scene.ended();
  });

  it('transfers to a SIP URI over TLS with SRTP', async () => {
    await scene.exchange.client.trunking.v1.trunks(scene.trunk.sid).update({ transferMode: 'sip-only' });
    const carrier = await scene.peer();
    await scene.route('', carrier.uri);
    const call = await scene.callsOut();
    await call.answered;
    const taking = await pbx.expects({ srtp: true });
    const to = `<sip:kate@127.0.0.1:${portOf(pbx.uri('tls'))}>`;
    expect((await refer(call, to)).status).toBe(202);
    const taken = await taking();
    expect(taken.request.body).toMatch(/^m=audio \d+ RTP\/SAVP 0 8 101\r$/m);
    await told(call, 200);
    await hears(taken, OUTSIDE_HZ);
    carrier.hangUp();
    await taken.ended;
    await scene.exchange.quiet();
  });

  it('takes no call without TLS', async () => {
    const { final } = await scene.callsOut({ srtp: true, destination: listenerOf(scene.exchange, 'udp') });
    const response = await final;
    expect([response.status, response.header('X-Twilio-Error')]).toEqual([
      488,
      expect.stringMatching(/^32209 /),
    ]);
    scene.hasRefused = true;
  });
});

describe('a trunk that is not secure', () => {
  it('calls a sips: URL over TLS, with RTP', async () => {
    scene = await TrunkScene.open({ env });
    scene.overStreams = true;
    const taking = await pbx.expects();
    await scene.urls(`sips:127.0.0.1:${portOf(pbx.uri('tls'))}`);
    const carrier = await scene.callsIn();
    const taken = await taking();
    expect(taken.request.uri).toBe(pbx.uri('tls', NUMBER));
    expect(taken.request.body).toMatch(/^m=audio \d+ RTP\/AVP 0 8 101\r$/m);
    await carrier.answered;
    carrier.hangUp();
    await scene.ended();
  });

  it('follows its PBX to a sips: URI over TLS, with RTP', async () => {
    scene = await TrunkScene.open({ env });
    scene.overStreams = true;
    const here = await Softphone.open();
    const taking = await pbx.expects();
    here.agent.onInvite((invite) =>
      invite.reject(302, [['Contact', `<sips:desk@127.0.0.1:${portOf(pbx.uri('tls'))}>`]]),
    );
    await scene.urls(here.uri());
    const carrier = await scene.callsIn();
    const taken = await taking();
    expect(taken.request.uri).toBe(pbx.uri('tls', 'desk'));
    expect(taken.request.body).toMatch(/^m=audio \d+ RTP\/AVP 0 8 101\r$/m);
    await carrier.answered;
    carrier.hangUp();
    await scene.ended();
    await here.close();
  });
});
