// Two user agents over a network in memory: what they can do with each other beyond call and hang-up.
import { describe, expect, it } from 'vitest';
import {
  CALLEE,
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
  restartCallee,
  sdp,
  setTheirs,
  start,
  theirs,
  tick,
  traffic,
  useAgentPair,
  watch,
} from '../../test/support/agent-pair.ts';
import type { Body, Dialog, InviteOptions, ServerInvite } from './agent.ts';
import { parseSipfrag, referNotify } from './dialog/referral.ts';
import type { SessionTimerSettings } from './dialog/session-interval.ts';

useAgentPair();

describe('reliable provisional responses (RFC 3262)', () => {
  it('are acknowledged by PRACK, one after the other, and the 200 waits for them', async () => {
    await start();
    invite();
    tick();
    link.swallow = (octets) => octets.startsWith('PRACK');
    incoming?.progress(183, sdp('early'), { reliable: true });
    incoming?.progress(180, undefined, { reliable: true });
    setTheirs(watch((incoming as ServerInvite).accept(sdp('early')), 'callee'));
    tick();
    expect(traffic()).toEqual(['INVITE', '100', '183', 'PRACK']);
    // Both retransmit: 0.5, 1.5 s.
    clock.advance(1500);
    expect(traffic()).toEqual(['PRACK', '183', 'PRACK', '183']);
    link.swallow = () => false;
    clock.advance(2000);
    expect(traffic().slice(-9)).toEqual(
      ['PRACK', '183', '200', '180', 'PRACK', '200', '200', 'ACK'].slice(-9),
    );
    expect(events).toEqual(['caller: 100', 'caller: 183 early', 'caller: 180', 'caller: answered early']);
    hangUp();
  });

  it('that nobody acknowledges end the call by 504 after 64·T1', async () => {
    await start();
    link.swallow = (octets) => octets.startsWith('PRACK');
    invite();
    tick();
    incoming?.progress(180, undefined, { reliable: true });
    clock.advance(32_000);
    expect(events).toEqual(['caller: 100', 'caller: 180', 'callee: canceled', 'caller: failed 504']);
    hangUp();
  });

  it('are plain ones to a caller who does not know them', async () => {
    await start();
    link.swallow = (octets) => octets.startsWith('INVITE');
    invite();
    tick();
    link.swallow = () => false;
    const plain = (link.octets[0] as string).replace('100rel, ', '');
    callee.onInvite((taken) => taken.progress(180, undefined, { reliable: true }));
    link.attach('192.0.2.9', () => {}).send(plain, { transport: 'udp', address: CALLEE, port: 5060 });
    tick();
    expect(link.octets.at(-1)).not.toContain('RSeq');
  });

  it('can carry the offer, answered in PRACK', async () => {
    await start();
    const { body: _, ...bodiless } = { body: sdp('x') };
    invite({ ...bodiless, body: undefined } as unknown as Partial<InviteOptions>, {
      offered: (offer) => sdp(`caller answers ${offer}`),
    });
    tick();
    incoming?.progress(183, sdp('late offer'), { reliable: true });
    tick();
    setTheirs(watch((incoming as ServerInvite).accept(sdp('late offer')), 'callee'));
    tick();
    expect(events).toEqual([
      'caller: 100',
      'caller: 183 late offer',
      'callee: answer caller answers late offer',
      'caller: answered late offer',
    ]);
    hangUp();
  });

  it('CANCEL during one', async () => {
    await start();
    const call = invite();
    tick();
    incoming?.progress(180, undefined, { reliable: true });
    tick();
    call.cancel();
    tick();
    expect(events).toEqual(['caller: 100', 'caller: 180', 'callee: canceled', 'caller: late final 487']);
    hangUp();
  });
});

describe('delayed offer', () => {
  it('the offer is in the 200, the answer in the ACK', async () => {
    await start();
    invite({ body: undefined } as unknown as Partial<InviteOptions>, {
      offered: (offer) => sdp(`caller answers ${offer}`),
    });
    tick();
    setTheirs(watch((incoming as ServerInvite).accept(sdp('their offer')), 'callee'));
    tick();
    expect(events).toEqual([
      'caller: 100',
      'caller: answered their offer',
      'callee: answer caller answers their offer',
    ]);
    hangUp();
  });

  it('that is not answered ends the call', async () => {
    await start();
    invite({ body: undefined } as unknown as Partial<InviteOptions>);
    tick();
    setTheirs(watch((incoming as ServerInvite).accept(sdp('their offer')), 'callee'));
    tick();
    expect(events).toEqual(['caller: 100', 'caller: failed 200', 'callee: ended remote']);
    hangUp();
  });
});

describe('our own re-INVITE and UPDATE', () => {
  it.each(['INVITE', 'UPDATE'] as const)('%s offers again, both ways', async (method) => {
    await start();
    connect();
    ours?.reoffer(
      sdp('hold'),
      (outcome) => events.push(`caller: ${outcome.kind === 'response' && outcome.response.body}`),
      method,
    );
    tick();
    theirs?.reoffer(
      sdp('resume'),
      (outcome) => events.push(`callee: ${outcome.kind === 'response' && outcome.response.body}`),
      method,
    );
    tick();
    expect(events).toEqual(['caller: callee answers hold', 'callee: caller answers resume']);
    hangUp();
  });

  it('glare: both get 491, the side without the Call-ID goes first', async () => {
    await start();
    connect();
    const told = (who: string) => (outcome: { kind: string }) =>
      events.push(`${who} ${outcome.kind} ${clock.now()}`);
    ours?.reoffer(sdp('a'), told('caller'));
    theirs?.reoffer(sdp('b'), told('callee'));
    ours?.reoffer(sdp('c'), told('second'));
    const startMs = clock.now();
    expect(events).toEqual([`second pending ${startMs}`]);
    tick();
    expect(traffic().filter((what) => what === '491')).toHaveLength(2);
    clock.advance(4100);
    const times = events.slice(1).map((event) => Number(event.split(' ')[2]) - startMs);
    expect(events.slice(1).map((event) => event.split(' ').slice(0, 2).join(' '))).toEqual([
      'callee response',
      'caller response',
    ]);
    expect(times[0]).toBeLessThanOrEqual(2000);
    expect(times[1]).toBeGreaterThanOrEqual(2100);
    hangUp();
  });

  it('to a peer that has forgotten the dialog ends it', async () => {
    await start();
    connect();
    await restartCallee();
    ours?.reoffer(sdp('hold'), () => {});
    tick();
    expect(events).toEqual(['caller: ended failure']);
    hangUp();
  });

  it('unanswered ends it too', async () => {
    await start();
    connect();
    link.swallow = (octets) => octets.startsWith('INVITE');
    ours?.reoffer(sdp('hold'), ({ kind }) => events.push(kind));
    clock.advance(32_000);
    expect(events).toEqual(['caller: ended failure', 'timeout', 'callee: ended remote']);
    hangUp();
  });
});

describe('INFO, REFER and NOTIFY', () => {
  it("INFO is the layer's above", async () => {
    await start();
    connect();
    const body: Body = { contentType: 'application/dtmf-relay', content: 'Signal=5' };
    ours?.request({ method: 'INFO', body }, (outcome) =>
      events.push(outcome.kind === 'response' ? `${outcome.response.status}` : ''),
    );
    tick();
    expect(events).toEqual(['callee: INFO Signal=5', '200']);
    hangUp();
  });

  it('REFER leads to NOTIFYs until one ends them', async () => {
    await start();
    connect();
    watch(theirs as Dialog, 'callee', 202);
    ours?.request({ method: 'REFER', headers: [['Refer-To', '<sip:carol@example.com>']] });
    tick();
    const statuses: (number | undefined)[] = [];
    const notify = (status: number): void => {
      theirs?.request({ method: 'NOTIFY', ...referNotify(status) }, (outcome) => {
        if (outcome.kind === 'response') statuses.push(outcome.response.status);
      });
      tick();
    };
    notify(100);
    notify(200);
    notify(200);
    expect(statuses).toEqual([200, 200, 481]);
    expect(events).toEqual([
      'callee: REFER',
      'caller: NOTIFY SIP/2.0 100 Trying',
      'caller: NOTIFY SIP/2.0 200 OK',
    ]);
    expect(['SIP/2.0 503 X', 'SIP/2.0 99', 'x'].map(parseSipfrag)).toEqual([503, undefined, undefined]);
    hangUp();
  });

  it('a NOTIFY that is made while the REFER is looked at leaves after its 202', async () => {
    await start();
    connect();
    theirs?.handle({
      ended: () => {},
      offered: () => 488,
      requested: () => {
        theirs?.request({ method: 'NOTIFY', ...referNotify(100) }, ({ kind }) => events.push(kind));
        return 202;
      },
    });
    traffic();
    ours?.request({ method: 'REFER', headers: [['Refer-To', '<sip:carol@example.com>']] });
    tick();
    expect(traffic()).toEqual(['REFER', '202', 'NOTIFY', '200']);
    expect(events).toEqual(['caller: NOTIFY SIP/2.0 100 Trying', 'response']);
    hangUp();
  });

  it.each([
    ['leaves after it', () => {}, ['ACK', 'INFO', '200'], ['caller: INFO', 'response']],
    [
      'never leaves where the call ends',
      () => theirs?.bye(),
      ['ACK', 'BYE', '200'],
      ['transport', 'caller: ended remote'],
    ],
  ])('one that the callee makes before the ACK has come %s', async (_, then, sent, happened) => {
    await start();
    invite();
    tick();
    setTheirs((incoming as ServerInvite).accept(sdp('answer')));
    traffic();
    theirs?.request({ method: 'INFO' }, ({ kind }) => events.push(kind));
    then();
    expect(traffic()).toEqual([]);
    tick();
    expect(traffic()).toEqual(sent);
    expect(events.filter((event) => !/100|answered/.test(event))).toEqual(happened);
    hangUp();
  });

  it('REFER while an offer is pending gets 491', async () => {
    await start();
    connect();
    link.swallow = (octets) => octets.startsWith('INVITE');
    theirs?.reoffer(sdp('x'), () => {});
    ours?.request({ method: 'REFER', headers: [['Refer-To', '<sip:c@d>']] }, (outcome) =>
      events.push(outcome.kind === 'response' ? `${outcome.response.status}` : ''),
    );
    tick();
    expect(events).toEqual(['491']);
    link.swallow = () => false;
    clock.advance(500);
    hangUp();
  });
});

describe('session timers (RFC 4028)', () => {
  const timer = (expiresS: number, minSeS = 90): { sessionTimer: SessionTimerSettings } => ({
    sessionTimer: { expiresS, minSeS },
  });

  it('the caller refreshes by UPDATE at half the interval', async () => {
    await start(timer(1800));
    connect();
    traffic();
    clock.advance(899_999);
    expect(traffic()).toEqual([]);
    clock.advance(1);
    expect(traffic()).toEqual(['UPDATE', '200']);
    clock.advance(900_000);
    expect(traffic()).toEqual(['UPDATE', '200']);
    expect(events).toEqual([]);
    hangUp();
  });

  it('a too short interval gets 422, and is asked for again as long as it must be', async () => {
    await start(timer(100), timer(4000, 300));
    connect();
    expect(traffic()).toEqual(['INVITE', '422', 'ACK', 'INVITE', '100', '200', 'ACK']);
    expect(header('INVITE', 'Session-Expires')).toBe('300');
    expect(header('INVITE', 'CSeq')).toBe('2 INVITE');
    hangUp();
  });

  it('a refresher that vanishes is noticed before the end', async () => {
    await start(timer(90));
    connect();
    link.swallow = (octets) => octets.startsWith('UPDATE');
    clock.advance(59_999);
    expect(events).toEqual([]);
    clock.advance(1);
    expect(events).toContain('callee: ended failure');
    hangUp();
  });

  it('who is refused the refresh hangs up before the end', async () => {
    await start(timer(90));
    connect();
    link.swallow = () => true;
    clock.advance(45_000 + 32_000);
    expect(events).toContain('caller: ended failure');
    link.swallow = () => false;
    hangUp();
  });
});
