// The audit log: the one place that writes down a change of the configuration.
import {
  AUDIT_ACTIONS,
  type AnyResource,
  type AnyRow,
  auditEvent,
  newRow,
  propertyName,
  shownSid,
} from '../resources/index.ts';
import type { CrudDeps } from './crud.ts';
import { render } from './render.ts';
import type { ApiRequest, JsonObject } from './route.ts';

export interface Change {
  readonly action: (typeof AUDIT_ACTIONS)[number];
  readonly definition: AnyResource;
  readonly before?: AnyRow;
  readonly after?: AnyRow;
}

const MASK = '****';

/** Called once the change is committed and before it is answered: a change that is logged has happened. */
export async function audit(deps: CrudDeps, request: ApiRequest, change: Change): Promise<void> {
  const { definition, before, after, action } = change;
  const row = after ?? before;
  if (!row) return;
  const snapshot = (of: AnyRow | undefined): string | null =>
    of ? JSON.stringify(masked(definition, of, deps)) : null;
  await deps.store.insert(
    auditEvent,
    newRow(
      auditEvent,
      {
        accountSid: request.account.sid,
        actorSid: request.actorSid,
        action,
        resourceType: definition.name,
        resourceSid: shownSid(definition, row),
        before: snapshot(before),
        after: snapshot(after),
      },
      deps,
    ),
  );
}

/** What the API shows of it, and that there are secrets, but none of them. */
function masked(definition: AnyResource, row: AnyRow, { store }: CrudDeps): JsonObject {
  const secrets = Object.entries(definition.fields).filter(([, { column }]) => column === 'secret');
  return {
    ...render(definition, row, { baseUrl: '', rows: store.directory }),
    ...Object.fromEntries(secrets.map(([name]) => [propertyName(name), MASK])),
  };
}
