// Who is asking: HTTP Basic with an account's SID and token, or an API key's SID and secret (RFC 7617).
import { hash, timingSafeEqual } from 'node:crypto';
import { account, key, type Row } from '../resources/index.ts';
import type { Directory } from '../store/index.ts';
import { errors } from './errors.ts';

export interface Caller {
  /** The account that is acted on: the caller's own, or one of its subaccounts where the path names it. */
  readonly account: Row<typeof account>;
  /** What it authenticated as: the SID of an account or of an API key. */
  readonly actorSid: string;
}

/**
 * @param accountSid of the path, where it has one: an account acts for itself and for its subaccounts.
 * @throws {ApiError} 401/20003, the same for whatever is unknown, wrong or foreign; 403/20005 for an account that is
 * suspended or closed.
 */
export function authenticate(
  directory: Directory,
  authorization: string | undefined,
  accountSid?: string,
): Caller {
  const [user, password] = basicCredentials(authorization ?? '');
  const { owner, secret } = identityOf(directory, user);
  // Hashes have equal lengths, so that comparing them takes equal time; an unknown user is compared all the same.
  const matches = timingSafeEqual(hashed(password), hashed(secret));
  const target = accountSid === undefined ? owner : directory.find(account, accountSid);
  const isFamily = target !== undefined && (target.sid === owner?.sid || target.accountSid === owner?.sid);
  if (!matches || password === '' || !owner || !isFamily) throw errors.authenticate();
  if (owner.status !== 'active' || target.status === 'closed') throw errors.accountNotActive();
  return { account: target, actorSid: user };
}

/** Who asks for what is open, and says nothing of itself. @throws {ApiError} 401 where there is no such account. */
export function unnamed(directory: Directory, accountSid = ''): Caller {
  const target = directory.find(account, accountSid);
  if (target?.status !== 'active') throw errors.authenticate();
  return { account: target, actorSid: '' };
}

function identityOf(
  directory: Directory,
  user: string,
): { readonly owner?: Row<typeof account> | undefined; readonly secret: string } {
  const apiKey = directory.find(key, user);
  if (apiKey) return { owner: directory.find(account, apiKey.accountSid), secret: apiKey.secret };
  const owner = directory.find(account, user);
  return { owner, secret: owner?.authToken ?? '' };
}

const hashed = (text: string): Buffer => hash('sha256', text, 'buffer');

function basicCredentials(authorization: string): readonly [user: string, password: string] {
  const [, encoded = ''] = /^basic +([a-z0-9+/=]+) *$/i.exec(authorization) ?? [];
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? ['', ''] : [decoded.slice(0, colon), decoded.slice(colon + 1)];
}
