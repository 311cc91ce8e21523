// SIPp as PBX and as carrier, on both sides at once: hundreds of calls each way over Elastic trunks, answered, refused,
// failed over, given up and rescued; and more of them than a trunk takes a second.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenerOf, listOf, PASSWORD } from '../support/doors.ts';
import { NUMBER, OUTSIDE, TrunkScene } from '../support/trunk-scene.ts';
import { freePort } from './program.ts';
import { allWentWell, hasSipp, type Sipp, startSipp } from './sipp.ts';
import { CALLEES } from './sipp-callee.ts';
import { callerSteps, hear, hearCode, SIPP_SDP, scenario } from './sipp-caller.ts';

const RING = '<recv response="100" optional="true"/><recv response="180" optional="true"/>';
const HOLD = '<pause milliseconds="1500"/>';
const HOST = 'pstn.twilio.com';
/** Numbers of the world, by what becomes of a call to them. */
const ANSWERS = OUTSIDE;
const FAILS_OVER = '+14165550123';
const RINGS = '+14175550123';

interface Given {
  readonly domain: string;
  readonly user: string;
  readonly from: string;
}

/** What callers do, one scenario each. */
const CALLERS = {
  talks: (given: Given) => {
    const { invite, ack, bye } = callerSteps(given);
    return scenario(invite(), RING, hear(200), ack(), HOLD, bye());
  },
  talksWithPassword: (given: Given) => {
    const { invite, acknowledged, ack, bye } = callerSteps(given);
    const auth = `Max-Forwards: 70\n[authentication username=pbx password=${PASSWORD}]\n`;
    const asked = `<recv response="100" optional="true"/><recv response="407" auth="true"/>${acknowledged(3)}`;
    return scenario(invite(), asked, invite(SIPP_SDP, auth, 2), RING, hear(200), ack(2), HOLD, bye());
  },
  givesUp: (given: Given) => {
    const { invite, cancel, refused } = callerSteps(given);
    const rung = '<recv response="100" optional="true"/><recv response="180"/>';
    return scenario(invite(), rung, cancel(), hear(200), refused(487, undefined, { steps: 6 }));
  },
  isBusy: (given: Given) => {
    const { invite, refused } = callerSteps(given);
    return scenario(invite(), RING, refused(486, undefined, { steps: 4 }));
  },
  isRescued: (given: Given) => {
    const { invite, ack, hungUp } = callerSteps(given);
    return scenario(invite(), RING, hear(200), ack(), hungUp);
  },
  /** It is answered, or refused for there being too many. */
  isMaybeRefused: (given: Given) => {
    const { invite, ack, bye, acknowledged } = callerSteps(given);
    const isRefused = hearCode(503, 32_001, ' optional="true" next="refused"');
    const talks = hear(200) + ack() + HOLD + bye();
    const ends = `<nop next="over"/><label id="refused"/>${acknowledged(10)}<label id="over"/>`;
    return scenario(invite(), RING, isRefused, talks, ends);
  },
};

describe.skipIf(!hasSipp)('SIPp on both sides of Elastic trunks', { timeout: 170_000 }, () => {
  const running: Sipp[] = [];
  let scene: TrunkScene;

  afterEach(async ({ task }) => {
    await Promise.all(running.splice(0).map((sipp) => sipp.stop()));
    await scene.close(task.result?.state === 'fail');
  });

  async function start(xml: string, ...args: readonly string[]): Promise<Sipp> {
    const listens = args[0]?.includes(':') ? 'nowhere' : 'udp';
    const sipp = await startSipp([...args, '-timeout', '150s'], listens, xml);
    running.push(sipp);
    return sipp;
  }

  /** SIPp ends by itself when so many calls have gone as they should. */
  const callee = (calls: number, xml = 'uas'): Promise<Sipp> => start(xml, '-m', `${calls}`);

  const caller = (calls: number, perSecond: number, xml: string): Promise<Sipp> => {
    const place = `127.0.0.1:${listenerOf(scene.exchange, 'udp').port}`;
    const pace = ['-m', `${calls}`, '-r', `${perSecond}`, '-l', '500'];
    return start(xml, place, '-t', 'u1', ...pace);
  };

  const place = ({ port }: Pick<Sipp, 'port'>): string => `sip:127.0.0.1:${port}`;

  /** A trunk with one number, and its PBX there, which is known by its address or a password. @returns its SID */
  async function trunkOf(name: string, number: string, ...urls: readonly string[]): Promise<string> {
    const { client } = scene.exchange;
    const { sid } = await client.trunking.v1.trunks.create({ domainName: `${name}.${HOST}` });
    for (const [priority, sipUrl] of urls.entries())
      await client.trunking.v1
        .trunks(sid)
        .originationUrls.create({ friendlyName: sipUrl, sipUrl, priority, weight: 10, enabled: true });
    await client.incomingPhoneNumbers.create({ phoneNumber: number, trunkSid: sid });
    return sid;
  }

  /** Whoever is let in by a list of the scene's own trunk. */
  async function letIn(trunkSid: string, by: 'address' | 'password'): Promise<void> {
    const { client } = scene.exchange;
    const trunk = client.trunking.v1.trunks(trunkSid);
    const [addresses] = await client.sip.ipAccessControlLists.list();
    const [users] = await client.sip.credentialLists.list();
    if (by === 'address')
      await trunk.ipAccessControlLists.create({ ipAccessControlListSid: String(addresses?.sid) });
    else await trunk.credentialsLists.create({ credentialListSid: String(users?.sid) });
  }

  /** How many records there are of each kind. */
  async function tally(names: Readonly<Record<string, string>>): Promise<Record<string, number>> {
    const calls = await scene.exchange.client.calls.list({ pageSize: 500 });
    const counts: Record<string, number> = {};
    for (const { direction, status, trunkSid } of calls) {
      const kind = `${names[trunkSid] ?? trunkSid}: ${direction} ${status}`;
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return counts;
  }

  describe('under load', () => {
    beforeEach(async () => {
      // A carrier or PBX that refuses is to be tried by every call, so that each can count.
      scene = await TrunkScene.open({ env: { TANDEM_HEALTH_FAILURES: '0' } });
    });

    it('every call ends as both sides say, has its record, and leaves nothing behind', async () => {
      const down = freePort();
      const [carrier, refuser, ringing, pbx, refusingPbx, busyPbx, ringingPbx] = await Promise.all([
        callee(120),
        callee(40, CALLEES.refuses('503 Service Unavailable')),
        callee(30, CALLEES.rings),
        callee(80),
        callee(80, CALLEES.refuses('503 Service Unavailable')),
        callee(30, CALLEES.refuses('486 Busy Here')),
        callee(30, CALLEES.rings),
      ]);
      await scene.route(ANSWERS, place(carrier));
      await scene.route(FAILS_OVER, place(refuser), place(carrier));
      await scene.route(RINGS, place(ringing));
      const trunks = {
        address: await trunkOf('by-address', '+14155550101', place(refusingPbx), place(pbx)),
        password: await trunkOf('by-password', '+14155550102', place(busyPbx)),
        ringing: await trunkOf('ringing', '+14155550103', place(ringingPbx)),
        down: await trunkOf('down', '+14155550104', place({ port: down })),
      };
      await letIn(trunks.address, 'address');
      await letIn(trunks.password, 'password');
      scene.twiml['/rescue'] = '<Pause length="1"/>';
      const rescue = { disasterRecoveryUrl: `${scene.app.url}/rescue` };
      await scene.exchange.client.trunking.v1.trunks(trunks.down).update(rescue);
      const pbxAt = (name: string, user: string, from: string): Given => {
        return { domain: `${name}.${HOST}`, user, from: `${from}@pbx.example` };
      };
      const carrierFor = (user: string): Given => {
        return { domain: scene.domain, user, from: `${OUTSIDE}@carrier.example` };
      };
      const { talks, talksWithPassword, givesUp, isBusy, isRescued } = CALLERS;
      const callers = await Promise.all([
        caller(80, 8, talksWithPassword(pbxAt('by-password', ANSWERS, '+14155550102'))),
        caller(40, 4, talks(pbxAt('by-address', FAILS_OVER, '+14155550101'))),
        caller(30, 3, givesUp(pbxAt('by-address', RINGS, NUMBER))),
        caller(80, 8, talks(carrierFor('+14155550101'))),
        caller(30, 3, isBusy(carrierFor('+14155550102'))),
        caller(30, 3, givesUp(carrierFor('+14155550103'))),
        caller(20, 2, isRescued(carrierFor('+14155550104'))),
      ]);
      await allWentWell([...callers, carrier, refuser, ringing, pbx, refusingPbx, busyPbx, ringingPbx]);
      await scene.exchange.quiet();
      const names = Object.fromEntries(Object.entries(trunks).map(([name, sid]) => [sid, name]));
      expect(await tally(names)).toEqual({
        'password: trunking-terminating completed': 80,
        'address: trunking-terminating completed': 40,
        'address: trunking-terminating no-answer': 30,
        'address: trunking-originating completed': 80,
        'password: trunking-originating busy': 30,
        'ringing: trunking-originating no-answer': 30,
        'down: inbound completed': 20,
      });
      expect(scene.app.requests.map(({ parameters }) => parameters['ErrorCode'])).toEqual(
        Array.from({ length: 20 }, () => '32011'),
      );
    });
  });

  describe('too fast', () => {
    beforeEach(async () => {
      scene = await TrunkScene.open({ env: { TANDEM_CALLS_PER_SECOND: '5' } });
      scene.hasRefused = true;
    });

    it('what is over the pace is refused with 503 and 32001, and every other call is answered', async () => {
      const calls = 100;
      const carrier = await start('uas');
      await scene.route('', place(carrier));
      const sid = await trunkOf('fast', '+14155550101');
      await letIn(sid, 'address');
      const given = { domain: `fast.${HOST}`, user: OUTSIDE, from: `${NUMBER}@pbx.example` };
      await allWentWell([await caller(calls, 50, CALLERS.isMaybeRefused(given))]);
      await scene.exchange.quiet();
      // Refusals are written down together, after a while.
      scene.exchange.hurry();
      const refused = async (): Promise<number> => {
        const rows = await listOf(scene.exchange, 'RejectedCalls', `?TrunkSid=${sid}`);
        for (const row of rows) expect(row).toMatchObject({ status: 503, error_code: 32_001 });
        return rows.reduce((sum, { count }) => sum + Number(count), 0);
      };
      const { 'fast: trunking-terminating completed': answered = 0, ...others } = await tally({
        [sid]: 'fast',
      });
      expect(others).toEqual({});
      expect(answered).toBeGreaterThanOrEqual(5);
      expect(answered).toBeLessThan(calls);
      await expect.poll(refused).toBe(calls - answered);
    });
  });
});
