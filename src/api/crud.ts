// The five operations of any resource, from its definition alone.
import {
  type AnyResource,
  type AnyRow,
  type DomainSuffixes,
  isSid,
  key,
  type NewRow,
  newRow,
  type Operation,
  parameterName,
  parentField,
  parseParameters,
  Refusal,
  type Row,
  resources,
  storedAs,
  type Values,
  views,
} from '../resources/index.ts';
import { CursorError, type Filter, type Store } from '../store/index.ts';
import { type AuditDeps, auditOf } from './audit.ts';
import { dialectOf } from './dialect.ts';
import { type ApiError, errors, parameterError } from './errors.ts';
import { parseFilters } from './filters.ts';
import { checkReferences, refusal } from './integrity.ts';
import { cursorOf, parsePage, renderPage } from './page.ts';
import { render } from './render.ts';
import type { Answer, ApiRequest, Handler, Route } from './route.ts';

export interface CrudDeps extends AuditDeps {
  readonly store: Store;
  readonly suffixes: DomainSuffixes;
}

/** Twilio's word, on recordings. */
export const INCLUDE_DELETED = 'IncludeSoftDeleted';

/** The routes of every resource, those with actions of their own left out where the definition says so. */
export const crudRoutes = (deps: CrudDeps): readonly Route[] =>
  [...resources, ...views].flatMap((definition) => routesOf(definition, deps));

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
  const writing = definition.tokenOnly ? (handler: BoundHandler) => withToken(bound(handler)) : bound;
  const all: Readonly<Record<Operation, Route>> = {
    create: { method: 'POST', path: collection, answer: writing(create) },
    list: { method: 'GET', path: collection, answer: bound(list) },
    fetch: { method: 'GET', path: instance, answer: bound(fetchOne) },
    update: { method: 'POST', path: instance, answer: writing(update) },
    delete: { method: 'DELETE', path: instance, answer: writing(remove) },
  };
  return definition.operations.map((operation) => all[operation]);
}

const withToken =
  (handler: Handler): Handler =>
  (request) => {
    if (request.actorSid.startsWith(key.sid)) throw errors.accessDenied();
    return handler(request);
  };

type BoundHandler = (deps: CrudDeps, definition: AnyResource, request: ApiRequest) => Promise<Answer>;

async function create(deps: CrudDeps, definition: AnyResource, request: ApiRequest): Promise<Answer> {
  const parent = await parentOf(deps, definition, request);
  const values = { ...parsedValues(definition, request, 'create'), ...parent };
  const row = await createRow(deps, definition, { request, values });
  const showing = { baseUrl: request.baseUrl, rows: deps.store.directory, created: true };
  return { status: 201, body: render(definition, row, showing) };
}

/** Inserts what the parameters said. @throws {ApiError} for whatever the definition's rules or the database refuse. */
export async function createRow(
  deps: CrudDeps,
  definition: AnyResource,
  given: { readonly request: ApiRequest; readonly values: Values },
): Promise<AnyRow> {
  const { request } = given;
  const settled = settledValues(deps, definition, given);
  await checkReferences(deps.store, definition, { request, values: settled });
  const stored = storedAs(definition);
  const values = { ...settled, accountSid: request.account.sid } as NewRow<AnyResource>;
  const row = newRow(stored, values, deps) as AnyRow;
  const along = auditOf(deps, request, { action: 'create', definition, after: row });
  await deps.store.insert(stored, row, along).catch(async (error: unknown) => {
    throw await refusal(error, deps.store, { definition, request, row, verb: 'created' });
  });
  return row;
}

async function fetchOne(deps: CrudDeps, definition: AnyResource, request: ApiRequest): Promise<Answer> {
  const row = await ownRow(deps.store, definition, request);
  return shown(deps, definition, { request, row });
}

async function list(deps: CrudDeps, definition: AnyResource, request: ApiRequest): Promise<Answer> {
  const parent = await parentOf(deps, definition, request);
  const { pageSize, token } = parsePage(request.query);
  const where = [...scopeOf(definition, request, parent), ...parseFilters(definition, request.query)];
  const page = await deps.store
    .list(storedAs(definition), { limit: pageSize, where, ...cursorOf(token) })
    .catch((error: unknown) => {
      throw error instanceof CursorError ? errors.badPageToken() : error;
    });
  const showing = { baseUrl: request.baseUrl, rows: deps.store.directory, listed: true };
  const rows = page.rows.map((row) => render(definition, row, showing));
  return { status: 200, body: renderPage({ ...request, definition }, page, rows) };
}

async function update(deps: CrudDeps, definition: AnyResource, request: ApiRequest): Promise<Answer> {
  const current = (await ownRow(deps.store, definition, request)) as AnyRow;
  const values = parsedValues(definition, request, 'update');
  const row = await updateRow(deps, definition, { request, values, current });
  return shown(deps, definition, { request, row });
}

/** Changes what the parameters said. @throws {ApiError} */
export async function updateRow(
  deps: CrudDeps,
  definition: AnyResource,
  change: { readonly request: ApiRequest; readonly values: Values; readonly current: AnyRow },
): Promise<AnyRow> {
  const { request, current } = change;
  const values = settledValues(deps, definition, change);
  await checkReferences(deps.store, definition, { request, values });
  const after = { ...current, ...values, dateUpdated: deps.clock.now() };
  const along = auditOf(deps, request, { action: 'update', definition, before: current, after });
  const row = await deps.store
    .update(storedAs(definition), current.sid, values, along)
    .catch(async (error: unknown) => {
      throw await refusal(error, deps.store, { definition, request, row: after, verb: 'changed' });
    });
  if (!row) throw notFound(definition, request);
  return row as AnyRow;
}

async function remove(deps: CrudDeps, definition: AnyResource, request: ApiRequest): Promise<Answer> {
  const row = (await ownRow(deps.store, definition, request)) as AnyRow;
  const along = auditOf(deps, request, { action: 'delete', definition, before: row });
  const removed = await deps.store
    .remove(storedAs(definition), row.sid, along)
    .catch(async (error: unknown) => {
      throw await refusal(error, deps.store, { definition, request, row, verb: 'deleted' });
    });
  if (!removed) throw notFound(definition, request);
  return { status: 204 };
}

export function shown(
  { store }: Pick<CrudDeps, 'store'>,
  definition: AnyResource,
  { request, row }: { readonly request: ApiRequest; readonly row: Row<AnyResource> },
): Answer {
  const showing = { baseUrl: request.baseUrl, rows: store.directory };
  return { status: 200, body: render(definition, row, showing) };
}

/** The row that the path names. @throws {ApiError} 404 where it is malformed, foreign or under another parent. */
export async function ownRow<R extends AnyResource>(
  store: Store,
  definition: R,
  request: ApiRequest,
): Promise<Row<R>> {
  const sid = request.params.Sid ?? '';
  const row = await (definition.maps === undefined
    ? rowOfSid(store, definition, sid)
    : mappingOf(store, definition, request));
  const parent = parentField(definition);
  const isUnderParent = parent === undefined || row?.[parent] === request.params.ParentSid;
  const isMissing = !row || !isOwn(definition, row, request) || !isUnderParent;
  if (isMissing || isGone(definition, row, request)) throw notFound(definition, request);
  return row as unknown as Row<R>;
}

/** Deleted, kept all the same, and not asked for. */
const isGone = ({ softDeletion }: AnyResource, row: AnyRow, request: ApiRequest): boolean =>
  softDeletion !== undefined && row[softDeletion] === true && !includesDeleted(request);

const includesDeleted = ({ query }: ApiRequest): boolean =>
  query.get(INCLUDE_DELETED)?.[0]?.toLowerCase() === 'true';

async function rowOfSid(store: Store, definition: AnyResource, sid: string): Promise<AnyRow | undefined> {
  if (!isSid(sid, definition.sid)) return undefined;
  return (await store.find(storedAs(definition), sid)) as AnyRow | undefined;
}

async function mappingOf(
  store: Store,
  definition: AnyResource,
  { params: { ParentSid = '', Sid = '' } }: ApiRequest,
): Promise<AnyRow | undefined> {
  const { parent, maps = '', fields } = definition;
  // What is no SID may be no text for a database either.
  if (!isSid(ParentSid, parent?.sid ?? '') || !isSid(Sid, fields[maps]?.reference?.prefix ?? ''))
    return undefined;
  const keys = { [parentField(definition) ?? '']: ParentSid, [maps]: Sid };
  const where = Object.entries(keys).map(([field, value]) => ({ field, operator: '=', value }) as const);
  const { rows } = await store.list(storedAs(definition), { limit: 1, where });
  return rows[0] as AnyRow | undefined;
}

const isOwn = (definition: AnyResource, row: AnyRow, { account }: ApiRequest): boolean =>
  row.accountSid === account.sid || (definition.isAccount === true && row.sid === account.sid);

/** The caller's rows; of accounts itself and those below it. */
function scopeOf(
  definition: AnyResource,
  request: ApiRequest,
  parent: { readonly [field: string]: string },
): readonly Filter[] {
  const { account } = request;
  const isSubaccount = account.accountSid !== account.sid;
  const owner = definition.isAccount && isSubaccount ? { sid: account.sid } : { accountSid: account.sid };
  const { softDeletion } = definition;
  const kept = softDeletion === undefined || includesDeleted(request) ? {} : { [softDeletion]: false };
  return Object.entries({ ...owner, ...parent, ...kept }).map(([field, value]) => ({
    field,
    operator: '=',
    value,
  }));
}

/** The field that names the parent, which must be there. */
export async function parentOf(
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

export function parsedValues(
  definition: AnyResource,
  { form }: ApiRequest,
  operation: 'create' | 'update',
): Values {
  const { values, errors: faults } = parseParameters(definition, form, operation);
  const { faultCodes = {}, faultCode } = definition;
  const error = parameterError(faults, (parameter) => {
    const field = Object.keys(faultCodes).find((name) => parameterName(name) === parameter);
    return field === undefined ? faultCode : faultCodes[field];
  });
  if (error) throw error;
  return values;
}

/** What the definition's own rule makes of the values. @throws {ApiError} */
function settledValues(
  { store, suffixes, clock }: CrudDeps,
  { settle }: AnyResource,
  { request, values, current }: { request: ApiRequest; values: Values; current?: AnyRow },
): Values {
  if (!settle) return values;
  const settled = settle(values, {
    account: request.account,
    ...(current && { current }),
    rows: store.directory,
    suffixes,
    now: clock.now(),
  });
  if (settled instanceof Refusal) throw errors.badRequest(settled.message, settled.code);
  return settled;
}

export const notFound = (definition: AnyResource, { path }: ApiRequest): ApiError =>
  errors.notFound(dialectOf(definition).namedPath(path));
