// Targets that answer when nobody waits any more, or more often than once: over UDP, TCP and TLS.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/sip/index.ts';
import { type Exchange, startExchange, type TestCarrier } from '../support/exchange.ts';
import {
  ANSWER_SDP,
  type Datagram,
  headerOf,
  PEER_CERTIFICATE,
  type SipPeer,
  startSipPeer,
} from '../support/sip-peer.ts';
import { openStreamPeer } from '../support/stream-peer.ts';

/** The time only bounds a failing test. */
const soon = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 });

const OK = { body: ANSWER_SDP };

let folder: string;
let exchange: Exchange;
/** The target that is tried first. */
let peer: SipPeer;
/** The one after it. */
let alive: TestCarrier;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-late-'));
  writeFileSync(join(folder, 'ca.pem'), PEER_CERTIFICATE.cert);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Where the exchange listens. */
function door(transport: Endpoint['transport']): Endpoint {
  const { sip, sips = '' } = exchange.tandem;
  const [address = '', port] = (transport === 'tls' ? sips : sip).split(':');
  return { transport, address, port: Number(port) };
}

/** Sends by a connection, or a socket, that nothing went by before; resolves with what closes it. */
async function sendAnew(text: string, to: Endpoint): Promise<() => unknown> {
  if (to.transport === 'udp') {
    const other = await startSipPeer();
    other.send(text, to);
    return other.close;
  }
  const other = await openStreamPeer(to);
  other.write(text);
  return other.close;
}

const call = async (...targets: readonly string[]): Promise<string> =>
  exchange.place(await exchange.trunkTo(...targets));

const statusOf = async (sid: string) => (await exchange.client.calls(sid).fetch()).status;
const sent = (what: string): readonly Datagram[] => peer.received.filter((each) => each.what === what);
const tagOf = (message: Datagram): string => /;tag=(\w+)/.exec(headerOf(message, 'To'))?.[1] ?? '';
const ackTags = (): readonly string[] => sent('ACK').map(tagOf).toSorted();

/** The tags of the dialogs that got BYE: over UDP one may come again. */
const byeTags = (): readonly string[] => [...new Set(sent('BYE').map(tagOf))].toSorted();

/** What the trace says came late from the peer. */
const late = async (sid: string): Promise<readonly string[]> =>
  (await exchange.trace(sid)).events
    .map(({ text }) => text)
    .filter((text) => text.startsWith('late '))
    .map((text) => text.replace(`late from ${peer.uri}: `, ''));

/** A call that is up with the other target, and the INVITE that the peer has not answered. */
async function givenUp(): Promise<{ sid: string; invite: Datagram }> {
  const sid = await call(peer.uri, alive.uri);
  const invite = await peer.next('INVITE');
  exchange.hurry(4_000);
  await exchange.reached(sid, 'in-progress');
  const [first] = (await exchange.trace(sid)).attempts;
  expect(first).toMatchObject({ result: 'failed over', why: 'no response within 4 s' });
  return { sid, invite };
}

/** A call that the peer has answered. */
async function answered(): Promise<{ sid: string; invite: Datagram }> {
  const sid = await call(peer.uri);
  const invite = await peer.next('INVITE');
  peer.respond(invite, '180 Ringing');
  peer.respond(invite, '200 OK', OK);
  await exchange.reached(sid, 'in-progress');
  await peer.next('ACK');
  return { sid, invite };
}

async function endedByUs(tag: string): Promise<Datagram> {
  await soon(byeTags).toContain(tag);
  for (const bye of sent('BYE')) peer.respond(bye, '200 OK');
  return sent('BYE').find((each) => tagOf(each) === tag) as Datagram;
}

/** Hangs up what is up, and sees that nothing is left of it. */
async function nothingIsLeft(sid: string): Promise<void> {
  if ((await statusOf(sid)) === 'in-progress') {
    await exchange.client.calls(sid).update({ status: 'completed' });
  }
  await exchange.ended(sid);
  if (ackTags().includes('peer')) await endedByUs('peer');
  await exchange.quiet();
  await soon(() => exchange.counts()).toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0 });
  // Connections have timers as long as they are there.
  await Promise.all([alive.close(), peer.disconnect()]);
  await soon(() => {
    exchange.hurry();
    return exchange.counts();
  }).toMatchObject({ transactions: 0, dialogs: 0, timers: 0 });
}

describe.each(['udp', 'tcp', 'tls'] as const)('over %s', (transport) => {
  beforeEach(async () => {
    exchange = await startExchange({ TANDEM_SIP_CA: join(folder, 'ca.pem') });
    peer = await startSipPeer(transport);
    alive = await exchange.carrier({ transport, tls: PEER_CERTIFICATE, ringMs: 0 });
  });
  afterEach(async () => {
    await exchange.stop();
    await peer.close();
  });

  it('a target that was given up gets ACK and BYE when it answers late, and no CANCEL', async () => {
    const { sid, invite } = await givenUp();
    peer.respond(invite, '200 OK', OK);
    const bye = await endedByUs('peer');
    expect(headerOf(bye, 'Call-ID')).toBe(headerOf(invite, 'Call-ID'));
    const ack = await peer.next('ACK');
    expect(headerOf(ack, 'CSeq')).toBe(`${headerOf(invite, 'CSeq').split(' ')[0]} ACK`);
    expect(headerOf(ack, 'Via')).not.toBe(headerOf(invite, 'Via'));
    expect(ackTags()).toEqual(['peer']);
    expect(sent('CANCEL')).toEqual([]);
    expect(await late(sid)).toEqual(['200, answered with ACK, BYE']);
    expect(await statusOf(sid)).toBe('in-progress');
    await nothingIsLeft(sid);
  });

  it('a target that was given up gets CANCEL when it rings late, never before', async () => {
    const { sid, invite } = await givenUp();
    expect(sent('CANCEL')).toEqual([]);
    const sentSoFar = peer.received.length;
    peer.respond(invite, '180 Ringing');
    const cancel = await peer.next('CANCEL');
    expect(headerOf(cancel, 'Via')).toBe(headerOf(invite, 'Via'));
    peer.respond(invite, '183 Session Progress', OK);
    peer.respond(cancel, '200 OK');
    peer.respond(invite, '487 Request Terminated', { tag: 'gone' });
    const ack = await peer.next('ACK');
    expect(headerOf(ack, 'Via')).toBe(headerOf(invite, 'Via'));
    expect(tagOf(ack)).toBe('gone');
    const since = peer.received.slice(sentSoFar).map(({ what }) => what);
    expect([...new Set(since)]).toEqual(['CANCEL', 'ACK']);
    await soon(() => late(sid)).toEqual(['180, answered with CANCEL', '487']);
    expect(await statusOf(sid)).toBe('in-progress');
    await nothingIsLeft(sid);
  });

  it('a target that was given up rings late from one fork, answers from two, from one of them twice: each is ended', async () => {
    const { sid, invite } = await givenUp();
    peer.respond(invite, '180 Ringing', { tag: 'third' });
    peer.respond(await peer.next('CANCEL'), '200 OK');
    for (const tag of ['one', 'two', 'one']) peer.respond(invite, '200 OK', { ...OK, tag });
    await soon(ackTags).toEqual(['one', 'one', 'two']);
    await endedByUs('one');
    await endedByUs('two');
    expect(byeTags()).toEqual(['one', 'two']);
    const answer = '200, answered with ACK, BYE';
    expect(await late(sid)).toEqual(['180, answered with CANCEL', answer, answer]);
    expect(await statusOf(sid)).toBe('in-progress');
    await nothingIsLeft(sid);
  });

  it('a call is left canceled when the callee answers while the API cancels', async () => {
    const sid = await call(peer.uri);
    const invite = await peer.next('INVITE');
    peer.respond(invite, '180 Ringing');
    await exchange.reached(sid, 'ringing');
    await exchange.client.calls(sid).update({ status: 'canceled' });
    const cancel = await peer.next('CANCEL');
    peer.respond(invite, '200 OK', OK);
    peer.respond(cancel, '200 OK');
    await endedByUs('peer');
    expect(ackTags()).toEqual(['peer']);
    expect((await exchange.ended(sid)).status).toBe('canceled');
    await soon(() => late(sid)).toEqual(['200, answered with ACK, BYE']);
    await nothingIsLeft(sid);
  });

  it('an answered call is acknowledged again at every 200, and a second fork is ended', async () => {
    const { sid, invite } = await answered();
    peer.respond(invite, '200 OK', OK);
    for (const tag of ['fork', 'fork']) peer.respond(invite, '200 OK', { ...OK, tag });
    await endedByUs('fork');
    await soon(ackTags).toEqual(['fork', 'fork', 'peer', 'peer']);
    expect(byeTags()).toEqual(['fork']);
    expect(await late(sid)).toEqual(['200, answered with ACK, BYE']);
    expect(await statusOf(sid)).toBe('in-progress');
    await nothingIsLeft(sid);
  });

  it('a target that was given up and answers by another connection, its own being lost, gets ACK and BYE', async () => {
    const { sid, invite } = await givenUp();
    peer.disconnect();
    // RFC 3261 §18.2.2: to the address in the Via.
    const close = await sendAnew(peer.response(invite, '200 OK', OK), door(transport));
    await endedByUs('peer');
    expect(ackTags()).toEqual(['peer']);
    expect(await late(sid)).toEqual(['200, answered with ACK, BYE']);
    expect(await statusOf(sid)).toBe('in-progress');
    close();
    await nothingIsLeft(sid);
  });
});
