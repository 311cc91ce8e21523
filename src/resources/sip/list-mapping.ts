// What every mapping of a credential list or an IP access control list is, whatever it is mapped to.
import { reference } from '../fields.ts';
import type { AnyRow, RowSource } from '../resource.ts';
import { credentialList } from './credential-list.ts';
import { ipAccessControlList } from './ip-access-control-list.ts';

interface MappedTo {
  /** As the refusal of a second mapping calls it. */
  readonly parent: 'domain' | 'trunk';
  /** Twilio's error code for the second one. */
  readonly alreadyMapped: number;
}

export const mapsCredentialList = (to: MappedTo) => ({
  maps: 'credentialListSid' as const,
  unique: [once(to, 'credentialListSid', 'CredentialList')],
  derived: {
    friendlyName: (row: AnyRow, rows: RowSource) =>
      rows.find(credentialList, String(row.credentialListSid))?.friendlyName ?? null,
  },
  fields: { credentialListSid: reference('CL', { inUseCode: 21_241 }).required().writeOnly() },
});

export const mapsIpAccessControlList = (to: MappedTo) => ({
  maps: 'ipAccessControlListSid' as const,
  unique: [once(to, 'ipAccessControlListSid', 'IpAccessControlList')],
  derived: {
    friendlyName: (row: AnyRow, rows: RowSource) =>
      rows.find(ipAccessControlList, String(row.ipAccessControlListSid))?.friendlyName ?? null,
  },
  fields: { ipAccessControlListSid: reference('AL', { inUseCode: 21_236 }).required().writeOnly() },
});

const once = ({ parent, alreadyMapped }: MappedTo, list: string, words: string) => ({
  fields: [`${parent}Sid`, list],
  code: alreadyMapped,
  message: () => `${words} already associated with this ${parent}`,
});
