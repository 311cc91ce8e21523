// The audit log: the one place that writes down a change of the configuration.
import {
  type AnyResource,
  type AnyRow,
  auditEvent,
  newRow,
  propertyName,
  shownSid,
  storedAs,
} from '../resources/index.ts';
import type { Along } from '../store/index.ts';
import type { CrudDeps } from './crud.ts';
import { render } from './render.ts';
import type { ApiRequest, JsonObject } from './route.ts';

export type Change = { readonly definition: AnyResource } & (
  | { readonly action: 'create'; readonly before?: undefined; readonly after: AnyRow }
  | { readonly action: 'update'; readonly before: AnyRow; readonly after: AnyRow }
  | { readonly action: 'delete'; readonly before: AnyRow; readonly after?: undefined }
);

const MASK = '****';

/** The event that goes along with the change into the same transaction: both are kept, or neither. */
export function auditOf(deps: CrudDeps, request: ApiRequest, change: Change): Along {
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
function masked(definition: AnyResource, row: AnyRow, { store }: CrudDeps): JsonObject {
  const secrets = Object.entries(definition.fields).filter(([, { column }]) => column === 'secret');
  return {
    ...render(definition, row, { baseUrl: '', rows: store.directory }),
    ...Object.fromEntries(secrets.map(([name]) => [propertyName(name), MASK])),
  };
}
