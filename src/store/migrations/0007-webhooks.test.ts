import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { silentLog } from '../../lib/log.ts';
import { seededRandom } from '../../lib/random.ts';
import { account, newRow } from '../../resources/index.ts';
import { openStore } from '../open-store.ts';
import { SqliteClient } from '../sqlite-client.ts';

it('sends what an earlier version has left in its outbox', async () => {
  const path = join(tempFolder(), 'x.sqlite');
  const open = () => openStore({ path, key: Buffer.alloc(32), log: silentLog, clock: new FakeClock() });
  const before = await open();
  const world = { clock: new FakeClock(), random: seededRandom(1) };
  await before.insert(account, newRow(account, { sid: 'AC1', accountSid: 'AC1', authToken: 't' }, world));
  await before.close();
  const raw = await SqliteClient.open({ path, busyTimeoutMs: 50 });
  for (const sql of [
    'drop table webhooks',
    'drop table nodes',
    'alter table calls drop column node',
    `create table outbox (position integer primary key autoincrement, id text not null unique, call_sid text not null,
     account_sid text not null, sequence integer not null, url text not null, method text not null,
     parameters text not null, attempts integer not null)`,
    `insert into outbox (id, call_sid, account_sid, sequence, url, method, parameters, attempts)
     values ('CA1-0', 'CA1', 'AC1', 0, 'http://a.example/', 'POST', 'A=1', 0),
            ('CA1-1', 'CA1', 'AC1', 1, 'http://a.example/', 'GET', 'A=2', 2)`,
    `delete from kysely_migration where name = '0007-webhooks'`,
  ])
    await raw.run([{ sql, parameters: [] }], 'full');
  await raw.close();
  const store = await open();
  const told = { callSid: 'CA1', accountSid: 'AC1', url: 'http://a.example/' };
  expect(await store.journal.waiting(9)).toEqual([
    { ...told, id: 'CA1-0', sequence: 0, method: 'POST', parameters: 'A=1', attempts: 0 },
    { ...told, id: 'CA1-1', sequence: 1, method: 'GET', parameters: 'A=2', attempts: 2, dueAt: 0 },
  ]);
  await store.close();
});
