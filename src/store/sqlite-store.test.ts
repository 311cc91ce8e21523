// SQLite: the contract, the schema against the definitions, and what can be wrong with a file.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { describeOutbox } from '../../test/support/outbox-contract.ts';
import { describeStore } from '../../test/support/store-contract.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import type { Clock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import {
  account,
  byocTrunk,
  call,
  newRow,
  parentField,
  propertyName,
  resourceOfSid,
  resources,
} from '../resources/index.ts';
import { columnKinds } from './codec.ts';
import { openStore, type StoreOptions } from './index.ts';

const KEY = Buffer.alloc(32, 7);
const clock = new FakeClock();
const random = seededRandom(3);
const open = (path: string, changes: Partial<StoreOptions> = {}) =>
  openStore({ path, key: KEY, log: silentLog, clock, random, busyTimeoutMs: 50, ...changes });

const opened = async (clock: Clock) => {
  const path = join(tempFolder(), 'x.sqlite');
  const changes = { clock, webhooksKept: { days: 2, rows: 5 } };
  return { store: await open(path, changes), reopen: () => open(path, changes) };
};

describeStore('SQLite', opened);
describeOutbox('SQLite', opened);

async function rawDatabase(): Promise<DatabaseSync> {
  const path = join(tempFolder(), 'x.sqlite');
  await (await open(path)).close();
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  return database;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
}

const TYPES = {
  text: 'TEXT',
  secret: 'TEXT',
  url: 'TEXT',
  list: 'TEXT',
  integer: 'INTEGER',
  boolean: 'BOOLEAN',
  dateTime: 'BIGINT',
};

const ON_DELETE = { restrict: 'RESTRICT', clear: 'SET NULL', cascade: 'CASCADE' } as const;

describe('the schema', () => {
  it.each(resources.map((definition) => [definition.table, definition] as const))(
    '%s agrees with its definition',
    async (table, definition) => {
      const database = await rawDatabase();
      const columns = database.prepare(`pragma table_info(${table})`).all() as unknown as Column[];
      const actual = columns
        .filter(({ name }) => name !== 'position')
        .map(({ name, type, notnull }) => [name, type.toUpperCase(), notnull === 0]);
      const expected = [...columnKinds(definition)].map(([name, kind]) => [
        propertyName(name),
        TYPES[kind],
        definition.fields[name]?.nullable ?? false,
      ]);
      expect(actual.toSorted()).toEqual(expected.toSorted());
    },
  );

  it.each(resources.map((definition) => [definition.table, definition] as const))(
    '%s keeps referential integrity',
    async (table, definition) => {
      const database = await rawDatabase();
      const actual = (
        database.prepare(`pragma foreign_key_list(${table})`).all() as {
          from: string;
          table: string;
          on_delete: string;
        }[]
      ).map((key) => `${key.from} ${key.table} ${key.on_delete}`);
      const parent = parentField(definition);
      const references = Object.entries(definition.fields).flatMap(([name, field]) => {
        const target = resourceOfSid(field.references ?? '');
        const onDelete = ON_DELETE[field.reference?.onDelete ?? 'restrict'];
        return target ? [`${propertyName(name)} ${target.table} ${onDelete}`] : [];
      });
      const expected = [
        'account_sid accounts NO ACTION',
        ...(parent ? [`${propertyName(parent)} ${definition.parent?.table} CASCADE`] : []),
        ...references,
      ];
      expect(actual.toSorted()).toEqual(expected.toSorted());
    },
  );
});

describe('secrets at rest', () => {
  it('are nowhere in the file', async () => {
    const path = join(tempFolder(), 'x.sqlite');
    const store = await open(path);
    await store.insert(
      account,
      newRow(account, { sid: 'AC1', accountSid: 'AC1', authToken: 'hunter2-token' }, { clock, random }),
    );
    await store.insert(
      byocTrunk,
      newRow(byocTrunk, { accountSid: 'AC1', voiceUrl: 'https://bob:hunter2@a.example/' }, { clock, random }),
    );
    const row = newRow(
      call,
      {
        accountSid: 'AC1',
        to: '+1',
        from: '+2',
        direction: 'inbound',
        statusCallback: 'http://hunter2@b.example',
      },
      { clock, random },
    );
    await store.journal.commit({ insert: row });
    await store.close();
    const database = new DatabaseSync(path);
    const dump = resources
      .map(({ table }) => JSON.stringify(database.prepare(`select * from ${table}`).all()))
      .join();
    database.close();
    expect(dump).not.toContain('hunter2');
    expect(dump).toContain('enc1:');
  });

  it('need the key they were stored with', async () => {
    const path = join(tempFolder(), 'x.sqlite');
    await (await open(path)).close();
    await expect(open(path, { key: Buffer.alloc(32, 8) })).rejects.toMatchObject({ code: 'wrong-key' });
    await (await open(path)).close();
  });
});

describe('a file that cannot be used', () => {
  const codeOf = async (path: string) => {
    const error: unknown = await open(path).then(
      (store) => store.close(),
      (thrown: unknown) => thrown,
    );
    expect(String((error as Error | undefined)?.message)).not.toContain('\n');
    return (error as { code?: string } | undefined)?.code;
  };

  it('is no database', async () => {
    const path = join(tempFolder(), 'x.sqlite');
    writeFileSync(path, 'this is no database, but long enough to look like one '.repeat(40));
    expect(await codeOf(path)).toBe('corrupt');
  });

  it('is a folder, or lies where there is none', async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'x.sqlite'));
    expect(await codeOf(join(folder, 'x.sqlite'))).toBe('unwritable');
    expect(await codeOf(join(folder, 'none', 'x.sqlite'))).toBe('unwritable');
  });

  it('is locked by another program', async () => {
    const path = join(tempFolder(), 'x.sqlite');
    await (await open(path)).close();
    const other = new DatabaseSync(path);
    other.exec('pragma locking_mode = exclusive; begin exclusive');
    expect(await codeOf(path)).toBe('locked');
    other.close();
    expect(await codeOf(path)).toBeUndefined();
  });

  it('was written by a newer program', async () => {
    const path = join(tempFolder(), 'x.sqlite');
    await (await open(path)).close();
    const database = new DatabaseSync(path);
    database.exec("insert into kysely_migration values ('9999-from-the-future', '2030-01-01')");
    database.close();
    await expect(open(path)).rejects.toMatchObject({
      code: 'newer-database',
      message: expect.stringContaining('9999-from-the-future'),
    });
  });
});

it('makes files that only their owner can read', async () => {
  const path = join(tempFolder(), 'x.sqlite');
  const store = await open(path);
  await store.ping();
  for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600);
  await store.close();
});
