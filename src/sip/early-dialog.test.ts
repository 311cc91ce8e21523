// What happens inside a dialog before its INVITE has an answer: a peer that a test writes against a user agent.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  callee,
  clock,
  connect,
  events,
  hangUp,
  header,
  incoming,
  invite,
  link,
  ours,
  sdp,
  start,
  theirs,
  tick,
  traffic,
  useAgentPair,
  watch,
} from '../../test/support/agent-pair.ts';
import { type RawPeer, type RequestOptions, reply, request } from '../../test/support/raw-peer.ts';
import { referNotify } from './dialog/referral.ts';
import { parseMessage, type SipMessage } from './index.ts';

useAgentPair();

/** At its address messages are written by hand; the builders ask for its port alone. */
const PEER = '127.0.0.1';
const peer = { endpoint: { transport: 'udp', address: PEER, port: 5060 } } as RawPeer;
let heard: SipMessage[];
let say: (octets: string, address: string) => void;

beforeEach(() => {
  heard = [];
  const transport = link.attach(PEER, (octets) => heard.push(parseMessage(octets)));
  say = (octets, address) => {
    transport.send(octets, { transport: 'udp', address, port: 5060 });
    tick();
  };
});

const CALLEE = '192.0.2.2';
const CALLER = '192.0.2.1';
const statuses = (): string[] =>
  heard.splice(0).map(({ status, seqMethod, method }) => (status ? `${status} ${seqMethod}` : method));

describe('a caller in an early dialog', () => {
  let seq = 1;
  const ask = (method: string, options: Partial<RequestOptions> = {}): string =>
    request(method, peer, { branch: `${method}${seq}`, seq: seq++, ...options });

  async function ring(how?: { reliable: boolean }, headers = 'Supported: 100rel\r\n'): Promise<string> {
    seq = 1;
    await start();
    say(ask('INVITE', { headers, body: 'offer' }), CALLEE);
    incoming?.progress(183, how ? sdp('early') : undefined, how);
    tick();
    const last = heard.at(-1) as SipMessage;
    statuses();
    if (how)
      say(
        ask('PRACK', {
          to: last.header('To') as string,
          headers: `RAck: ${last.header('RSeq')} 1 INVITE\r\n`,
        }),
        CALLEE,
      );
    return last.header('To') as string;
  }

  it.each([undefined, { reliable: true }])('may hang up by BYE (%j)', async (how) => {
    const to = await ring(how);
    statuses();
    say(ask('BYE', { to }), CALLEE);
    expect(statuses().toSorted()).toEqual(['200 BYE', '487 INVITE']);
    expect(events).toEqual(['callee: canceled']);
    say(request('ACK', peer, { branch: 'INVITE1', to }), CALLEE);
    clock.advance(64_000);
    expect(callee.counts()).toEqual({ transactions: 0, dialogs: 0 });
  });

  it('may offer by UPDATE once its first offer has its answer', async () => {
    const to = await ring({ reliable: true });
    expect(statuses()).toEqual(['200 PRACK']);
    say(ask('UPDATE', { to, body: 'second' }), CALLEE);
    expect(heard.at(-1)?.body).toBe('callee answers second');
    expect(statuses()).toEqual(['200 UPDATE']);
    say(ask('UPDATE', { to, body: 'bad' }), CALLEE);
    expect(statuses()).toEqual(['488 UPDATE']);
    say(ask('BYE', { to }), CALLEE);
  });

  it('is told to wait with an UPDATE while its first offer has none', async () => {
    const to = await ring();
    say(ask('UPDATE', { to, body: 'second' }), CALLEE);
    const wait = Number(heard[0]?.header('Retry-After'));
    expect(wait).toBeGreaterThanOrEqual(0);
    expect(wait).toBeLessThanOrEqual(10);
    expect(statuses()).toEqual(['500 UPDATE']);
    say(ask('UPDATE', { to }), CALLEE);
    expect(statuses()).toEqual(['200 UPDATE']);
    say(ask('BYE', { to }), CALLEE);
  });

  it('may offer in a PRACK once its first offer has its answer', async () => {
    const to = await ring({ reliable: true });
    incoming?.progress(180, undefined, { reliable: true });
    tick();
    const rseq = heard.at(-1)?.header('RSeq');
    statuses();
    say(ask('PRACK', { to, headers: `RAck: ${rseq} 1 INVITE\r\n`, body: 'third' }), CALLEE);
    expect(heard.at(-1)?.body).toBe('callee answers third');
    expect(statuses()).toEqual(['200 PRACK']);
    say(ask('BYE', { to }), CALLEE);
  });

  it('may cancel while the 200 waits for a PRACK', async () => {
    seq = 1;
    await start();
    say(ask('INVITE', { headers: 'Supported: 100rel\r\n', body: 'offer' }), CALLEE);
    incoming?.progress(183, sdp('early'), { reliable: true });
    const dialog = incoming?.accept(sdp('early'));
    if (dialog) watch(dialog, 'callee');
    tick();
    expect(statuses()).toEqual(['100 INVITE', '183 INVITE']);
    say(request('CANCEL', peer, { branch: 'INVITE1' }), CALLEE);
    expect(statuses()).toEqual(['200 CANCEL', '487 INVITE']);
    expect(events).toEqual(['callee: ended remote', 'callee: canceled']);
    say(request('ACK', peer, { branch: 'INVITE1' }), CALLEE);
    clock.advance(64_000);
    expect(statuses()).toEqual([]);
    expect(callee.counts()).toEqual({ transactions: 0, dialogs: 0 });
  });
});

describe('a callee in an early dialog', () => {
  const reliable = {
    tag: 'them',
    contact: `sip:${PEER}`,
    headers: 'Require: 100rel\r\nRSeq: 1\r\n',
    body: 'early',
  };

  async function early(): Promise<SipMessage> {
    await start();
    invite(
      { destination: peer.endpoint },
      { offered: (offer) => (offer === 'bad' ? 488 : sdp(`caller answers ${offer}`)) },
    );
    tick();
    const [asked] = heard.splice(0) as [SipMessage];
    say(reply(asked, 183, reliable), CALLER);
    const prack = heard.splice(0).find(({ method }) => method === 'PRACK') as SipMessage;
    say(reply(prack, 200), CALLER);
    return asked;
  }

  const update = (asked: SipMessage, seq: number, body: string): string =>
    request('UPDATE', peer, {
      branch: `update${seq}`,
      callId: asked.callId,
      from: `${asked.header('To')};tag=them`,
      to: asked.header('From') as string,
      seq,
      body,
    });

  it('may offer by UPDATE, and the call goes on', async () => {
    const asked = await early();
    say(update(asked, 1, 'other'), CALLER);
    expect(heard[0]?.body).toBe('caller answers other');
    say(update(asked, 2, 'bad'), CALLER);
    expect(statuses()).toEqual(['200 UPDATE', '488 UPDATE']);
    say(reply(asked, 200, { tag: 'them', contact: `sip:${PEER}` }), CALLER);
    expect(statuses()).toEqual(['ACK']);
    expect(events.at(-1)).toBe('caller: answered ');
    hangUp();
  });

  it('of another fork is acknowledged and hung up, even after a stray refusal', async () => {
    const asked = await early();
    say(reply(asked, 200, { tag: 'them', contact: `sip:${PEER}` }), CALLER);
    expect(statuses()).toEqual(['ACK']);
    say(reply(asked, 486, { tag: 'stray' }), CALLER);
    say(reply(asked, 200, { tag: 'fork', contact: `sip:${PEER}` }), CALLER);
    expect(statuses()).toEqual(['ACK', 'BYE']);
    expect(events.at(-1)).toBe('caller: late answer 200');
    hangUp();
  });

  it('ends with its INVITE', async () => {
    const asked = await early();
    say(reply(asked, 486, { tag: 'them' }), CALLER);
    expect(statuses()).toEqual(['ACK']);
    say(update(asked, 1, 'other'), CALLER);
    expect(statuses()).toEqual(['481 UPDATE']);
    hangUp();
  });
});

describe('NOTIFY', () => {
  it('of the second REFER is told by its id, in any order', async () => {
    await start();
    connect();
    if (theirs) watch(theirs, 'callee', 202);
    const refer = { method: 'REFER', headers: [['Refer-To', '<sip:carol@example.com>']] } as const;
    ours?.request(refer);
    tick();
    const first = Number(header('REFER', 'CSeq').split(' ')[0]);
    ours?.request(refer);
    tick();
    const got: number[] = [];
    const notify = (id: number | undefined, status: number): void => {
      const { headers, body } = referNotify(status);
      const event = id === undefined ? 'refer' : `refer;id=${id}`;
      const kept = headers.filter(([name]) => name !== 'Event');
      theirs?.request({ method: 'NOTIFY', headers: [['Event', event], ...kept], body }, (outcome) => {
        if (outcome.kind === 'response') got.push(outcome.response.status);
      });
      tick();
    };
    notify(first + 1, 200);
    notify(first + 1, 200);
    notify(first, 100);
    notify(first, 200);
    notify(first + 7, 200);
    notify(undefined, 200);
    expect(got).toEqual([200, 481, 200, 200, 481, 481]);
    traffic();
    hangUp();
  });
});
