// An offer inside a dialog whose answer takes its time, as it does where a B2BUA asks its other leg first.
import { describe, expect, it } from 'vitest';
import {
  CALLEE,
  CALLER,
  clock,
  connect,
  events,
  hangUp,
  header,
  link,
  logged,
  ours,
  sdp,
  start,
  theirs,
  tick,
  traffic,
  useAgentPair,
} from '../../test/support/agent-pair.ts';
import type { Body, DialogHandlers, ReofferOutcome } from './agent.ts';

useAgentPair();

let answer: (body: Body | number) => void;
let fail: (error: Error) => void;

/** A call whose callee has been offered something and has not answered yet. */
async function offered(method: 'INVITE' | 'UPDATE' = 'INVITE'): Promise<void> {
  await start();
  connect();
  handle({
    offered: (offer) => {
      events.push(`offered ${offer}`);
      return new Promise((resolve, reject) => {
        answer = resolve;
        fail = reject;
      });
    },
  });
  traffic();
  ours?.reoffer(sdp('hold'), told, method);
  tick();
  expect(events.splice(0)).toEqual(['offered hold']);
}

const handle = (handlers: Pick<DialogHandlers, 'offered'>): void =>
  theirs?.handle({
    ended: (by) => events.push(`callee: ended ${by}`),
    withdrawn: () => events.push('withdrawn'),
    ...handlers,
  });

const told = (outcome: ReofferOutcome): void =>
  void events.push(
    outcome.kind === 'response' ? `${outcome.response.status} ${outcome.response.body}`.trim() : outcome.kind,
  );

/** What a promise leads to comes in a later turn. */
async function settle(): Promise<void> {
  await new Promise(setImmediate);
  tick();
}

/** The CANCEL of the last INVITE, from where that came. */
function cancel(): void {
  const invite = link.octets.findLast((octets) => octets.startsWith('INVITE')) as string;
  const head = invite.slice(0, invite.indexOf('\r\nContent-Type'));
  const octets = `${head.replace(/^INVITE/, 'CANCEL').replace(/INVITE$/m, 'CANCEL')}\r\nContent-Length: 0\r\n\r\n`;
  link.attach('192.0.2.9', () => {}).send(octets, { transport: 'udp', address: CALLEE, port: 5060 });
  tick();
}

describe('a promised answer', () => {
  it('to a re-INVITE: 100 at once, 200 once it is there', async () => {
    await offered();
    expect(traffic()).toEqual(['INVITE', '100']);
    clock.advance(20_000);
    expect(traffic()).toEqual([]);
    answer(sdp('held'));
    await settle();
    expect(traffic()).toEqual(['200', 'ACK']);
    expect(events).toEqual(['200 held']);
    hangUp();
  });

  it('to an UPDATE: its retransmissions are absorbed until then', async () => {
    await offered('UPDATE');
    clock.advance(1500);
    expect(traffic()).toEqual(['UPDATE', 'UPDATE', 'UPDATE']);
    answer(488);
    await settle();
    expect(traffic()).toEqual(['488']);
    expect(events).toEqual(['488']);
    hangUp();
  });

  it('keeps every other offer waiting, whoever makes it', async () => {
    await offered();
    theirs?.reoffer(sdp('ours'), told);
    expect(events.splice(0)).toEqual(['pending']);
    const invite = link.octets.findLast((octets) => octets.startsWith('INVITE')) as string;
    const second = invite.replace(/branch=\S+/, 'branch=z9hG4bKsecond').replace('CSeq: 2', 'CSeq: 3');
    link.attach(CALLER, () => {}).send(second, { transport: 'udp', address: CALLEE, port: 5060 });
    tick();
    expect(traffic().at(-1)).toBe('500');
    expect(header('SIP/2.0 500', 'Retry-After')).toMatch(/^\d+$/);
  });

  it('is not wanted any more after CANCEL: 487', async () => {
    await offered();
    traffic();
    cancel();
    expect(traffic()).toEqual(['CANCEL', '200', '487', 'ACK']);
    answer(sdp('too late'));
    await settle();
    expect(traffic()).toEqual([]);
    expect(events).toEqual(['withdrawn', '487']);
    ours?.reoffer(sdp('again'), told);
    tick();
    answer(sdp('in time'));
    await settle();
    expect(events.slice(2)).toEqual(['offered again', '200 in time']);
    hangUp();
  });

  it.each([
    ['INVITE', 32_000],
    ['UPDATE', 16_000],
  ] as const)('to %s that does not come within %i ms: 504', async (method, limitMs) => {
    await offered(method);
    clock.advance(limitMs - 1);
    expect(events).toEqual([]);
    clock.advance(1);
    expect(events).toEqual(['withdrawn', '504']);
    hangUp();
  });

  it('that fails, or is a mistake: 500, and the log hears of it', async () => {
    await offered();
    fail(new Error('no idea'));
    await settle();
    handle({
      offered: () => {
        throw new Error('a mistake');
      },
    });
    ours?.reoffer(sdp('again'), told);
    tick();
    expect(events).toEqual(['500', '500']);
    expect(logged.splice(0)).toHaveLength(2);
    hangUp();
  });

  it.each(['remote', 'local'] as const)('when the call ends before it (%s): 487', async (by) => {
    await offered();
    traffic();
    if (by === 'remote') ours?.bye();
    else theirs?.bye();
    tick();
    expect(traffic().toSorted()).toEqual(['200', '487', 'ACK', 'BYE']);
    answer(sdp('too late'));
    await settle();
    expect(traffic()).toEqual([]);
    expect(events).toContain(`callee: ended ${by}`);
    hangUp();
  });
});
