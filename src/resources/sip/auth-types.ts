// Which ways to authenticate a domain or trunk has, as `auth_type` shows them.
import type { BaseRow } from '../resource.ts';

export type AuthType = 'IP_ACL' | 'CREDENTIAL_LIST';

/** The types that have a mapping, the one mapped first in front. */
export function authTypes(
  mapped: Readonly<Record<AuthType, readonly Pick<BaseRow, 'dateCreated'>[]>>,
): readonly AuthType[] {
  const firstOf = (type: AuthType): number => mapped[type][0]?.dateCreated ?? Number.POSITIVE_INFINITY;
  const types: readonly AuthType[] = ['IP_ACL', 'CREDENTIAL_LIST'];
  return types.filter((type) => mapped[type].length > 0).toSorted((a, b) => firstOf(a) - firstOf(b));
}
