// Recordings as an action: starting, pausing and stopping those of a live call, and deleting them. Reading what is known
// of them is the generic routes' work, reading their sound that of recordings-media.ts.
import type { CallControl, RecordingFiles, RecordingUpdate } from '../calls/index.ts';
import {
  type AnyResource,
  type AnyRow,
  callRecording,
  enumeration,
  enumerationList,
  parseParameters,
  RECORDING_EVENTS,
  type Row,
  recording,
} from '../resources/index.ts';
import { auditOf } from './audit.ts';
import { OPTIONS, recordingOf } from './call-order-options.ts';
import { type CrudDeps, ownRow, parentOf } from './crud.ts';
import { dialectOf } from './dialect.ts';
import { errors, parameterError } from './errors.ts';
import { type MediaDeps, soundHandler } from './recordings-media.ts';
import { render } from './render.ts';
import type { Answer, ApiRequest, Route } from './route.ts';

export interface RecordingsDeps extends CrudDeps, MediaDeps {
  readonly calls: Pick<CallControl, 'startRecording' | 'changeRecording'>;
  readonly recordings: RecordingFiles;
  readonly config: {
    /** Whoever knows a recording's address may hear it, as with Twilio. */
    readonly publicRecordings?: boolean;
  };
}

const CURRENT = 'Twilio.CURRENT';
/** What has come to its end; the others are still written to. */
const ENDED: readonly string[] = ['completed', 'absent', 'failed', 'deleted'];

const START = {
  fields: {
    recordingChannels: OPTIONS.recordingChannels,
    recordingTrack: OPTIONS.recordingTrack,
    recordingStatusCallback: OPTIONS.recordingStatusCallback,
    recordingStatusCallbackMethod: OPTIONS.recordingStatusCallbackMethod,
    recordingStatusCallbackEvent: enumerationList(RECORDING_EVENTS).default(['completed']),
    trim: enumeration(['trim-silence', 'do-not-trim']).default('do-not-trim'),
  },
};

const CHANGE = {
  fields: {
    status: enumeration(['paused', 'in-progress', 'stopped']).required(),
    pauseBehavior: enumeration(['skip', 'silence']).default('silence'),
  },
};

export function recordingRoutes(deps: RecordingsDeps): readonly Route[] {
  const sids = { account: ':AccountSid', parent: ':ParentSid' };
  const all = dialectOf(recording).collection(recording, sids);
  const ofCall = dialectOf(callRecording).collection(callRecording, sids);
  const isOpen = deps.config.publicRecordings === true;
  return [
    { method: 'DELETE', path: `${all}/:Sid`, answer: (request) => remove(deps, recording, request) },
    { method: 'POST', path: ofCall, answer: (request) => start(deps, request) },
    { method: 'POST', path: `${ofCall}/:Sid`, answer: (request) => change(deps, request) },
    { method: 'DELETE', path: `${ofCall}/:Sid`, answer: (request) => remove(deps, callRecording, request) },
    { method: 'GET', path: `${all}/:Sid`, isBare: true, isOpen, answer: soundHandler(deps) },
  ];
}

async function start(deps: RecordingsDeps, request: ApiRequest): Promise<Answer> {
  const { callSid = '' } = await parentOf(deps, callRecording, request);
  const order = recordingOf(valuesOf(START, request));
  const row = await deps.calls.startRecording(callSid, order);
  if (row === 'not-live') throw errors.notInProgress('record');
  if ('unanswered' in row) throw errors.unavailable(row.unanswered);
  return shown(deps, request, { status: 201, row });
}

async function change(deps: RecordingsDeps, request: ApiRequest): Promise<Answer> {
  const { callSid = '' } = await parentOf(deps, callRecording, request);
  const { Sid: sid = '' } = request.params;
  if (sid !== CURRENT) await ownRow(deps.store, callRecording, request);
  const update = valuesOf(CHANGE, request) as unknown as RecordingUpdate;
  const row = await deps.calls.changeRecording(callSid, sid, update);
  if (row === 'not-found' && sid === CURRENT) throw errors.notFound(request.path);
  if (row === 'not-found' || row === 'not-live') throw errors.notInProgress('change its recording');
  if ('unanswered' in row) throw errors.unavailable(row.unanswered);
  return shown(deps, request, { status: 200, row });
}

/** @throws {ApiError} */
function valuesOf(parameters: Parameters<typeof parseParameters>[0], { form }: ApiRequest) {
  const given = new Map([...form].filter(([, [first]]) => first !== ''));
  const { values, errors: faults } = parseParameters(parameters, given, 'create');
  const error = parameterError(faults);
  if (error) throw error;
  return values;
}

/** The sound goes at once; the row stays, to be read by who asks for it. */
async function remove(deps: RecordingsDeps, definition: AnyResource, request: ApiRequest): Promise<Answer> {
  const row = (await ownRow(deps.store, definition, request)) as AnyRow;
  if (!ENDED.includes(String(row.status))) throw errors.stillRecording();
  await deps.recordings.remove(row);
  const along = auditOf(deps, request, { action: 'delete', definition: recording, before: row });
  await deps.store.update(recording, row.sid, { status: 'deleted', isDeleted: true }, along);
  return { status: 204 };
}

function shown(
  { store }: RecordingsDeps,
  { baseUrl }: ApiRequest,
  { status, row }: { readonly status: number; readonly row: Row<typeof recording> },
): Answer {
  return {
    status,
    body: render<AnyResource>(callRecording, row as unknown as Row<AnyResource>, {
      baseUrl,
      rows: store.directory,
    }),
  };
}
