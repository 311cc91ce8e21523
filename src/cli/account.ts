// Which account a command acts for: from the settings, else from the data folder's account.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Credentials } from '../store/index.ts';

/** @throws {Error} saying what to do where there is no account yet. */
export function readAccount(config: Config): Credentials {
  if (config.firstAccount) return config.firstAccount;
  const path = join(config.dataFolder, 'account.json');
  try {
    const { account_sid: accountSid, auth_token: authToken } = JSON.parse(readFileSync(path, 'utf8'));
    return { accountSid, authToken };
  } catch {
    throw new Error(
      `There is no account in ${path}: start the exchange there first (tandem serve, or tandem init), or name its folder with --data`,
    );
  }
}
