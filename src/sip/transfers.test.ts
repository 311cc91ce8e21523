// Two user agents over a network in memory: calls that take each other's place (RFC 3891), and REFER as its receiver sees
// it (RFC 3515, RFC 4488).
import { describe, expect, it } from 'vitest';
import {
  caller,
  clock,
  connect,
  events,
  hangUp,
  incoming,
  invite,
  link,
  ours,
  sdp,
  setTheirs,
  start,
  theirs,
  tick,
  traffic,
  useAgentPair,
  watch,
} from '../../test/support/agent-pair.ts';
import type { Dialog, HeaderField, ServerInvite } from './agent.ts';
import { ReferSubscription, referTargetOf } from './dialog/refer-subscription.ts';
import { formatReplaces } from './message/refer.ts';

useAgentPair();

/** The call that is up, as the callee knows it. */
const named = (dialog: Dialog | undefined, part: object = {}): HeaderField => [
  'Replaces',
  formatReplaces({
    callId: dialog?.callId ?? '',
    toTag: dialog?.localTag ?? '',
    fromTag: dialog?.remoteTag ?? '',
    earlyOnly: false,
    ...part,
  }),
];

const callWith = (...headers: readonly HeaderField[]): void => {
  events.length = 0;
  invite({ headers });
  tick();
};

describe('an INVITE with Replaces', () => {
  it('names the dialog whose place it takes; its answer ends that one', async () => {
    await start();
    connect();
    const [first, before] = [ours, theirs];
    callWith(named(theirs));
    expect(incoming?.replaces).toBe(before);
    setTheirs(watch((incoming as ServerInvite).accept(sdp('answer')), 'callee'));
    tick();
    expect(events).toEqual([
      'caller: 100',
      'callee: ended local',
      'caller: answered answer',
      'caller: ended remote',
    ]);
    expect(caller.counts().dialogs).toBe(1);
    first?.bye();
    hangUp();
  });

  it.each<[string, (dialog: Dialog | undefined) => HeaderField[], string]>([
    ['of another Call-ID', (dialog) => [named(dialog, { callId: 'x@y' })], '481'],
    ['with the tags the other way', (dialog) => [named(dialog, swapped(dialog))], '481'],
    ['for an early dialog alone', (dialog) => [named(dialog, { earlyOnly: true })], '486'],
    ['that is malformed', () => [['Replaces', 'a;to-tag=1']], '400'],
    ['and another one', (dialog) => [named(dialog), named(dialog)], '400'],
  ])('%s', async (_name, headers, status) => {
    await start();
    connect();
    const before = incoming;
    callWith(...headers(theirs));
    expect(events).toEqual([`caller: failed ${status}`]);
    expect(incoming).toBe(before);
    hangUp();
  });

  const swapped = (dialog: Dialog | undefined) => ({ toTag: dialog?.remoteTag, fromTag: dialog?.localTag });

  it('of a dialog that ends in this moment', async () => {
    await start();
    connect();
    link.swallow = (octets) => octets.startsWith('BYE');
    theirs?.bye();
    callWith(named(theirs));
    expect(events).toEqual(['caller: failed 603']);
    link.swallow = () => false;
    hangUp();
  });

  it('of a call that rings', async () => {
    await start();
    invite();
    tick();
    incoming?.progress(180);
    tick();
    const [, toTag = ''] = /\nTo: .*tag=([^\r;]+)/.exec(link.octets.at(-1) ?? '') ?? [];
    const [, fromTag = ''] = /\nFrom: .*tag=([^\r;]+)/.exec(link.octets.at(-1) ?? '') ?? [];
    const ringing = incoming;
    callWith(
      named({ callId: incoming?.request.header('Call-ID'), localTag: toTag, remoteTag: fromTag } as Dialog),
    );
    expect(events).toEqual(['caller: failed 481']);
    setTheirs((ringing as ServerInvite).accept(sdp('answer')));
    tick();
    hangUp();
  });

  it('is supported, and may be required', async () => {
    await start();
    connect();
    callWith(named(theirs), ['Require', 'replaces']);
    expect(events).toEqual(['caller: 100']);
    incoming?.reject(486);
    tick();
    expect(link.octets.at(-2)).toContain('SIP/2.0 486');
    hangUp();
  });
});

describe('a REFER that is taken', () => {
  /** Sends one; what the callee makes of it, and the responses that its sender got. */
  function refer(headers: readonly HeaderField[] = [], isFirst = true): ReferSubscription {
    let taken: ReferSubscription | undefined;
    theirs?.handle({
      ended: () => {},
      offered: () => 488,
      requested: (request) => {
        const subscription = new ReferSubscription({ dialog: theirs as Dialog, clock }, request, isFirst);
        subscription.begin();
        taken = subscription;
        return subscription.accepted;
      },
    });
    ours?.request({ method: 'REFER', headers: [['Refer-To', '<sip:c@d>'], ...headers] }, (outcome) => {
      if (outcome.kind !== 'response') return events.push(outcome.kind);
      const { status, header } = outcome.response;
      const { response } = outcome;
      void header;
      return events.push(`${status} ${response.header('Refer-Sub') ?? response.header('Contact')}`);
    });
    tick();
    return taken as ReferSubscription;
  }

  const states = (): string[] =>
    link.octets
      .filter((octets) => octets.startsWith('NOTIFY'))
      .map(
        (octets) => `${/Event: (.*)\r/.exec(octets)?.[1]} ${/Subscription-State: (.*)\r/.exec(octets)?.[1]}`,
      );

  it('is told how its call stands, until the last word', async () => {
    await start();
    connect();
    const subscription = refer();
    clock.advance(2000);
    for (const status of [180, 180, 486, 200]) subscription.notify(status);
    tick();
    expect(events).toEqual([
      '202 <sip:192.0.2.2:5060>',
      'caller: NOTIFY SIP/2.0 100 Trying',
      'caller: NOTIFY SIP/2.0 180 Ringing',
      'caller: NOTIFY SIP/2.0 486 Busy Here',
    ]);
    expect(states()).toEqual([
      'refer active;expires=300',
      'refer active;expires=298',
      'refer terminated;reason=noresource',
    ]);
    expect(subscription.isOver).toBe(true);
    hangUp();
  });

  it('several of one dialog are told apart', async () => {
    await start();
    connect();
    const [first, second] = [refer(), refer([], false)];
    second.notify(200);
    first.notify(503);
    tick();
    expect(events.filter((event) => event.startsWith('caller'))).toEqual([
      'caller: NOTIFY SIP/2.0 100 Trying',
      'caller: NOTIFY SIP/2.0 100 Trying',
      'caller: NOTIFY SIP/2.0 200 OK',
      'caller: NOTIFY SIP/2.0 503 Service Unavailable',
    ]);
    expect(states().map((state) => state.split(' ')[0])).toEqual([
      'refer',
      'refer;id=3',
      'refer;id=3',
      'refer',
    ]);
    hangUp();
  });

  it('that wants no subscription gets none', async () => {
    await start();
    connect();
    traffic();
    const subscription = refer([
      ['Refer-Sub', 'False'],
      ['Require', 'norefersub'],
    ]);
    subscription.notify(200);
    tick();
    expect(traffic()).toEqual(['REFER', '202']);
    expect(events).toEqual(['202 false']);
    hangUp();
  });

  it('is told no more once its sender knows nothing of it', async () => {
    await start();
    connect();
    const subscription = refer();
    subscription.notify(200);
    tick();
    const late = refer([], false);
    ours?.handle({ ended: () => {}, offered: () => 488, requested: () => 481 });
    late.notify(180);
    tick();
    expect(late.isOver).toBe(true);
    traffic();
    late.notify(200);
    tick();
    expect(traffic()).toEqual([]);
    hangUp();
  });

  it('ends when its time is up', async () => {
    await start();
    connect();
    const subscription = refer();
    subscription.notify(180);
    clock.advance(300_000);
    subscription.notify(200);
    tick();
    expect(states().at(-1)).toBe('refer terminated;reason=timeout');
    expect(events.at(-1)).toBe('caller: NOTIFY SIP/2.0 180 Ringing');
    hangUp();
  });

  it.each([[[]], [['<sip:a@b>', '<sip:c@d>']], [['<sip:a@b?Replaces=x>']]])(
    'its target is unclear with Refer-To %j',
    async (values) => {
      await start();
      connect();
      const targets: unknown[] = [];
      theirs?.handle({
        ended: () => {},
        offered: () => 488,
        requested: (request) => {
          targets.push(referTargetOf(request));
          return 400;
        },
      });
      ours?.request({ method: 'REFER', headers: values.map((value) => ['Refer-To', value] as const) });
      tick();
      expect(targets).toEqual([undefined]);
      hangUp();
    },
  );
});
