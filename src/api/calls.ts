// Calls as an action: placing, changing and deleting them. Reading them is the generic routes' work.
import type { CallControl } from '../calls/index.ts';
import { call, enumeration, httpMethod, httpUrl, parseParameters, text } from '../resources/index.ts';
import type { Store } from '../store/index.ts';
import { orderError, parseCallOrder, twimlSource, withoutEmpty } from './call-order.ts';
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
  },
};

/** Changing these under way would be taken for done: they are refused rather than ignored. */
const UNCHANGEABLE: readonly string[] = [
  'FallbackMethod',
  'FallbackUrl',
  'StatusCallback',
  'StatusCallbackMethod',
  'TimeLimit',
];

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
  const order = parseCallOrder(request.form, request.account.sid, store.directory);
  const row = await calls.place(order);
  return { status: 201, body: render(call, row, showing(store, request)) };
}

/** Status wins over a new TwiML where both are given. */
async function change({ store, calls }: CallsDeps, request: ApiRequest): Promise<Answer> {
  const { sid } = await ownRow(store, call, request);
  const form = withoutEmpty(request.form);
  const { values, errors: faults } = parseParameters(CHANGE, form, 'create');
  const error = orderError(faults);
  if (error) throw error;
  const unchangeable = UNCHANGEABLE.find((name) => form.has(name));
  if (unchangeable) throw errors.invalid(unchangeable, 'cannot be changed once a call is placed');
  const twiml = twimlSource(values);
  if (values.status === 'canceled' || values.status === 'completed') {
    if ((await calls.end(sid, values.status)) !== 'done') throw errors.notInProgress('end');
  } else if (twiml && (await calls.redirect(sid, twiml)) !== 'done') {
    throw errors.notInProgress('redirect');
  }
  const row = await store.find(call, sid);
  if (!row) throw errors.notFound(request.path);
  return { status: 200, body: render(call, row, showing(store, request)) };
}

async function remove({ store }: CallsDeps, request: ApiRequest): Promise<Answer> {
  const { sid, status } = await ownRow(store, call, request);
  if (!FINAL_STATUSES.includes(status)) throw errors.notFinished();
  await store.remove(call, sid);
  return { status: 204 };
}

const showing = ({ directory }: Store, { baseUrl }: ApiRequest) => ({ baseUrl, rows: directory });
