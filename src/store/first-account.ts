// The account of the first start: from the settings, else from account.json, else made up and written there.
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { account, isSid, newRow, newSid } from '../resources/index.ts';
import { readIfThere, writeOnce } from './data-folder.ts';
import { IntegrityError, type Store, StoreError } from './store.ts';

export interface Credentials {
  readonly accountSid: string;
  readonly authToken: string;
}

interface World {
  readonly store: Store;
  /** Path of account.json. */
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Makes sure that the first account is stored with this token.
 * @param given from the settings; account.json is neither read nor written then.
 * @throws {StoreError} `bad-file` or `unwritable` for account.json.
 */
export async function ensureFirstAccount(world: World, given?: Credentials): Promise<Credentials> {
  const credentials = given ?? readCredentials(world.path) ?? makeCredentials(world);
  const { accountSid, authToken } = credentials;
  const known = world.store.directory.find(account, accountSid);
  if (!known) {
    const row = newRow(account, { sid: accountSid, accountSid, friendlyName: 'Tandem', authToken }, world);
    // Another node may have been quicker, with the same settings.
    await world.store.insert(account, row).catch((error: unknown) => {
      if (!(error instanceof IntegrityError) || error.kind !== 'unique') throw error;
    });
  } else if (known.authToken !== authToken) {
    await world.store.update(account, accountSid, { authToken });
  }
  return credentials;
}

function readCredentials(path: string): Credentials | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const parsed = parseJson(text) as { account_sid?: unknown; auth_token?: unknown } | null;
  const { account_sid: accountSid, auth_token: authToken } = parsed ?? {};
  if (
    typeof accountSid === 'string' &&
    isSid(accountSid, 'AC') &&
    typeof authToken === 'string' &&
    authToken
  ) {
    return { accountSid, authToken };
  }
  throw new StoreError(
    'bad-file',
    `${path} must hold {"account_sid": "AC…", "auth_token": "…"}: mend it, or delete it to have it written anew`,
  );
}

/** A database that has an account keeps it: account.json was deleted then, and is written anew. */
function makeCredentials({ store, path, random }: World): Credentials {
  const [first] = store.directory.all(account);
  const accountSid = first?.sid ?? newSid('AC', random);
  const authToken = first?.authToken ?? random.hex(16);
  writeOnce(path, `${JSON.stringify({ account_sid: accountSid, auth_token: authToken }, null, 2)}\n`);
  return { accountSid, authToken };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
