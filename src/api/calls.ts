// Calls as an action: placing, changing and deleting them. Reading them is the generic routes' work.
import type { CallChange, CallControl, WebhookTarget } from '../calls/index.ts';
import {
  call,
  enumeration,
  type FieldValue,
  type Form,
  httpMethod,
  httpUrl,
  parseParameters,
  text,
} from '../resources/index.ts';
import type { Store } from '../store/index.ts';
import {
  orderError,
  parseCallOrder,
  sourceWarnings,
  timeLimit,
  twimlSource,
  withoutEmpty,
} from './call-order.ts';
import { ownRow } from './crud.ts';
import { dialectOf } from './dialect.ts';
import { errors } from './errors.ts';
import { render } from './render.ts';
import type { Answer, ApiRequest, Route } from './route.ts';

export interface CallsDeps {
  readonly store: Store;
  readonly calls: CallControl;
}

const FINAL_STATUSES: readonly string[] = ['completed', 'busy', 'failed', 'no-answer', 'canceled'];

const CHANGE = {
  fields: {
    status: enumeration(['canceled', 'completed']),
    url: httpUrl(),
    method: httpMethod().default('POST'),
    twiml: text(),
    fallbackUrl: httpUrl(),
    fallbackMethod: httpMethod(),
    statusCallback: httpUrl({ underscores: false }),
    statusCallbackMethod: httpMethod(),
    timeLimit: timeLimit(),
  },
};

export function callRoutes(deps: CallsDeps): readonly Route[] {
  const collection = dialectOf(call).collection(call, { account: ':AccountSid', parent: '' });
  const instance = `${collection}/:Sid`;
  return [
    { method: 'POST', path: collection, answer: (request) => place(deps, request) },
    { method: 'POST', path: instance, answer: (request) => change(deps, request) },
    { method: 'DELETE', path: instance, answer: (request) => remove(deps, request) },
  ];
}

async function place({ store, calls }: CallsDeps, request: ApiRequest): Promise<Answer> {
  if (!calls.accepting) throw errors.unavailable('The exchange is shutting down and takes no new calls');
  const order = parseCallOrder(request.form, {
    accountSid: request.account.sid,
    directory: store.directory,
    calls,
  });
  const row = await calls.place(order);
  if (row === 'too-many-calls') throw errors.tooManyCalls();
  if (row === 'queue-full') throw errors.queueFull();
  return { status: 201, body: render(call, row, showing(store, request)) };
}

async function change({ store, calls }: CallsDeps, request: ApiRequest): Promise<Answer> {
  const { sid } = await ownRow(store, call, request);
  const wanted = parseChange(request.form);
  const result = Object.keys(wanted).length > 0 ? await calls.change(sid, wanted) : 'done';
  if (typeof result === 'object') throw errors.unavailable(result.unanswered);
  if (result !== 'done') throw errors.notInProgress(wanted.status ? 'end' : 'redirect');
  const row = await store.find(call, sid);
  if (!row) throw errors.notFound(request.path);
  return { status: 200, body: render(call, row, showing(store, request)) };
}

/** An empty parameter means that it was not given. @throws {ApiError} */
function parseChange(given: Form): CallChange {
  const form = withoutEmpty(given);
  const { values, errors: faults } = parseParameters(CHANGE, form, 'create');
  const error = orderError(faults);
  if (error) throw error;
  const twiml = twimlSource(values);
  const fallback = target(values.fallbackUrl, values.fallbackMethod);
  const statusCallback = target(values.statusCallback, values.statusCallbackMethod);
  const warnings = sourceWarnings(form);
  return {
    ...(values.status && { status: values.status as NonNullable<CallChange['status']> }),
    ...(twiml && { twiml }),
    ...(fallback && { fallback }),
    ...(statusCallback && { statusCallback }),
    ...(typeof values.timeLimit === 'number' && { timeLimitS: values.timeLimit }),
    ...(warnings.length > 0 && { warnings }),
  };
}

function target(url: FieldValue = null, method: FieldValue = null): Partial<WebhookTarget> | undefined {
  if (url === null && method === null) return undefined;
  return {
    ...(url !== null && { url: String(url) }),
    ...(method !== null && { method: method === 'GET' ? 'GET' : 'POST' }),
  };
}

async function remove({ store }: CallsDeps, request: ApiRequest): Promise<Answer> {
  const { sid, status } = await ownRow(store, call, request);
  if (!FINAL_STATUSES.includes(status)) throw errors.notFinished();
  await store.remove(call, sid);
  return { status: 204 };
}

const showing = ({ directory }: Store, { baseUrl }: ApiRequest) => ({ baseUrl, rows: directory });
