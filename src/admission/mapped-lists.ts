// The access control and credential lists that are mapped to a domain or trunk.
import {
  callsCredentialListMapping,
  callsIpAccessControlListMapping,
  credential,
  ipAccessControlList,
  ipAddress,
  type Row,
  registrationsCredentialListMapping,
  trunkCredentialList,
  trunkIpAccessControlList,
} from '../resources/index.ts';
import type { Directory } from '../store/index.ts';
import type { Place } from './identify.ts';
import { contains, distance, formatNetwork, ipv4Number } from './ipv4-network.ts';

/** SIDs of the access control lists. */
export const accessListsOf = (directory: Directory, place: Place): readonly string[] =>
  (place.kind === 'domain'
    ? directory.children(callsIpAccessControlListMapping, place.domain.sid)
    : directory.children(trunkIpAccessControlList, place.trunk.sid)
  ).map(({ ipAccessControlListSid }) => ipAccessControlListSid);

/** SIDs of the credential lists for calls. */
export const credentialListsOf = (directory: Directory, place: Place): readonly string[] =>
  (place.kind === 'domain'
    ? directory.children(callsCredentialListMapping, place.domain.sid)
    : directory.children(trunkCredentialList, place.trunk.sid)
  ).map(({ credentialListSid }) => credentialListSid);

/** SIDs of the credential lists for registrations. */
export const registrationListsOf = (directory: Directory, domainSid: string): readonly string[] =>
  directory
    .children(registrationsCredentialListMapping, domainSid)
    .map(({ credentialListSid }) => credentialListSid);

type Entry = Row<typeof ipAddress>;

/** The entry that holds the address. */
export function entryOf(directory: Directory, lists: readonly string[], address: string): Entry | undefined {
  const number = ipv4Number(address);
  if (number === undefined) return undefined;
  for (const list of lists) {
    const found = directory.children(ipAddress, list).find((entry) => contains(entry, number));
    if (found) return found;
  }
  return undefined;
}

/** The entry that the address missed by least, in words. */
export function nearestEntry(
  directory: Directory,
  lists: readonly string[],
  address: string,
): string | undefined {
  const number = ipv4Number(address);
  if (number === undefined) return undefined;
  let nearest: Entry | undefined;
  for (const list of lists) {
    for (const entry of directory.children(ipAddress, list)) {
      if (!nearest || distance(entry, number) < distance(nearest, number)) nearest = entry;
    }
  }
  return nearest && entryInWords(directory, nearest);
}

/** `203.0.113.12/30 in AL… (office)` */
export function entryInWords(directory: Directory, entry: Entry): string {
  const list = directory.find(ipAccessControlList, entry.ipAccessControlListSid);
  return `${formatNetwork(entry)} in ${entry.ipAccessControlListSid} (${list?.friendlyName})`;
}

/** Everyone of that name in the lists. */
export const credentialsOf = (
  directory: Directory,
  lists: readonly string[],
  username: string,
): readonly Row<typeof credential>[] =>
  lists.flatMap((credentialListSid) => directory.findBy(credential, { credentialListSid, username }));
