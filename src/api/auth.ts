// Who is asking: HTTP Basic with an account's SID and token (RFC 7617).
import { hash, timingSafeEqual } from 'node:crypto';
import { account, type Row } from '../resources/index.ts';
import type { Directory } from '../store/index.ts';
import { errors } from './errors.ts';

/**
 * The account whose token this is.
 * @param accountSid of the path, where it has one: an account acts only for itself.
 * @throws {ApiError} 401/20003; an unknown account and a wrong token look the same.
 */
export function authenticate(
  directory: Directory,
  authorization: string | undefined,
  accountSid?: string,
): Row<typeof account> {
  const [user, password] = basicCredentials(authorization ?? '');
  const row = directory.find(account, user);
  // Hashes have equal lengths, so that comparing them takes equal time; an unknown account is compared all the same.
  const matches = timingSafeEqual(hashed(password), hashed(row?.authToken ?? ''));
  if (!row || !matches || password === '' || (accountSid !== undefined && accountSid !== row.sid)) {
    throw errors.authenticate();
  }
  return row;
}

const hashed = (text: string): Buffer => hash('sha256', text, 'buffer');

function basicCredentials(authorization: string): readonly [user: string, password: string] {
  const [, encoded = ''] = /^basic +([a-z0-9+/=]+) *$/i.exec(authorization) ?? [];
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? ['', ''] : [decoded.slice(0, colon), decoded.slice(colon + 1)];
}
