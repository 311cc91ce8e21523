// A binding: where a device that registered is reached (RFC 3261 §10).
import { dateTime, enumeration, integer, sidOf, text } from '../fields.ts';
import { resource } from '../resource.ts';

export const registration = resource({
  name: 'Registration',
  sid: 'RG',
  table: 'registrations',
  api: 'tandem/v1',
  path: 'Registrations',
  key: 'registrations',
  kind: 'record',
  operations: ['fetch', 'list'],
  filters: ['domain', 'domainSid', 'aor', 'username'],
  fields: {
    domainSid: sidOf('SD').required().readOnly(),
    /** The domain's name when it registered. */
    domain: text().required().readOnly(),
    /** `sip:bob@name.sip.twilio.com` */
    aor: text().required().readOnly(),
    username: text().required().readOnly(),
    /** The URI that the device gave. */
    contact: text().required().readOnly(),
    /** What tells two bindings apart: the instance and its flow, or the contact. */
    contactKey: text().required().internal(),
    /** RFC 5626 §4.1, as it was written. */
    instanceId: text().readOnly(),
    regId: integer().readOnly(),
    /** The other end of the flow it registered by: calls go there. */
    sourceIp: text().required().readOnly(),
    sourcePort: integer({ max: 65_535 }).required().readOnly(),
    transport: enumeration(['udp', 'tcp', 'tls']).required().readOnly(),
    /** Of the listener that it came to. */
    ownAddress: text().internal(),
    /** The run of the exchange that it came to. */
    node: text().internal(),
    userAgent: text().readOnly(),
    sipCallId: text().required().readOnly(),
    cseq: integer().required().internal(),
    expiresAt: dateTime().required().readOnly(),
  },
});
