// Strangers that send what they like.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { ANSWER_SDP, type Datagram, headerOf, type SipPeer, startSipPeer } from '../support/sip-peer.ts';

let exchange: Exchange;
let peer: SipPeer;

beforeEach(async () => {
  [exchange, peer] = await Promise.all([startExchange(), startSipPeer()]);
});

afterEach(async () => {
  await exchange.stop();
  await peer.close();
});

/** Places a call to the peer first, then to a carrier that answers; resolves with its sid. */
const callPeer = async (...next: readonly string[]): Promise<string> =>
  exchange.place(await exchange.trunkTo(peer.uri, ...next));

const SIP_PORT = () => Number(exchange.tandem.sip.split(':')[1]);

describe('an answered call', () => {
  const answered = async (): Promise<{ sid: string; invite: Datagram }> => {
    const sid = await callPeer();
    const invite = await peer.next('INVITE');
    peer.respond(invite, '180 Ringing');
    peer.respond(invite, '200 OK', { body: ANSWER_SDP });
    await exchange.reached(sid, 'in-progress');
    await peer.next('ACK');
    return { sid, invite };
  };

  it('is not touched by a stranger who guesses half of it', async () => {
    const { sid, invite } = await answered();
    const stranger = await startSipPeer();
    const bye = (from: string, to: string, callId: string) =>
      `BYE sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK${Math.random()}\r\nMax-Forwards: 70\r\n` +
      `From: ${from}\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: 900 BYE\r\nContent-Length: 0\r\n\r\n`;
    const us = headerOf(invite, 'From');
    const callId = headerOf(invite, 'Call-ID');
    const forged = [
      bye('<sip:x@y>;tag=peer', us.replace(/;tag=.*/, ';tag=guess'), callId),
      bye('<sip:x@y>;tag=guess', us, callId),
      bye('<sip:x@y>;tag=peer', us, `${callId}x`),
    ];
    for (const text of forged) stranger.send(text, { port: SIP_PORT(), address: '127.0.0.1' });
    await stranger.next('481');
    expect((await exchange.client.calls(sid).fetch()).status).toBe('in-progress');
    await stranger.close();
  });
});

describe('a hostile datagram', () => {
  it('changes nothing, and the next call goes through', async () => {
    const to = { port: SIP_PORT(), address: '127.0.0.1' };
    const before = exchange.counts();
    const invite = (extra: string) =>
      `INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKx\r\n${extra}\r\n\r\n`;
    const datagrams = [
      '',
      '\0'.repeat(1000),
      '\r\n\r\n',
      'INVITE',
      'SIP/2.0 200 OK\r\n\r\n',
      `SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKnone\r\nCSeq: 1 INVITE\r\nCall-ID: x\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n\r\n`,
      invite('Content-Length: 99999999999999999999'),
      invite('CSeq: 99999999999999999999 INVITE'),
      invite(`${'a'.repeat(60_000)}: b`),
      invite('From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: y\r\nCSeq: 1 BYE'),
      'OPTIONS sip:\xff SIP/2.0\r\nVia: \r\n\r\n',
      `CANCEL sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKnope\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 CANCEL\r\nMax-Forwards: 70\r\n\r\n`,
    ];
    for (const datagram of datagrams) peer.send(datagram, to);
    peer.send(
      `OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKopt\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n`,
      to,
    );
    await peer.next('200');
    expect(exchange.counts()).toMatchObject({
      calls: before.calls,
      dialogs: before.dialogs,
      mediaSessions: 0,
    });
    const sid = await callPeer((await exchange.carrier({ ringMs: 0 })).uri);
    peer.respond(await peer.next('INVITE'), '503 Service Unavailable');
    expect((await exchange.reached(sid, 'in-progress')).status).toBe('in-progress');
  });

  it('that invites by an address nobody mapped is refused, and nothing is remembered', async () => {
    peer.send(
      `INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKin\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: i\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@127.0.0.1>\r\n\r\n`,
      { port: SIP_PORT(), address: '127.0.0.1' },
    );
    const answer = await peer.next('403');
    expect(headerOf(answer, 'To')).toContain(';tag=');
    expect(exchange.counts()).toMatchObject({ transactions: 0, dialogs: 0 });
  });
});
