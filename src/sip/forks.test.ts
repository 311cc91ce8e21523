// One INVITE of ours that has many answers: a proxy forked it, or somebody plays.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { heldOctets } from '../../test/support/held-octets.ts';
import { RawPeer, type Reply, reply, request } from '../../test/support/raw-peer.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import {
  createUserAgent,
  type Dialog,
  type Endpoint,
  type InviteHandlers,
  type SipMessage,
  type UserAgent,
} from './index.ts';

let clock: FakeClock;
let agent: UserAgent;
let peer: RawPeer;
let sent: SipMessage;
let events: string[];
let dialog: Dialog | undefined;
let told: WeakRef<InviteHandlers>;

beforeEach(async () => {
  clock = new FakeClock();
  const listen = [{ host: '127.0.0.1', port: 0 }];
  agent = await createUserAgent({ clock, random: seededRandom(7), log: silentLog, listen });
  peer = await RawPeer.open();
  events = [];
  const handlers: InviteHandlers = {
    provisional: ({ status }) => events.push(`${status}`),
    answered: (made) => {
      dialog = made;
      events.push('answered');
    },
    failed: ({ kind }) => events.push(`failed ${kind}`),
    late: ({ kind }) => events.push(`late ${kind}`),
  };
  told = new WeakRef(handlers);
  agent.invite(
    {
      uri: `sip:b@127.0.0.1:${peer.endpoint.port}`,
      from: 'sip:a@tandem.example',
      destination: peer.endpoint,
      body: { contentType: 'application/sdp', content: 'v=0\r\n' },
    },
    handlers,
  );
  sent = await peer.next('INVITE');
});

afterEach(async () => {
  await agent.close();
  peer.close();
  expect(clock.pending).toBe(0);
});

const there = (): Endpoint => agent.listening[0] as Endpoint;
const answer = (status: number, options: Reply): void =>
  peer.send(reply(sent, status, { contact: `sip:b@127.0.0.1:${peer.endpoint.port}`, ...options }), there());

/** The peer's OPTIONS is answered when everything before it has been dealt with. */
async function settled(branch: string): Promise<void> {
  peer.send(request('OPTIONS', peer, { branch, callId: branch }), there());
  expect((await peer.next(200)).callId).toBe(branch);
}

it('makes 32 early dialogs at most', async () => {
  const headers = 'Require: 100rel\r\nRSeq: 1\r\n';
  for (let fork = 1; fork <= 40; fork++) answer(183, { tag: `e${fork}`, headers });
  for (let fork = 1; fork <= 32; fork++) expect((await peer.next('PRACK')).toTag).toBe(`e${fork}`);
  await settled('early');
  expect(agent.counts().dialogs).toBe(32);
  expect(peer.heard).toEqual([]);
  expect(events).toHaveLength(32);
});

it('has 32 answers acknowledged at most, and all but the first ended', async () => {
  for (let fork = 1; fork <= 40; fork++) answer(200, { tag: `b${fork}` });
  for (let fork = 1; fork <= 32; fork++) {
    expect((await peer.next('ACK')).toTag).toBe(`b${fork}`);
    if (fork > 1) expect((await peer.next('BYE')).toTag).toBe(`b${fork}`);
  }
  await settled('answers');
  expect(agent.counts().dialogs).toBe(32);
  expect(events).toEqual(['answered', ...Array.from({ length: 31 }, () => 'late answer')]);
  expect(peer.heard).toEqual([]);
  // Each copy of one that was taken is acknowledged again.
  answer(200, { tag: 'b32' });
  expect((await peer.next('ACK')).toTag).toBe('b32');
});

it('tells of further answers while the dialog lasts, and ends them after it all the same', async () => {
  answer(200, { tag: 'b1' });
  await peer.next('ACK');
  answer(200, { tag: 'b2' });
  await peer.next('ACK');
  await peer.next('BYE');
  heldOctets();
  expect(told.deref()).toBeDefined();
  dialog?.bye();
  dialog = undefined;
  peer.send(reply(await peer.next('BYE'), 200), there());
  await settled('ended');
  // A whole call hangs on them, and copies of the 2xx may come for 32 s.
  heldOctets();
  expect(told.deref()).toBeUndefined();
  answer(200, { tag: 'b3' });
  expect((await peer.next('ACK')).toTag).toBe('b3');
  expect((await peer.next('BYE')).toTag).toBe('b3');
  answer(200, { tag: 'b1' });
  expect((await peer.next('ACK')).toTag).toBe('b1');
  expect(events).toEqual(['answered', 'late answer']);
});
