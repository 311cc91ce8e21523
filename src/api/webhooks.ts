// Webhooks as an action: sending again what is over. Reading what was sent is the generic routes' work.
import { type AnyResource, webhook as definition, type Row } from '../resources/index.ts';
import type { Filter, Store } from '../store/index.ts';
import { ownRow, shown } from './crud.ts';
import { dialectOf } from './dialect.ts';
import { errors } from './errors.ts';
import { parseFilters } from './filters.ts';
import type { Answer, ApiRequest, Route } from './route.ts';

export interface WebhooksDeps {
  readonly store: Store;
  /** Sends what nobody holds; without it another exchange does. */
  readonly callbacks?: { resume(): Promise<void> };
}

/** So many are replayed by one request. */
const MAX_REPLAYED = 1000;

const webhook: AnyResource = definition;

const COLLECTION = dialectOf(webhook).collection(webhook, { account: '', parent: '' });

export const webhookRoutes = (deps: WebhooksDeps): readonly Route[] => [
  { method: 'POST', path: `${COLLECTION}/Replay`, answer: (request) => replayMany(deps, request) },
  { method: 'POST', path: `${COLLECTION}/:Sid/Replay`, answer: (request) => replayOne(deps, request) },
];

async function replayOne(deps: WebhooksDeps, request: ApiRequest): Promise<Answer> {
  const { store } = deps;
  const own = { ...request, path: request.path.replace(/\/Replay$/, '') };
  const { sid } = await ownRow(store, webhook, own);
  const replayed = await replay(deps, request, { where: [equal('sid', sid)], limit: 1 });
  if (replayed === 0) throw errors.badRequest('The webhook is not over yet: it is being sent already');
  const row = (await store.find(webhook, sid)) as Row<AnyResource>;
  return { ...shown(deps, webhook, { request: own, row }), status: 202 };
}

/** Those that failed, unless another status is named. */
async function replayMany(deps: WebhooksDeps, request: ApiRequest): Promise<Answer> {
  const given = parseFilters(webhook, request.form);
  const hasStatus = given.some(({ field }) => field === 'status');
  const where = hasStatus ? given : [...given, equal('status', 'failed')];
  const replayed = await replay(deps, request, { where, limit: MAX_REPLAYED });
  return { status: 202, body: { replayed, more: replayed === MAX_REPLAYED } };
}

async function replay(
  { store, callbacks }: WebhooksDeps,
  { account }: ApiRequest,
  { where, limit }: { readonly where: readonly Filter[]; readonly limit: number },
): Promise<number> {
  const replayed = await store.journal.replay([equal('accountSid', account.sid), ...where], limit);
  if (replayed > 0) await callbacks?.resume();
  return replayed;
}

const equal = (field: string, value: string): Filter => ({ field, operator: '=', value });
