import { beforeEach, describe, expect, it } from 'vitest';
import { OWNER, World } from '../../test/support/doorstep.ts';
import { type Rejection, RejectionTally } from './rejection-tally.ts';

const OTHER = `AC${'2'.repeat(32)}`;
const DOMAIN = `SD${'1'.repeat(32)}`;

let world: World;
beforeEach(() => {
  world = new World();
});

const refused = (values: Partial<Rejection> = {}): Rejection => ({
  accountSid: OWNER,
  method: 'INVITE',
  sourceIp: '192.0.2.1',
  sourcePort: 5060,
  transport: 'udp',
  domain: 'a.sip.twilio.com',
  domainSid: DOMAIN,
  trunkSid: null,
  from: 'sip:a@b',
  to: 'sip:c@d',
  sipCallId: 'x',
  status: 403,
  errorCode: 32_201,
  reason: 'why',
  fix: 'how',
  ...values,
});

describe('refusals', () => {
  it('that are alike are one row, which shows the latest and how many', () => {
    const tally = new RejectionTally(world);
    tally.add(refused());
    world.clock.advance(1000);
    tally.add(refused({ from: 'sip:e@f', sourcePort: 5062 }));
    const { written } = tally.take();
    expect(written).toMatchObject([{ count: 2, from: 'sip:e@f', sourcePort: 5062 }]);
    const [row] = written;
    expect([row?.lastRejectedAt, row?.dateUpdated]).toEqual([world.clock.now(), world.clock.now()]);
    expect(tally.hasChanges).toBe(false);
    tally.add(refused());
    expect(tally.take().written).toMatchObject([{ sid: row?.sid, count: 3 }]);
  });

  it.each([
    ['source', { sourceIp: '192.0.2.2' }],
    ['reason', { reason: 'another' }],
    ['domain', { domainSid: `SD${'2'.repeat(32)}` }],
    ['account', { accountSid: OTHER }],
    ['method', { method: 'REGISTER' }],
  ] as const)('of another %s are rows of their own', (_what, values) => {
    const tally = new RejectionTally(world);
    tally.add(refused());
    tally.add(refused(values));
    expect(tally.take().written).toHaveLength(2);
  });

  it('of a scanner that makes up names are one row', () => {
    const tally = new RejectionTally(world);
    for (const name of ['a', 'b', 'c']) {
      tally.add(refused({ domain: name, domainSid: null, reason: `no domain is named ${name}` }));
    }
    expect(tally.take().written).toMatchObject([{ count: 3, domain: 'c', reason: 'no domain is named c' }]);
  });

  it('begin a new row after an hour', () => {
    const tally = new RejectionTally(world);
    tally.add(refused());
    world.clock.advance(3_600_001);
    tally.add(refused());
    expect(tally.take().written).toHaveLength(2);
  });

  it('hold nothing that is too long or could not be written', () => {
    const tally = new RejectionTally(world);
    tally.add(refused({ from: `sip:${'x'.repeat(9000)}`, to: 'sip:\u0000\r\n\ud800' }));
    expect(tally.take().written).toMatchObject([{ from: `sip:${'x'.repeat(496)}`, to: 'sip:   \ufffd' }]);
  });
});

describe('the number of rows', () => {
  it('is bounded for an account and for all: the oldest go', () => {
    const tally = new RejectionTally(world, { perAccount: 3, total: 5 });
    const add = (accountSid: string, index: number) => tally.add(refused({ accountSid, reason: `${index}` }));
    for (let index = 0; index < 4; index++) add(OWNER, index);
    const first = tally.take();
    // What was never written need not be.
    expect(first.written.map(({ reason }) => reason)).toEqual(['1', '2', '3']);
    for (let index = 4; index < 7; index++) add(OTHER, index);
    const second = tally.take();
    expect(second.written).toHaveLength(3);
    expect(second.removed).toContain(first.written[0]?.sid);
    add(OWNER, 0);
    expect(tally.take().written).toMatchObject([{ reason: '0', count: 1 }]);
  });

  it('goes on from an earlier run', () => {
    const before = new RejectionTally(world, { perAccount: 3 });
    for (const reason of ['1', '2', '3']) before.add(refused({ reason }));
    const { written } = before.take();
    const after = new RejectionTally(world, { perAccount: 3 });
    after.restore(written);
    expect(after.hasChanges).toBe(false);
    after.add(refused({ reason: '3' }));
    after.add(refused({ reason: '4' }));
    const changes = after.take();
    expect(changes.written).toMatchObject([{ sid: written[2]?.sid, count: 2 }, { reason: '4' }]);
    expect(changes.removed).toEqual([written[0]?.sid]);
  });

  it('grows slowly in a flood, and every refusal is counted', () => {
    const tally = new RejectionTally(world, { newRows: 10, perTake: 8 });
    for (let index = 0; index < 1000; index++)
      tally.add(refused({ sourceIp: `10.0.${index >> 8}.${index & 255}` }));
    const rows = new Map<string, number>();
    const sizes: number[] = [];
    while (tally.hasChanges) {
      const { written } = tally.take();
      sizes.push(written.length);
      for (const row of written) rows.set(row.sourceIp ?? 'many', row.count);
    }
    expect(sizes).toEqual([8, 3]);
    expect([rows.size, rows.get('many')]).toEqual([11, 990]);
  });
});
