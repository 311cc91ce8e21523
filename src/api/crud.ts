// The five operations of any resource, from its definition alone.
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import {
  type AnyResource,
  type AnyRow,
  isSid,
  type NewRow,
  newRow,
  type Operation,
  parameterName,
  parentField,
  parseParameters,
  type Row,
  resourceOfSid,
  resources,
} from '../resources/index.ts';
import { CursorError, type Filter, IntegrityError, LimitError, type Store } from '../store/index.ts';
import { dialectOf } from './dialect.ts';
import { ApiError, errors, parameterError } from './errors.ts';
import { parseFilters } from './filters.ts';
import { cursorOf, parsePage, renderPage } from './page.ts';
import { render } from './render.ts';
import type { Answer, ApiRequest, Handler, Route } from './route.ts';

export interface CrudDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

/** The routes of every resource, those with actions of their own left out where the definition says so. */
export const crudRoutes = (deps: CrudDeps): readonly Route[] =>
  resources.flatMap((definition) => routesOf(definition, deps));

function routesOf(definition: AnyResource, deps: CrudDeps): readonly Route[] {
  const collection = dialectOf(definition).collection(definition, {
    account: ':AccountSid',
    parent: ':ParentSid',
  });
  const instance = `${collection}/:Sid`;
  const bound =
    (handler: BoundHandler): Handler =>
    (request) =>
      handler(deps, definition, request);
  const all: Readonly<Record<Operation, Route>> = {
    create: { method: 'POST', path: collection, answer: bound(create) },
    list: { method: 'GET', path: collection, answer: bound(list) },
    fetch: { method: 'GET', path: instance, answer: bound(fetchOne) },
    update: { method: 'POST', path: instance, answer: bound(update) },
    delete: { method: 'DELETE', path: instance, answer: bound(remove) },
  };
  return definition.operations.map((operation) => all[operation]);
}

type BoundHandler = (deps: CrudDeps, definition: AnyResource, request: ApiRequest) => Promise<Answer>;

async function create(deps: CrudDeps, definition: AnyResource, request: ApiRequest): Promise<Answer> {
  const parent = await parentOf(deps, definition, request);
  const values = parsedValues(definition, request, 'create');
  await checkReferences(deps, definition, { request, values });
  const given = { ...values, ...parent, accountSid: request.account.sid } as NewRow<AnyResource>;
  const row = newRow(definition, given, deps);
  const stored = await deps.store.insert(definition, row).catch((error: unknown) => {
    throw refusal(error, definition, request);
  });
  return { status: 201, body: render(definition, stored, request.baseUrl) };
}

async function fetchOne(deps: CrudDeps, definition: AnyResource, request: ApiRequest): Promise<Answer> {
  const row = await ownRow(deps.store, definition, request);
  return { status: 200, body: render(definition, row, request.baseUrl) };
}

async function list(deps: CrudDeps, definition: AnyResource, request: ApiRequest): Promise<Answer> {
  const parent = await parentOf(deps, definition, request);
  const { pageSize, token } = parsePage(request.query);
  const scope: readonly Filter[] = Object.entries({ accountSid: request.account.sid, ...parent }).map(
    ([field, value]) => ({ field, operator: '=', value }),
  );
  const where = [...scope, ...parseFilters(definition, request.query)];
  const page = await deps.store
    .list(definition, { limit: pageSize, where, ...cursorOf(token) })
    .catch((error: unknown) => {
      throw error instanceof CursorError ? errors.badPageToken() : error;
    });
  const rows = page.rows.map((row) => render(definition, row, request.baseUrl));
  return { status: 200, body: renderPage({ ...request, definition }, page, rows) };
}

async function update(deps: CrudDeps, definition: AnyResource, request: ApiRequest): Promise<Answer> {
  const { sid } = await ownRow(deps.store, definition, request);
  const values = parsedValues(definition, request, 'update');
  await checkReferences(deps, definition, { request, values });
  const row = await deps.store.update(definition, sid, values).catch((error: unknown) => {
    throw refusal(error, definition, request);
  });
  if (!row) throw notFound(definition, request);
  return { status: 200, body: render(definition, row, request.baseUrl) };
}

async function remove(deps: CrudDeps, definition: AnyResource, request: ApiRequest): Promise<Answer> {
  const { sid } = await ownRow(deps.store, definition, request);
  const removed = await deps.store.remove(definition, sid).catch(async (error: unknown) => {
    const isInUse = error instanceof IntegrityError && error.kind === 'restrict';
    throw isInUse ? await inUse(deps.store, definition, sid) : error;
  });
  if (!removed) throw notFound(definition, request);
  return { status: 204 };
}

/** The row that the path names. @throws {ApiError} 404 where it is malformed, foreign or under another parent. */
export async function ownRow<R extends AnyResource>(
  store: Store,
  definition: R,
  request: ApiRequest,
): Promise<Row<R>> {
  const sid = request.params.Sid ?? '';
  const row = isSid(sid, definition.sid) ? await store.find(definition, sid) : undefined;
  const parent = parentField(definition);
  const values = row as unknown as AnyRow | undefined;
  const isUnderParent = parent === undefined || values?.[parent] === request.params.ParentSid;
  if (!row || values?.accountSid !== request.account.sid || !isUnderParent)
    throw notFound(definition, request);
  return row;
}

/** The field that names the parent, which must be there. */
async function parentOf(
  { store }: CrudDeps,
  definition: AnyResource,
  request: ApiRequest,
): Promise<{ readonly [field: string]: string }> {
  const field = parentField(definition);
  const { parent } = definition;
  if (!field || !parent) return {};
  const sid = request.params.ParentSid ?? '';
  const row = isSid(sid, parent.sid) ? await store.find(parent, sid) : undefined;
  if (row?.accountSid !== request.account.sid) throw notFound(definition, request);
  return { [field]: sid };
}

function parsedValues(definition: AnyResource, { form }: ApiRequest, operation: 'create' | 'update') {
  const { values, errors: faults } = parseParameters(definition, form, operation);
  const error = parameterError(faults);
  if (error) throw error;
  return values;
}

/** Whatever is referred to must exist in the same account. */
async function checkReferences(
  { store }: CrudDeps,
  definition: AnyResource,
  { request, values }: { readonly request: ApiRequest; readonly values: ReturnType<typeof parsedValues> },
): Promise<void> {
  for (const [name, field] of Object.entries(definition.fields)) {
    const sid = values[name];
    if (!field.references || typeof sid !== 'string') continue;
    const target = resourceOfSid(field.references);
    const row = target && (await store.find(target, sid));
    if (row?.accountSid !== request.account.sid) {
      throw errors.invalid(parameterName(name), `names ${sid}, which does not exist`);
    }
  }
}

/** What came between the check and the commit: a limit that others filled, a row that others deleted. */
function refusal(error: unknown, definition: AnyResource, request: ApiRequest): unknown {
  if (error instanceof LimitError) return new ApiError(400, error.limit.code, error.limit.message);
  if (!(error instanceof IntegrityError) || error.kind !== 'reference') return error;
  return definition.parent
    ? notFound(definition, request)
    : errors.badRequest('A resource that is referred to has just been deleted');
}

/** Names one of those that refer to the row. */
async function inUse(store: Store, definition: AnyResource, sid: string): Promise<ApiError> {
  for (const user of resources) {
    for (const [field, { references }] of Object.entries(user.fields)) {
      if (references !== definition.sid) continue;
      const { rows } = await store.list(user, { limit: 1, where: [{ field, operator: '=', value: sid }] });
      if (rows[0]) {
        return errors.badRequest(
          `${definition.name} ${sid} cannot be deleted: ${user.name} ${rows[0].sid} refers to it by ${parameterName(field)}`,
        );
      }
    }
  }
  return errors.badRequest(`${definition.name} ${sid} cannot be deleted: it is referred to`);
}

const notFound = (definition: AnyResource, { path }: ApiRequest): ApiError =>
  errors.notFound(dialectOf(definition).namedPath(path));
