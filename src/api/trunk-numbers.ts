// A trunk's phone numbers: adding one moves it here from wherever it was, removing one only parts them.
import {
  type AnyResource,
  type AnyRow,
  incomingPhoneNumber,
  isSid,
  parseParameters,
  text,
  trunkPhoneNumber,
} from '../resources/index.ts';
import { type CrudDeps, ownRow, parentOf, shown, updateRow } from './crud.ts';
import { dialectOf } from './dialect.ts';
import { parameterError } from './errors.ts';
import { noSuchRow } from './integrity.ts';
import type { Answer, ApiRequest, Route } from './route.ts';

const PARAMETERS = { fields: { phoneNumberSid: text().required() } };

export function trunkNumberRoutes(deps: CrudDeps): readonly Route[] {
  const path = dialectOf(trunkPhoneNumber).collection(trunkPhoneNumber, {
    account: '',
    parent: ':ParentSid',
  });
  return [
    { method: 'POST', path, answer: (request) => add(deps, request) },
    { method: 'DELETE', path: `${path}/:Sid`, answer: (request) => remove(deps, request) },
  ];
}

async function add(deps: CrudDeps, request: ApiRequest): Promise<Answer> {
  const values = await parentOf(deps, trunkPhoneNumber, request);
  const { values: given, errors: faults } = parseParameters(PARAMETERS, request.form, 'create');
  const error = parameterError(faults);
  if (error) throw error;
  const current = await ownNumber(deps, request, String(given.phoneNumberSid));
  const row = await updateRow(deps, trunkPhoneNumber, { request, values, current });
  return { ...shown(deps, trunkPhoneNumber, { request, row }), status: 201 };
}

async function remove(deps: CrudDeps, request: ApiRequest): Promise<Answer> {
  const current = (await ownRow(deps.store, trunkPhoneNumber, request)) as AnyRow;
  await updateRow(deps, incomingPhoneNumber, { request, values: { trunkSid: null }, current });
  return { status: 204 };
}

async function ownNumber({ store }: CrudDeps, { account }: ApiRequest, sid: string): Promise<AnyRow> {
  const definition: AnyResource = incomingPhoneNumber;
  const row = isSid(sid, definition.sid) ? await store.find(definition, sid) : undefined;
  if (row?.accountSid !== account.sid) throw noSuchRow(definition, account.sid, sid);
  return row as AnyRow;
}
