// What the database refuses, in Twilio's codes: duplicates, limits, missing and needed rows.
import {
  type AnyResource,
  type AnyRow,
  isSid,
  parameterName,
  parentField,
  resourceOfSid,
  resources,
  shownSid,
  storedAs,
  type Unique,
  type Values,
} from '../resources/index.ts';
import { type Filter, IntegrityError, LimitError, type Store } from '../store/index.ts';
import { dialectOf, pathOfSid } from './dialect.ts';
import { ApiError, errors } from './errors.ts';
import type { ApiRequest } from './route.ts';

interface Attempt {
  readonly definition: AnyResource;
  readonly request: ApiRequest;
  /** As it was to be. */
  readonly row: AnyRow;
  readonly verb: 'created' | 'changed' | 'deleted';
}

/** Whatever is referred to must exist in the same account. @throws {ApiError} 404 for what is to be mapped, else 400. */
export async function checkReferences(
  store: Store,
  definition: AnyResource,
  { request, values }: { readonly request: ApiRequest; readonly values: Values },
): Promise<void> {
  const { sid: accountSid } = request.account;
  for (const [name, { reference }] of Object.entries(definition.fields)) {
    const sid = values[name];
    const target = reference && !reference.field && resourceOfSid(reference.prefix);
    if (!target || typeof sid !== 'string') continue;
    const row = isSid(sid, target.sid) ? await store.find(target, sid) : undefined;
    if (row?.accountSid === accountSid) continue;
    throw definition.maps === name
      ? noSuchRow(target, accountSid, sid)
      : errors.invalid(parameterName(name), `names ${sid}, which does not exist`);
  }
}

/** 404 for a row that a parameter names. */
export function noSuchRow(target: AnyResource, accountSid: string, sid: string): ApiError {
  const { namedPath, suffix } = dialectOf(target);
  return errors.notFound(namedPath(pathOfSid(target, accountSid, sid)) + suffix);
}

/** The answer for what came between the check and the commit, or is checked by the database alone. */
export async function refusal(error: unknown, store: Store, attempt: Attempt): Promise<unknown> {
  if (error instanceof LimitError) return new ApiError(400, error.limit.code, error.limit.message);
  if (!(error instanceof IntegrityError)) return error;
  if (error.kind === 'unique') return (await duplicate(store, attempt)) ?? error;
  if (error.kind === 'restrict') return inUse(store, attempt);
  const { definition, request } = attempt;
  return definition.parent
    ? errors.notFound(dialectOf(definition).namedPath(request.path))
    : errors.badRequest('A resource that is referred to has just been deleted');
}

/** By the rule that another row breaks; where it has gone meanwhile, by the first one. */
async function duplicate(store: Store, { definition, row }: Attempt): Promise<ApiError | undefined> {
  const rules = definition.unique ?? [];
  let broken: Unique | undefined;
  for (const rule of rules) broken ??= (await isTaken(store, rule, { definition, row })) ? rule : undefined;
  const rule = broken ?? rules[0];
  return rule && errors.badRequest(rule.message(row), rule.code);
}

async function isTaken(
  store: Store,
  { fields }: Unique,
  { definition, row }: Pick<Attempt, 'definition' | 'row'>,
): Promise<boolean> {
  const where = fields.map((field) => equals(field, row[field] as string | number));
  const { rows } = await store.list(storedAs(definition), { limit: 2, where });
  return rows.some(({ sid }) => sid !== row.sid);
}

/** Names one of those that refer to the row. */
async function inUse(store: Store, { definition, row, verb }: Attempt): Promise<ApiError> {
  const refused = `${definition.name} ${shownSid(definition, row)} cannot be ${verb}`;
  const current = (await store.find(storedAs(definition), row.sid)) as AnyRow | undefined;
  for (const { user, field, reference } of referencesTo(definition)) {
    const value = current?.[reference.field ?? 'sid'];
    if (typeof value !== 'string') continue;
    const { rows } = await store.list(user, { limit: 1, where: [equals(field, value)] });
    if (rows[0]) {
      return errors.badRequest(
        `${refused}: ${holderOf(user, rows[0] as AnyRow)} ${reference.field ? 'is below it' : `refers to it by ${parameterName(field)}`}`,
        reference.inUseCode,
      );
    }
  }
  return errors.badRequest(`${refused}: it is referred to`);
}

/** A mapping has no name of its own: what counts is the domain or trunk it belongs to. */
const holderOf = (user: AnyResource, row: AnyRow): string =>
  user.maps ? `${user.parent?.name} ${row[parentField(user) ?? '']}` : `${user.name} ${row.sid}`;

const referencesTo = ({ sid }: AnyResource) =>
  resources.flatMap((user) =>
    Object.entries(user.fields).flatMap(([field, { reference }]) =>
      reference?.prefix === sid && reference.onDelete === 'restrict' ? [{ user, field, reference }] : [],
    ),
  );

const equals = (field: string, value: string | number): Filter => ({ field, operator: '=', value });
