// SIPp as a PBX that transfers: blind to a SIP URI and to a number, from both sides of a call, to somebody who is busy; and
// attended, where one SIPp is told of another one's dialogs (RFC 3891).
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenerOf } from '../support/doors.ts';
import { NUMBER, OUTSIDE, TrunkScene } from '../support/trunk-scene.ts';
import { allWentWell, hasSipp, type Sipp, startSipp } from './sipp.ts';
import { CALLEES } from './sipp-callee.ts';
import { callerSteps, hear, hearCode, hearNews, SIPP_SDP, scenario } from './sipp-caller.ts';

const CALLS = 10;
const TARGET = '+15550007000';
const RING = '<recv response="100" optional="true"/><recv response="180" optional="true"/>';
const PAUSE = '<pause milliseconds="300"/>';

describe.skipIf(!hasSipp)('SIPp transfers calls of an Elastic trunk', { timeout: 60_000 }, () => {
  const running: Sipp[] = [];
  let scene: TrunkScene;
  let callee: Sipp;

  beforeEach(async () => {
    scene = await TrunkScene.open();
    callee = await run(CALLEES.answers);
    await scene.route('+1415', place(callee));
    await scene.exchange.client.trunking.v1.trunks(scene.trunk.sid).update({ transferMode: 'enable-all' });
    // Its door takes the PBX by its address alone.
    const { credentialsLists } = scene.exchange.client.trunking.v1.trunks(scene.trunk.sid);
    for (const { sid } of await credentialsLists.list()) await credentialsLists(sid).remove();
  });
  afterEach(async ({ task }) => {
    await Promise.all(running.splice(0).map((sipp) => sipp.stop()));
    await scene.close(task.result?.state === 'fail');
  });

  async function run(xml: string, ...args: readonly string[]): Promise<Sipp> {
    const listens = args.length > 0 ? 'nowhere' : 'udp';
    const sipp = await startSipp([...args, '-m', `${CALLS}`, '-timeout', '50s'], listens, xml);
    running.push(sipp);
    return sipp;
  }

  const caller = (xml: string, ...args: readonly string[]): Promise<Sipp> =>
    run(xml, `127.0.0.1:${listenerOf(scene.exchange, 'udp').port}`, '-t', 'u1', '-r', '20', ...args);

  const place = ({ port }: Pick<Sipp, 'port'>): string => `sip:127.0.0.1:${port}`;

  const pbx = (user = OUTSIDE) =>
    callerSteps({ domain: scene.trunk.domainName, user, from: `${NUMBER}@pbx.example` });

  /** How many records there are of each kind. */
  async function tally(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { direction, status, parentCallSid } of await scene.exchange.client.calls.list()) {
      const kind = `${parentCallSid === null ? '' : 'child '}${direction} ${status}`;
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return counts;
  }

  it.each([
    ['a SIP URI', (target: Sipp) => place(target).replace('sip:', 'sip:kate@'), 'trunking-originating'],
    ['a number', () => `sip:${TARGET}@${scene.trunk.domainName}`, 'trunking-terminating'],
  ])('to %s', async (_name, to, direction) => {
    const target = await run(CALLEES.hangsUp);
    await scene.route('+1555', place(target));
    const { invite, ack, refer, bye } = pbx();
    // A name that could not be written again.
    const by = 'Referred-By: "Bob\tHope" <sip:bob@pbx.example>\n';
    const transfers = refer(`<${to(target)}>`, 2, by) + hear(202) + hearNews(100, 180, 200);
    const xml = scenario(invite(), RING, hear(200), ack(), PAUSE, transfers, bye());
    await allWentWell([await caller(xml), callee, target]);
    await scene.exchange.quiet();
    expect(await tally()).toEqual({
      'trunking-terminating completed': CALLS,
      [`child ${direction} completed`]: CALLS,
    });
  });

  it('as the one who is called', async () => {
    const target = await run(CALLEES.hangsUp);
    const called = await run(CALLEES.transfers(`<${place(target).replace('sip:', 'sip:kate@')}>`));
    await scene.urls(place(called));
    const carrier = { domain: scene.domain, user: NUMBER, from: `${OUTSIDE}@carrier.example` };
    const { invite, ack, hungUp } = callerSteps(carrier);
    await allWentWell([await caller(scenario(invite(), RING, hear(200), ack(), hungUp)), called, target]);
    await scene.exchange.quiet();
    expect(await tally()).toEqual({
      'trunking-originating completed': CALLS,
      'child trunking-originating completed': CALLS,
    });
  });

  it('to one who is busy, and goes on with its party, whom it transfers to another', async () => {
    const [busy, target] = await Promise.all([run(CALLEES.refuses('486 Busy Here')), run(CALLEES.hangsUp)]);
    const { invite, ack, refer, bye } = pbx();
    const fails = refer(`<${place(busy).replace('sip:', 'sip:kate@')}>`) + hear(202) + hearNews(100, 486);
    const succeeds = refer(`<${place(target)}>`, 3) + hear(202) + hearNews(100, 180, 200);
    const xml = scenario(invite(), RING, hear(200), ack(), PAUSE, fails, PAUSE, succeeds, bye());
    await allWentWell([await caller(xml), callee, busy, target]);
    await scene.exchange.quiet();
    expect(await tally()).toEqual({
      'trunking-terminating completed': CALLS,
      'child trunking-originating busy': CALLS,
      'child trunking-originating completed': CALLS,
    });
  });

  it('where that is off, and keeps its party', async () => {
    await scene.exchange.client.trunking.v1.trunks(scene.trunk.sid).update({ transferMode: 'disable-all' });
    const { invite, ack, refer, bye } = pbx();
    const asks = refer('<sip:kate@127.0.0.1:9>') + hearCode(403, 32_218);
    await allWentWell([await caller(scenario(invite(), RING, hear(200), ack(), asks, bye())), callee]);
    await scene.exchange.quiet();
    expect(await tally()).toEqual({ 'trunking-terminating completed': CALLS });
  });

  /** Each call of one SIPp is up with somebody else; the other SIPp is told of them. */
  describe('of which there are two', () => {
    let folder: string;
    let list: string;
    let first: Sipp;
    let other: Sipp;

    afterEach(() => rmSync(folder, { recursive: true }));

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tandem-attended-'));
      const log = join(folder, 'dialogs.log');
      list = join(folder, 'dialogs.csv');
      other = await run(CALLEES.answers);
      await scene.route('+1555', place(other));
      const { invite, ack, hungUp } = pbx(TARGET);
      const answered =
        '<recv response="200"><action><ereg regexp="tag=([^;]+)" search_in="hdr" header="To:" assign_to="all,tag"/>' +
        '<log message="[call_id];[$tag];[call_number]"/></action></recv><Reference variables="all"/>';
      first = await caller(
        scenario(invite(), RING, answered, ack(), hungUp),
        '-trace_logs',
        '-log_file',
        log,
      );
      const dialogs = () => (existsSync(log) ? readFileSync(log, 'latin1').match(/.+(?=\n)/g) : null) ?? [];
      await expect.poll(() => dialogs().length, { timeout: 20_000 }).toBe(CALLS);
      const rows = dialogs().map((row) => `${row};${encodeURIComponent(row.split(';', 1)[0] ?? '')}`);
      writeFileSync(list, `SEQUENTIAL\n${rows.join('\n')}\n`);
    });

    it('joins their parties, and leaves both', async () => {
      const { invite, ack, refer, bye } = pbx();
      const replaced = 'Replaces=[field3]%3Bto-tag%3D[field1]%3Bfrom-tag%3D[field2]';
      const asks = refer(`<sip:${TARGET}@${scene.trunk.domainName}?${replaced}>`);
      const xml = scenario(invite(), RING, hear(200), ack(), asks, hear(202), hearNews(100, 200), bye());
      await allWentWell([await caller(xml, '-inf', list), first]);
      expect(await tally()).toEqual({ 'trunking-terminating in-progress': 2 * CALLS });
      const { calls } = scene.exchange.client;
      for (const { sid } of await calls.list({ to: OUTSIDE }))
        await calls(sid).update({ status: 'completed' });
      await allWentWell([callee, other]);
    });

    it('takes the one over to another phone', async () => {
      const { invite, ack, bye } = pbx();
      const headers = 'Max-Forwards: 70\nReplaces: [field0];to-tag=[field1];from-tag=[field2]\n';
      const xml = scenario(invite(SIPP_SDP, headers), RING, hear(200), ack(), PAUSE, bye());
      await allWentWell([await caller(xml, '-inf', list), first, other]);
      await scene.exchange.quiet();
      expect(await tally()).toEqual({ 'trunking-terminating completed': CALLS });
    });
  });
});
