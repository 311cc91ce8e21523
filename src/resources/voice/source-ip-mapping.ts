// Sends what comes by an IP record to a SIP domain, whatever host the Request-URI names.
import { reference } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';

export const sourceIpMapping = resource({
  name: 'SourceIpMapping',
  sid: 'IB',
  table: 'source_ip_mappings',
  api: 'v1',
  path: 'SourceIpMappings',
  key: 'source_ip_mappings',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  hidden: ['account_sid'],
  indexes: [['ipRecordSid']],
  fields: {
    ipRecordSid: reference('IL').required().fixed(),
    sipDomainSid: reference('SD').alwaysRequired(),
  },
});
