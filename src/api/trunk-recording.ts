// A trunk's Recording: two settings of the trunk, shown and changed at an address of their own.
import {
  type AnyResource,
  type AnyRow,
  enumeration,
  parseParameters,
  RECORDING_MODES,
  RECORDING_TRIMS,
  recordingOf,
  trunk,
} from '../resources/index.ts';
import { type CrudDeps, ownRow, updateRow } from './crud.ts';
import { parameterError } from './errors.ts';
import type { Answer, ApiRequest, Route } from './route.ts';

const PARAMETERS = {
  fields: {
    mode: enumeration(RECORDING_MODES).required(),
    trim: enumeration(RECORDING_TRIMS).required(),
  },
};

export function trunkRecordingRoutes(deps: CrudDeps): readonly Route[] {
  const path = '/v1/Trunks/:Sid/Recording';
  return [
    { method: 'GET', path, answer: (request) => fetchRecording(deps, request) },
    { method: 'POST', path, answer: (request) => updateRecording(deps, request) },
  ];
}

async function fetchRecording({ store }: CrudDeps, request: ApiRequest): Promise<Answer> {
  return { status: 200, body: recordingOf((await ownRow<AnyResource>(store, trunk, request)) as AnyRow) };
}

async function updateRecording(deps: CrudDeps, request: ApiRequest): Promise<Answer> {
  const current = (await ownRow<AnyResource>(deps.store, trunk, request)) as AnyRow;
  const { values, errors: faults } = parseParameters(PARAMETERS, request.form, 'update');
  const error = parameterError(faults);
  if (error) throw error;
  const { mode = current.recordingMode, trim = current.recordingTrim } = values;
  const change = { recordingMode: mode ?? null, recordingTrim: trim ?? null };
  const row = await updateRow(deps, trunk, { request, current, values: change });
  return { status: 200, body: recordingOf(row) };
}
