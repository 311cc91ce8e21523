// What callers hear and how it is protected: hold, SRTP over TLS and nowhere else, and dialogs that go wrong.
import { afterEach, describe, expect, it } from 'vitest';
import { listenerOf, listOf } from '../support/doors.ts';
import { type Inbound, openDomain, startInbound } from '../support/inbound.ts';
import { RawPeer, request, until } from '../support/raw-peer.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';
import { hearsTone, type SoftCall } from '../support/softphone.ts';

let inbound: Inbound;
afterEach(() => inbound.stop());

/** Other programs may have the processor meanwhile. */
const patience = { timeout: 12_000 };

/** Packets that come to the phone while a fifth of a second passes, those included that it does not listen to. */
async function packetsSoon({ session }: SoftCall): Promise<number> {
  const arrived = async (): Promise<number> => {
    const { packetsReceived, packetsRefused } = await session.statistics();
    return packetsReceived + packetsRefused;
  };
  const before = await arrived();
  await new Promise((resolve) => setTimeout(resolve, 200));
  return (await arrived()) - before;
}

describe('a caller', () => {
  it('holds the call, hears nothing, and takes it back', async () => {
    inbound = await startInbound();
    inbound.twiml['/voice'] = '<Play loop="0">/tone.wav</Play>';
    const soft = await inbound.call();
    await soft.answered;
    await expect.poll(() => hearsTone(soft, 1000), patience).toBe(true);
    const [held, same] = [await soft.offer('inactive'), await soft.offer('inactive')];
    expect(held).toContain('a=inactive');
    // Offers that ask for the same are answered by the same description, word for word.
    expect(same).toBe(held);
    await expect.poll(() => packetsSoon(soft), patience).toBe(0);
    const back = await soft.offer('sendrecv');
    expect(back).toContain('a=sendrecv');
    expect(version(back)).toBe(version(held) + 1);
    await expect.poll(() => packetsSoon(soft), patience).toBeGreaterThan(0);
    soft.hangUp();
    await inbound.nothingLeft();
  });

  it('offers again what cannot be had: 488, and the call goes on as it was', async () => {
    inbound = await startInbound();
    inbound.twiml['/voice'] = '<Play loop="0">/tone.wav</Play>';
    const soft = await inbound.call();
    const dialog = await soft.answered;
    const content =
      'v=0\r\no=- 1 9 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 18\r\n';
    const status = await new Promise((resolve) =>
      dialog.reoffer({ contentType: 'application/sdp', content }, (outcome) =>
        resolve(outcome.kind === 'response' && outcome.response.status),
      ),
    );
    expect(status).toBe(488);
    await expect.poll(() => packetsSoon(soft), patience).toBeGreaterThan(0);
    await expect.poll(() => hearsTone(soft, 1000), patience).toBe(true);
    soft.hangUp();
    await inbound.nothingLeft();
  });

  it('asks by REFER to be sent elsewhere, which nothing provides for here', async () => {
    inbound = await startInbound();
    inbound.twiml['/voice'] = '<Say>Hello.</Say><Pause length="60"/>';
    const soft = await inbound.call();
    const dialog = await soft.answered;
    const refer = (target: string): Promise<unknown> =>
      new Promise((resolve) =>
        dialog.request({ method: 'REFER', headers: [['Refer-To', target]] }, (outcome) =>
          resolve(outcome.kind === 'response' && outcome.response.status),
        ),
      );
    expect(await refer('<sip:bob@elsewhere.example>')).toBe(403);
    expect(await refer('nobody at all')).toBe(400);
    soft.hangUp();
    await inbound.nothingLeft();
  });

  it('never acknowledges the answer: BYE and 32022', async () => {
    inbound = await startInbound();
    const { exchange, app, twiml } = inbound;
    twiml['/voice'] = '<Say>Hello.</Say><Pause length="60"/>';
    const name = await openDomain(exchange, { voiceUrl: `${app.url}/voice` });
    const peer = await RawPeer.open();
    const to = listenerOf(exchange, 'udp');
    peer.send(request('INVITE', peer, { uri: `sip:1000@${name}`, branch: '1', body: ANSWER_SDP }), to);
    const sid = await inbound.sidOf();
    await exchange.reached(sid, 'in-progress');
    // 64·T1, which the exchange waits for the ACK.
    exchange.hurry(32_000);
    expect((await exchange.ended(sid)).status).toBe('completed');
    await until(() => peer.heard.some(({ method }) => method === 'BYE'));
    peer.close();
    const notifications = await exchange.client.calls(sid).notifications.list();
    expect(notifications.map(({ errorCode, log }) => [errorCode, log])).toEqual([['32022', '0']]);
  });
});

describe('a secure domain', () => {
  it('is called over TLS with SRTP, both ways, through hold and back', async () => {
    inbound = await startInbound({ secure: true });
    inbound.twiml['/voice'] = '<Play loop="0">/tone.wav</Play>';
    const soft = await inbound.call();
    await soft.answered;
    const answer = soft.responses.at(-1)?.body ?? '';
    expect(answer).toMatch(/m=audio \d+ RTP\/SAVP 0 101\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:/);
    await expect.poll(() => hearsTone(soft, 1000), patience).toBe(true);
    await soft.offer('inactive');
    await soft.offer('sendrecv');
    await expect.poll(() => packetsSoon(soft), patience).toBeGreaterThan(0);
    const { packetsReceived, packetsRefused } = await soft.session.statistics();
    // Under load a packet may be late, and late ones are refused too.
    expect(packetsReceived).toBeGreaterThan(5 * packetsRefused);
    soft.hangUp();
    await inbound.nothingLeft({ overStreams: true });
    expect((await inbound.asked('/voice')).parameters).toMatchObject({ SipDomain: inbound.domain.name });
  });

  it.each([
    ['RTP over TLS', 'tls', false, 32_208],
    ['SRTP over TCP', 'tcp', true, 32_209],
    ['RTP over UDP', 'udp', false, 32_209],
  ] as const)('refuses %s', async (_name, transport, srtp, code) => {
    inbound = await startInbound({ secure: true });
    const soft = await inbound.call({ srtp, destination: listenerOf(inbound.exchange, transport) });
    const response = await soft.final;
    expect(response.status).toBe(488);
    expect(Number.parseInt(response.header('X-Twilio-Error') ?? '', 10)).toBe(code);
    await expect
      .poll(() => listOf(inbound.exchange, 'RejectedCalls', `?DomainSid=${inbound.domain.sid}`), patience)
      .toMatchObject([{ error_code: code }]);
  });

  it('is the only one that takes SRTP', async () => {
    inbound = await startInbound();
    const soft = await inbound.call({ srtp: true, destination: listenerOf(inbound.exchange, 'tls') });
    const response = await soft.final;
    expect([response.status, response.header('X-Twilio-Error')?.slice(0, 5)]).toEqual([488, '32207']);
  });
});

/** Version of a session description (RFC 8866 §5.2). */
const version = (sdp: string): number => Number(/^o=\S+ \S+ (\d+)/m.exec(sdp)?.[1]);
