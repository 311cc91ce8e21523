// SIPp calls a SIP domain of a running exchange: what each verb of the app's TwiML is on the wire. Refusals: refusals.test.ts.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listenerOf, openPhone, PASSWORD, register } from '../support/doors.ts';
import { type Inbound, openDomain, startInbound } from '../support/inbound.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';
import { allWentWell, hasSipp, type Sipp, startSipp } from './sipp.ts';
import { CALLEES } from './sipp-callee.ts';
import { answer, callerSteps, hear, hearNews, SIPP_SDP, scenario } from './sipp-caller.ts';

const RINGS = '<recv response="100" optional="true"/><recv response="180"/>';
const EARLY = '<recv response="183"/>';
const REFERRED =
  '<recv request="REFER"><action><ereg regexp="^ *&lt;sip:kate@pbx.example&gt;" search_in="hdr" header="Refer-To:" ' +
  'check_it="true" assign_to="to"/></action></recv><Reference variables="to"/>';

const stepsAt = (domain: string) => callerSteps({ domain, user: '1000', from: `alice@${domain}` });
type Steps = ReturnType<typeof stepsAt>;

/** Rings, is answered, and hung up on. */
const heard = ({ invite, ack, hungUp }: Steps): string[] => [invite(), RINGS, hear(200), ack(), hungUp];
/** Rings, and is refused. */
const refusedWith =
  (status: number) =>
  ({ invite, refused }: Steps): string[] => [invite(), RINGS, refused(status, undefined, { steps: 4 })];
const referred = ({ invite, ack, notify, hungUp }: Steps): string[] => [
  invite(),
  RINGS,
  hear(200),
  ack(),
  REFERRED,
  answer('202 Accepted'),
  notify('100 Trying', 2, 'active'),
  notify('200 OK', 3, 'terminated'),
  hungUp,
];
const transferred = ({ invite, ack, refer, hungUp }: Steps): string[] => [
  invite(),
  RINGS,
  hear(200),
  ack(),
  refer('<sip:desk@pbx.example>'),
  hear(202),
  hearNews(100, 180, 200),
  hungUp,
];

interface Verb {
  /** By path. CALLEE is the first callee's address, OTHER the second's, TRUNK a trunk that leads to the first. */
  readonly twiml: Readonly<Record<string, string>>;
  readonly caller: (steps: Steps) => string[];
  /** Scenarios of SIPp that are called. */
  readonly callees?: readonly string[];
  /** SIPp gives up a call that is sent two requests in one segment of TCP. */
  readonly isUdpOnly?: true;
}

const says = (document: string, caller: Verb['caller'], more: Omit<Verb['twiml'], '/voice'> = {}): Verb => ({
  twiml: { '/voice': document, ...more },
  caller,
});
const dials = (document: string, caller: Verb['caller'], ...callees: readonly string[]): Verb => ({
  twiml: { '/voice': document },
  caller,
  callees,
});

const BUSY = CALLEES.refuses('486 Busy Here');
const VERBS: readonly (readonly [name: string, verb: Verb])[] = [
  ['<Say>', says('<Say>Hi.</Say>', heard)],
  ['<Play>', says('<Play>/tone.wav</Play>', heard)],
  ['<Pause>, before it picks up', says('<Pause length="1"/><Say>Hi.</Say>', heard)],
  ['<Gather>', says('<Gather timeout="1"/>', heard)],
  ['<Record>', says('<Record maxLength="1" action="/next"/>', heard, { '/next': '<Hangup/>' })],
  ['<Hangup>', says('<Hangup/>', heard)],
  ['nothing', says('', heard)],
  ['<Redirect>', says('<Redirect>/next</Redirect>', heard, { '/next': '<Say>Hi.</Say>' })],
  ['<Reject>', says('<Reject/>', refusedWith(404))],
  ['<Reject> as busy', says('<Reject reason="busy"/>', refusedWith(486))],
  [
    '<Reject> by another document',
    says('<Redirect>/next</Redirect>', refusedWith(404), { '/next': '<Reject/>' }),
  ],
  [
    '<Refer>',
    says('<Refer action="/next"><Sip>sip:kate@pbx.example</Sip></Refer>', referred, { '/next': '<Hangup/>' }),
  ],
  [
    '<Dial> of a number',
    dials('<Dial><Number byoc="TRUNK">+15550001234</Number></Dial>', heard, CALLEES.hangsUp),
  ],
  ['<Dial> of a SIP address', dials('<Dial><Sip>CALLEE</Sip></Dial>', heard, CALLEES.hangsUp)],
  [
    '<Dial> that answers on the bridge',
    dials('<Dial answerOnBridge="true"><Sip>CALLEE</Sip></Dial>', heard, CALLEES.hangsUp),
  ],
  [
    '<Dial> of two, one of them busy',
    dials(
      '<Dial answerOnBridge="true"><Sip>CALLEE</Sip><Sip>OTHER</Sip></Dial>',
      heard,
      BUSY,
      CALLEES.hangsUp,
    ),
  ],
  [
    '<Dial> of somebody who is busy',
    {
      twiml: {
        '/voice': '<Dial answerOnBridge="true" action="/next"><Sip>CALLEE</Sip></Dial>',
        '/next': '<Reject reason="busy"/>',
      },
      caller: refusedWith(486),
      callees: [BUSY],
    },
  ],
  [
    '<Dial> of a user who is not registered',
    says('<Dial answerOnBridge="true" action="/next"><Sip>sip:bob@USERS</Sip></Dial>', refusedWith(404), {
      '/next': '<Reject/>',
    }),
  ],
  [
    '<Dial> whose caller has the callee go on without it',
    {
      twiml: {
        '/voice': '<Dial answerOnBridge="true" referUrl="/next"><Sip>CALLEE</Sip></Dial>',
        '/next': '<Dial><Sip>OTHER</Sip></Dial>',
      },
      caller: transferred,
      callees: ['uas', CALLEES.hangsUp],
      isUdpOnly: true,
    },
  ],
];

const TRANSPORTS = ['udp', 'tcp'] as const;
/** One socket for all calls. */
const MODES = { udp: 'u1', tcp: 't1' } as const;

describe.skipIf(!hasSipp)('SIPp calls a SIP domain', () => {
  let inbound: Inbound;
  /** It takes everything from here. */
  let open: string;

  beforeAll(async () => {
    inbound = await startInbound();
    open = await openDomain(inbound.exchange, { voiceUrl: `${inbound.app.url}/voice` });
  });
  afterAll(() => inbound.stop());
  beforeEach(() => {
    for (const path of Object.keys(inbound.twiml)) if (path !== '/status') delete inbound.twiml[path];
  });

  const callerOver = (transport: (typeof TRANSPORTS)[number], steps: readonly string[]): Promise<Sipp> => {
    const place = `127.0.0.1:${listenerOf(inbound.exchange, transport).port}`;
    return startSipp([place, '-t', MODES[transport], '-m', '1'], 'nowhere', scenario(...steps));
  };
  const caller = (...steps: readonly string[]): Promise<Sipp> => callerOver('udp', steps);
  const run = async (...steps: readonly string[]): Promise<void> => allWentWell([await caller(...steps)]);

  async function nothingIsLeft(): Promise<void> {
    await inbound.exchange.quiet();
    await expect
      .poll(() => inbound.exchange.counts(), { timeout: 12_000 })
      .toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0 });
  }

  const takes = (transport: string) => VERBS.filter(([, { isUdpOnly }]) => transport === 'udp' || !isUdpOnly);

  it.each(TRANSPORTS.flatMap((transport) => takes(transport).map((verb) => [transport, ...verb] as const)))(
    'over %s, and hears %s',
    { timeout: 40_000 },
    async (transport, _name, { twiml, caller: steps, callees = [] }) => {
      const { exchange, domain } = inbound;
      const called: Sipp[] = [];
      for (const callee of callees)
        called.push(await startSipp(['-t', MODES[transport], '-m', '1'], transport, callee));
      const [first = '', second = ''] = called.map(
        ({ port }) => `sip:kate@127.0.0.1:${port}${transport === 'tcp' ? ';transport=tcp' : ''}`,
      );
      const trunk = first && (await exchange.trunkTo(first.replace('kate@', '')));
      for (const [path, document] of Object.entries(twiml))
        inbound.twiml[path] = document
          .replace('CALLEE', first)
          .replace('OTHER', second)
          .replace('TRUNK', trunk)
          .replace('USERS', domain.name);
      await allWentWell([await callerOver(transport, steps(stepsAt(open))), ...called]);
      await nothingIsLeft();
    },
  );

  it('and hears a callee before the answer', async () => {
    const { invite, ack, bye } = stepsAt(open);
    const taking = await inbound.phone.expects({ early: true });
    inbound.twiml['/voice'] =
      `<Dial answerOnBridge="true"><Sip>${inbound.phone.uri('udp', 'kate')}</Sip></Dial>`;
    const sipp = await caller(invite(), RINGS, EARLY, hear(200), ack(), bye());
    const callee = await taking();
    callee.pickUp();
    await allWentWell([sipp]);
    await callee.ended;
    await nothingIsLeft();
  });

  it('and reaches a registered user: all devices ring, the first to answer has it', async () => {
    const { exchange, domain } = inbound;
    const devices = await Promise.all(
      [1, 2].map(async () => {
        const agent = await openPhone();
        const ringing = Promise.withResolvers<() => void>();
        const canceled = Promise.withResolvers<void>();
        agent.onInvite((invite) => {
          invite.handle({ canceled: canceled.resolve });
          invite.progress(180);
          ringing.resolve(() => {
            const dialog = invite.accept({ contentType: 'application/sdp', content: ANSWER_SDP });
            dialog.handle({ ended: () => {}, offered: () => 488 });
          });
        });
        const { status } = await register(agent, listenerOf(exchange, 'udp'), { domain, user: 'alice' });
        expect(status).toBe(200);
        return { ringing: ringing.promise, canceled: canceled.promise };
      }),
    );
    inbound.twiml['/voice'] = `<Dial answerOnBridge="true"><Sip>sip:alice@${domain.name}</Sip></Dial>`;
    const { invite, ack, bye } = stepsAt(open);
    const sipp = await caller(invite(), RINGS, hear(200), ack(), bye());
    const [pickUp] = await Promise.all(devices.map(({ ringing }) => ringing));
    pickUp?.();
    await devices[1]?.canceled;
    await allWentWell([sipp]);
    await nothingIsLeft();
  });

  it('with a password', async () => {
    const { invite, ack, acknowledged, hungUp } = stepsAt(inbound.domain.name);
    inbound.twiml['/voice'] = '<Hangup/>';
    const asked = `<recv response="407" auth="true"/>${acknowledged()}`;
    const auth = `Max-Forwards: 70\n[authentication username=alice password=${PASSWORD}]\n`;
    await run(invite(), asked, invite(SIPP_SDP, auth, 2), RINGS, hear(200), ack(2), hungUp);
  });

  it('and gives up before the answer', async () => {
    const { invite, cancel, refused } = stepsAt(open);
    inbound.twiml['/voice'] = '<Pause length="60"/><Say>Too late.</Say>';
    await run(invite(), RINGS, cancel(), hear(200), refused(487, undefined, { steps: 6 }));
    await nothingIsLeft();
  });

  it('and hangs up after it', async () => {
    const { invite, ack, bye } = stepsAt(open);
    inbound.twiml['/voice'] = '<Say>Hello.</Say><Pause length="60"/>';
    await run(invite(), RINGS, hear(200), ack(), bye());
    await nothingIsLeft();
  });
});
