// The first start: folder, key, account.json; and every start after it.
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import { account } from '../resources/index.ts';
import { type Credentials, ensureFirstAccount, openDataFolder, openStore } from './index.ts';

const clock = new FakeClock();
const random = seededRandom(11);
const mode = (path: string) => statSync(path).mode & 0o777;

async function start(path: string, given?: Credentials) {
  const folder = openDataFolder(path, random);
  const store = await openStore({
    path: folder.databasePath,
    key: folder.key,
    log: silentLog,
    clock,
    random,
  });
  onTestFinished(() => store.close());
  const credentials = await ensureFirstAccount({ store, path: folder.accountPath, clock, random }, given);
  const accounts = store.directory.all(account).map(({ sid, authToken }) => ({ accountSid: sid, authToken }));
  await store.close();
  return { credentials, accounts };
}

describe('the data folder', () => {
  it('is made with files of its own, and kept', async () => {
    const path = join(tempFolder(), 'a', 'data');
    const first = await start(path);
    expect(first.credentials.accountSid).toMatch(/^AC[0-9a-f]{32}$/);
    expect(first.accounts).toEqual([first.credentials]);
    expect(['key', 'account.json', 'tandem.sqlite'].map((file) => mode(join(path, file)))).toEqual([
      0o600, 0o600, 0o600,
    ]);
    expect(await start(path)).toEqual(first);
  });

  it('writes account.json anew, with the account there is, when it was deleted', async () => {
    const path = join(tempFolder(), 'data');
    const first = await start(path);
    rmSync(join(path, 'account.json'));
    expect(await start(path)).toEqual(first);
    expect(JSON.parse(readFileSync(join(path, 'account.json'), 'utf8'))).toEqual({
      account_sid: first.credentials.accountSid,
      auth_token: first.credentials.authToken,
    });
  });

  it('takes the account from the settings, and a new token with it', async () => {
    const path = join(tempFolder(), 'data');
    const given = { accountSid: `AC${'a'.repeat(32)}`, authToken: 'one' };
    expect((await start(path, given)).accounts).toEqual([given]);
    expect((await start(path, { ...given, authToken: 'two' })).accounts).toEqual([
      { ...given, authToken: 'two' },
    ]);
    expect(existsSync(join(path, 'account.json'))).toBe(false);
  });

  it.each([
    ['key', 'abc', 'bad-file'],
    ['account.json', '{', 'bad-file'],
    ['account.json', '{"account_sid":"AC1","auth_token":"x"}', 'bad-file'],
    ['account.json', 'null', 'bad-file'],
  ])('refuses a broken %s (%s)', async (file, text, code) => {
    const path = join(tempFolder(), 'data');
    await start(path);
    writeFileSync(join(path, file), text);
    await expect(start(path)).rejects.toMatchObject({ name: 'StoreError', code });
  });

  it('says which folder cannot be written', () => {
    const path = join(tempFolder(), 'file');
    writeFileSync(path, '');
    expect(() => openDataFolder(path, random)).toThrow(
      expect.objectContaining({ code: 'unwritable', message: expect.stringContaining(path) }),
    );
  });
});
