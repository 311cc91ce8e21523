// POST /tandem/v1/LoadShare: how a policy's calls would spread over its targets, by virtual draws in a thread of their own.
import { Worker } from 'node:worker_threads';
import {
  connectionPolicy,
  connectionPolicyTarget,
  integer,
  parseParameters,
  text,
} from '../resources/index.ts';
import { judgeShares, type Target } from '../routing/index.ts';
import type { CallsDeps } from './calls.ts';
import { errors, parameterError } from './errors.ts';
import type { LoadShareTask } from './load-share-worker.ts';
import type { Answer, ApiRequest, Json, JsonObject, Route } from './route.ts';
import { inSnakeCase } from './traces.ts';

const MAX_SELECTIONS = 1_000_000;
const DEFAULT_SELECTIONS = 10_000;

const FORM = {
  fields: {
    connectionPolicySid: text().required(),
    selections: integer({ min: 1, max: MAX_SELECTIONS }).default(DEFAULT_SELECTIONS),
    seed: integer({ min: 0, max: 2 ** 31 - 1 }),
  },
};

export const loadShareRoutes = (deps: CallsDeps): readonly Route[] => [
  { method: 'POST', path: '/tandem/v1/LoadShare', answer: (request) => loadShare(deps, request) },
];

async function loadShare({ store }: CallsDeps, request: ApiRequest): Promise<Answer> {
  const { account, form } = request;
  const { values, errors: faults } = parseParameters(FORM, form, 'create');
  const error = parameterError(faults);
  if (error) throw error;
  const policySid = String(values.connectionPolicySid);
  const policy = store.directory.find(connectionPolicy, policySid);
  if (policy?.accountSid !== account.sid) {
    throw errors.invalid('ConnectionPolicySid', `names ${policySid}, which does not exist`);
  }
  const targets: readonly Target[] = store.directory
    .children(connectionPolicyTarget, policySid)
    .map(({ sid, target: uri, priority, weight, enabled }) => ({ sid, uri, priority, weight, enabled }));
  const seed = values.seed === null ? undefined : Number(values.seed);
  const task = { targets, selections: Number(values.selections), ...(seed === undefined ? {} : { seed }) };
  const hits = await draw(task, request);
  return {
    status: 200,
    body: {
      account_sid: account.sid,
      connection_policy_sid: policySid,
      ...(inSnakeCase(judgeShares(targets, hits) as unknown as Json) as JsonObject),
    },
  };
}

/** Draws off the SIP thread, for as long as the client waits. */
function draw(task: LoadShareTask, { onClosed }: Pick<ApiRequest, 'onClosed'>): Promise<number[]> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./load-share-worker.${extension}`, import.meta.url), {
    workerData: task,
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    onClosed(() => {
      void worker.terminate();
      reject(errors.unavailable('The client left before it was answered'));
    });
  });
}
