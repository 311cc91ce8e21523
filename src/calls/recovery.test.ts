import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import { account, call, newRow } from '../resources/index.ts';
import { type DialogIdentity, type HeaderField, type RequestOutcome, SipSyntaxError } from '../sip/index.ts';
import { type OutboxRow, openStore } from '../store/index.ts';
import type { CallRow } from './call-life.ts';
import type { CallbackSender } from './callback/sender.ts';
import type { Recorded } from './recording/outcome.ts';
import { recoverCalls } from './recovery.ts';

const OWNER = `AC${'1'.repeat(32)}`;
const AT_MS = Date.UTC(2026, 0, 1);
const clock = new FakeClock(AT_MS);
const world = { clock, random: seededRandom(4) };

const identity = (localTag: string): DialogIdentity => ({
  callId: `of ${localTag}`,
  localTag,
  remoteTag: 'theirs',
  local: `<sip:us@127.0.0.1>;tag=${localTag}`,
  remote: '<sip:them@127.0.0.1>;tag=theirs',
  routeSet: [],
  remoteTarget: 'sip:them@127.0.0.1',
  localSeq: 1,
  peer: { transport: 'udp', address: '127.0.0.1', port: 5060 },
});

/** A run that is no more, and the next one on its database. */
async function runs() {
  const options = { path: join(tempFolder(), 'x.sqlite'), key: Buffer.alloc(32), log: silentLog, clock };
  const before = await openStore(options);
  await before.insert(account, newRow(account, { sid: OWNER, accountSid: OWNER, authToken: 't' }, world));
  const live = async (values: Partial<CallRow>, tags: readonly string[] = []) => {
    const parties = { accountSid: OWNER, to: '+1', from: '+2', direction: 'outbound-api' } as const;
    const row = newRow(call, { ...parties, status: 'in-progress', ...values }, world);
    const dialogs = tags.map((tag) => ({ callSid: row.sid, identity: identity(tag) }));
    await before.journal.commit({ insert: row, dialogs });
    return row.sid;
  };
  const next = async () => {
    await before.close();
    const store = await openStore(options);
    onTestFinished(() => store.close());
    const sent: OutboxRow[] = [];
    const byes = new Map<string, (outcome: RequestOutcome) => void>();
    const told: (readonly HeaderField[])[] = [];
    const recover = (recorded?: ReadonlyMap<string, Recorded>) =>
      recoverCalls(
        {
          clock,
          log: silentLog,
          journal: store.journal,
          callbacks: { send: (row: OutboxRow) => sent.push(row) } as unknown as CallbackSender,
          agent: {
            endLost: ({ localTag }, headers, done) => {
              told.push(headers);
              if (localTag === 'bad')
                throw new SipSyntaxError('control-character', 'a tag that nobody can send');
              byes.set(localTag, done);
            },
          },
        },
        recorded,
      );
    const rows = async () => (await store.list(call, { limit: 9 })).rows;
    /** How many dialogs there are when all that was asked is committed. */
    const kept = async () => {
      await store.journal.commit({});
      const file = new DatabaseSync(options.path);
      const count = file.prepare('select * from live_dialogs').all().length;
      file.close();
      return count;
    };
    return { sent, byes, told, recover, rows, kept };
  };
  return { live, next };
}

it('ends calls at their last heartbeat, and tells their apps', async () => {
  const { live, next } = await runs();
  const told = { statusCallback: 'http://a.example/', statusCallbackEvents: ['completed'] as const };
  const answered = await live({
    answeredAt: AT_MS + 1000,
    heartbeatAt: AT_MS + 38_000,
    callbackSequence: 3,
    ...told,
  });
  const ringing = await live({ status: 'ringing' });
  clock.advance(3_600_000);
  const { recover, rows, sent } = await next();
  await recover();
  expect(await rows()).toMatchObject([
    { sid: ringing, status: 'failed', duration: null, endTime: AT_MS },
    { sid: answered, status: 'completed', duration: 37, endTime: AT_MS + 38_000 },
  ]);
  expect(sent).toMatchObject([{ callSid: answered, sequence: 3 }]);
  expect(sent[0]?.parameters).toContain('CallDuration=37');
});

it('forgets the dialogs of a call when each of them has been ended, or cannot be', async () => {
  const { live, next } = await runs();
  await live({ answeredAt: AT_MS, heartbeatAt: AT_MS }, ['one', 'two', 'bad']);
  const { recover, byes, kept } = await next();
  await recover();
  expect([...byes.keys()].toSorted()).toEqual(['one', 'two']);
  byes.get('one')?.({ kind: 'timeout' });
  expect(await kept()).toBe(3);
  byes.get('two')?.({ kind: 'timeout' });
  expect(await kept()).toBe(0);
});

it('tells the parties why they are hung up, and of the recording that was finished', async () => {
  const { live, next } = await runs();
  const sid = await live({ answeredAt: AT_MS, heartbeatAt: AT_MS }, ['one', 'two']);
  const { recover, told } = await next();
  await recover(new Map([[sid, { sid: 'RE1', url: 'http://us/RE1', durationS: 12 }]]));
  const expected = [
    ['Reason', 'Q.850;cause=41;text="Temporary failure"'],
    ['X-Twilio-CallSid', sid],
    ['X-Twilio-RecordingSid', 'RE1'],
    ['X-Twilio-RecordingDuration', '12'],
  ];
  expect(told).toEqual([expected, expected]);
});
