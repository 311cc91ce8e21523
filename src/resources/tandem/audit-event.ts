// One change of the configuration: who changed what, and what it was before and after, secrets masked.
import { enumeration, json, text } from '../fields.ts';
import { resource } from '../resource.ts';

export const AUDIT_ACTIONS = ['create', 'update', 'delete'] as const;

export const auditEvent = resource({
  name: 'AuditEvent',
  sid: 'TA',
  table: 'audit_events',
  api: 'tandem/v1',
  path: 'AuditEvents',
  key: 'audit_events',
  kind: 'record',
  operations: ['fetch', 'list'],
  filters: ['actorSid', 'action', 'resourceType', 'resourceSid'],
  fields: {
    /** The account or API key that asked for it. */
    actorSid: text().required().readOnly(),
    action: enumeration(AUDIT_ACTIONS).required().readOnly(),
    /** A definition's name. */
    resourceType: text().required().readOnly(),
    resourceSid: text().required().readOnly(),
    before: json().readOnly(),
    after: json().readOnly(),
  },
});
