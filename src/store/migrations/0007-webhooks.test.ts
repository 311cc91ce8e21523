import { join } from 'node:path';
import { Kysely } from 'kysely';
import { expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { silentLog } from '../../lib/log.ts';
import { seededRandom } from '../../lib/random.ts';
import { createCipher } from '../cipher.ts';
import { openStore } from '../open-store.ts';
import { SqliteClient } from '../sqlite-client.ts';
import { sqliteDialect } from '../sqlite-dialect.ts';
import { migrate } from './index.ts';

it('sends what an earlier version has left in its outbox', async () => {
  const path = join(tempFolder(), 'x.sqlite');
  const key = Buffer.alloc(32);
  const token = createCipher(key, seededRandom(1)).seal('t');
  const raw = await SqliteClient.open({ path, busyTimeoutMs: 50 });
  await migrate(new Kysely({ dialect: sqliteDialect(raw) }), '0006-recordings');
  for (const sql of [
    `insert into accounts (sid, account_sid, date_created, date_updated, friendly_name, status, type, auth_token)
     values ('AC1', 'AC1', 0, 0, '', 'active', 'Full', '${token}')`,
    `insert into outbox (id, call_sid, account_sid, sequence, url, method, parameters, attempts)
     values ('CA1-0', 'CA1', 'AC1', 0, 'http://a.example/', 'POST', 'A=1', 0),
            ('CA1-1', 'CA1', 'AC1', 1, 'http://a.example/', 'GET', 'A=2', 2)`,
  ])
    await raw.run([{ sql, parameters: [] }], 'full');
  await raw.close();
  const store = await openStore({ path, key, log: silentLog, clock: new FakeClock() });
  const told = { callSid: 'CA1', accountSid: 'AC1', url: 'http://a.example/' };
  expect(await store.journal.waiting(9)).toEqual([
    { ...told, id: 'CA1-0', sequence: 0, method: 'POST', parameters: 'A=1', attempts: 0 },
    { ...told, id: 'CA1-1', sequence: 1, method: 'GET', parameters: 'A=2', attempts: 2, dueAt: 0 },
  ]);
  await store.close();
});
