// A call or registration that was refused at the door, and what would let it in. Equal ones are counted in one row.
import { dateTime, enumeration, integer, sidOf, text } from '../fields.ts';
import { resource } from '../resource.ts';

export const rejectedCall = resource({
  name: 'RejectedCall',
  sid: 'RJ',
  table: 'rejected_calls',
  api: 'tandem/v1',
  path: 'RejectedCalls',
  key: 'rejected_calls',
  kind: 'record',
  operations: ['fetch', 'list'],
  filters: ['method', 'sourceIp', 'domain', 'domainSid', 'trunkSid', 'status', 'errorCode', 'lastRejectedAt'],
  fields: {
    method: enumeration(['INVITE', 'REGISTER']).required().readOnly(),
    /** Null in the row that counts what came from too many places to tell apart. */
    sourceIp: text().readOnly(),
    sourcePort: integer({ max: 65_535 }).readOnly(),
    transport: enumeration(['udp', 'tcp', 'tls']).readOnly(),
    /** The host that the Request-URI named. */
    domain: text().readOnly(),
    domainSid: sidOf('SD').readOnly(),
    trunkSid: sidOf('TK').readOnly(),
    /** URIs of the latest one. */
    from: text().readOnly(),
    to: text().readOnly(),
    sipCallId: text().readOnly(),
    /** Of the SIP response; null where none was sent, as too many came. */
    status: integer({ min: 300, max: 699 }).readOnly(),
    /** Twilio's. */
    errorCode: integer({ min: 10_000, max: 99_999 }).readOnly(),
    reason: text().required().readOnly(),
    /** What to change so that the next one is let in. */
    fix: text().readOnly(),
    /** How many there were like it. */
    count: integer({ min: 1 }).default(1).readOnly(),
    lastRejectedAt: dateTime().required().readOnly(),
  },
});
