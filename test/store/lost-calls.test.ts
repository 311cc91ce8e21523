// kill -9 under calls that are up: the next run hangs up both sides of each, closes the records, and tells the apps.
import { dirname } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { callsUp, reached, TOLD } from '../support/calls-up.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { query, testDatabase } from '../support/test-database.ts';

it('every party gets a BYE, and every call its end', async () => {
  const database = await testDatabase();
  const options = { folder: dirname(database.path), database: database.database };
  const first = await ExchangeProcess.start(options);
  onTestFinished(() => first.kill());
  const { sids, placed, endings, told } = await callsUp(first);
  expect(await query(database, 'select * from live_dialogs')).toHaveLength(5);
  expect(sids).toHaveLength(4);

  await first.kill();
  const next = await ExchangeProcess.start(options);
  onTestFinished(() => next.kill());
  for (const ending of endings) {
    const { by, request } = await ending;
    expect([by, request?.method]).toEqual(['remote', 'BYE']);
    expect(request?.header('Reason')).toContain('cause=41');
    expect(sids).toContain(request?.header('X-Twilio-CallSid'));
  }
  for (const sid of sids)
    expect(await reached(next, sid, 'completed')).toMatchObject({ duration: expect.stringMatching(/^\d+$/) });
  await expect.poll(() => told(placed), { timeout: 10_000 }).toEqual(TOLD);
  // All of them answered 200, and nothing is left for another run.
  await expect.poll(() => query(database, 'select * from live_dialogs')).toEqual([]);
}, 120_000);
