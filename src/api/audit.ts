// The audit log: the one place that writes down a change of the configuration.
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import {
  type AnyResource,
  type AnyRow,
  auditEvent,
  newRow,
  propertyName,
  shownSid,
  storedAs,
} from '../resources/index.ts';
import type { Along, Store } from '../store/index.ts';
import { render } from './render.ts';
import type { ApiRequest, JsonObject } from './route.ts';

export type Change = { readonly definition: AnyResource } & (
  | { readonly action: 'create'; readonly before?: undefined; readonly after: AnyRow }
  | { readonly action: 'update'; readonly before: AnyRow; readonly after: AnyRow }
  | { readonly action: 'delete'; readonly before: AnyRow; readonly after?: undefined }
);

export interface AuditDeps {
  readonly store: Pick<Store, 'directory'>;
  readonly clock: Clock;
  readonly random: Random;
}

const MASK = '****';

/** The event that goes along with the change into the same transaction: both are kept, or neither. */
export function auditOf(deps: AuditDeps, request: ApiRequest, change: Change): Along {
  const { before, after, action } = change;
  const definition = storedAs(change.definition);
  const snapshot = (row: AnyRow | undefined): string | null =>
    row ? JSON.stringify(masked(definition, row, deps)) : null;
  const values = {
    accountSid: request.account.sid,
    actorSid: request.actorSid,
    action,
    resourceType: definition.name,
    resourceSid: shownSid(definition, change.after ?? change.before),
    before: snapshot(before),
    after: snapshot(after),
  };
  return { definition: auditEvent, row: newRow(auditEvent, values, deps) };
}

/** What the API shows of it, and that there are secrets, but none of them. */
function masked(definition: AnyResource, row: AnyRow, { store }: AuditDeps): JsonObject {
  const secrets = Object.entries(definition.fields).filter(([, { column }]) => column === 'secret');
  return {
    ...render(definition, row, { baseUrl: '', rows: store.directory }),
    ...Object.fromEntries(secrets.map(([name]) => [propertyName(name), MASK])),
  };
}
