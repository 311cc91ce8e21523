// GET /tandem/v1/TargetHealth: which targets are up and which are down, since when and why; addressed by target.
import {
  connectionPolicyTarget,
  type Form,
  insecureTarget,
  isSid,
  type Row,
  targetHealth,
} from '../resources/index.ts';
import { HEALTH_STATES, NEW_HEALTH, type Target, type TargetHealth } from '../routing/index.ts';
import type { Store } from '../store/index.ts';
import { dialectOf } from './dialect.ts';
import { errors } from './errors.ts';
import { cursorOf, parsePage, renderPage } from './page.ts';
import type { Answer, ApiRequest, Json, JsonObject, Route } from './route.ts';
import { inSnakeCase } from './traces.ts';

/** What is known of the places that targets name. */
export interface HealthSource {
  of(place: Pick<Target, 'uri' | 'insecure'>): TargetHealth;
}

export interface TargetHealthDeps {
  readonly store: Store;
  /** Without it nothing is known of any target. */
  readonly health?: HealthSource;
}

type TargetRow = Row<typeof connectionPolicyTarget>;

const COLLECTION = dialectOf(targetHealth).collection(targetHealth, { account: '', parent: '' });

export const targetHealthRoutes = (deps: TargetHealthDeps): readonly Route[] => [
  { method: 'GET', path: COLLECTION, answer: async (request) => list(deps, request) },
  { method: 'GET', path: `${COLLECTION}/:Sid`, answer: async (request) => fetchOne(deps, request) },
];

function fetchOne(deps: TargetHealthDeps, request: ApiRequest): Answer {
  const sid = request.params.Sid ?? '';
  const row = isSid(sid, targetHealth.sid)
    ? deps.store.directory.find(connectionPolicyTarget, sid)
    : undefined;
  if (row?.accountSid !== request.account.sid) {
    throw errors.notFound(dialectOf(targetHealth).namedPath(request.path));
  }
  return { status: 200, body: shown(deps, request, row) };
}

function list(deps: TargetHealthDeps, request: ApiRequest): Answer {
  const { pageSize, token } = parsePage(request.query);
  const matches = stateFilter(request.query);
  const rows = targetsOf(deps, request);
  const { after, before } = cursorOf(token);
  const from = after === undefined ? 0 : placeOf(rows, after) + 1;
  const to = before === undefined ? rows.length : placeOf(rows, before);
  const found = rows.slice(from, to).filter((row) => matches(healthOf(deps, row).state));
  const page = before === undefined ? found.slice(0, pageSize) : found.slice(-pageSize);
  const isMatch = (row: TargetRow) => matches(healthOf(deps, row).state);
  const [first, last] = [page[0], page.at(-1)];
  const hasNext = last !== undefined && rows.slice(rows.indexOf(last) + 1).some(isMatch);
  const hasPrevious = first !== undefined && rows.slice(0, rows.indexOf(first)).some(isMatch);
  const links = {
    rows: page,
    ...(hasNext && { next: last.sid }),
    ...(hasPrevious && { previous: first.sid }),
  };
  const bodies = page.map((row) => shown(deps, request, row));
  return { status: 200, body: renderPage({ ...request, definition: targetHealth }, links, bodies) };
}

/** Oldest first. */
function targetsOf({ store }: TargetHealthDeps, { query, account }: ApiRequest): readonly TargetRow[] {
  const policySid = query.get('ConnectionPolicySid')?.[0];
  const rows = policySid
    ? store.directory.children(connectionPolicyTarget, policySid)
    : store.directory.findBy(connectionPolicyTarget, { accountSid: account.sid });
  return rows.filter(({ accountSid }) => accountSid === account.sid);
}

/** The page goes on from a target, whatever state it is in by now. */
function placeOf(rows: readonly TargetRow[], sid: string): number {
  const place = rows.findIndex((row) => row.sid === sid);
  if (place === -1) throw errors.badPageToken();
  return place;
}

function stateFilter(query: Form): (state: TargetHealth['state']) => boolean {
  const wanted = query.get('State')?.[0];
  if (!wanted) return () => true;
  if (!HEALTH_STATES.some((state) => state === wanted)) {
    throw errors.invalid('State', `must be one of ${HEALTH_STATES.join(', ')}`);
  }
  return (state) => state === wanted;
}

const isInsecure = ({ store }: TargetHealthDeps, { sid }: TargetRow): boolean =>
  store.directory.findBy(insecureTarget, { targetSid: sid }).length > 0;

const healthOf = (deps: TargetHealthDeps, row: TargetRow): TargetHealth =>
  deps.health?.of({ uri: row.target ?? '', insecure: isInsecure(deps, row) }) ?? NEW_HEALTH;

function shown(deps: TargetHealthDeps, { baseUrl }: ApiRequest, row: TargetRow): JsonObject {
  const { state, why, failedCalls, failedChecks, checkedAtMs, history } = healthOf(deps, row);
  const health = {
    state,
    why,
    sinceAtMs: history.at(-1)?.atMs ?? null,
    checkedAtMs,
    failedCalls,
    failedChecks,
    history,
  };
  const { since_at: since, ...rest } = inSnakeCase(health as unknown as Json) as Record<string, Json>;
  return {
    target_sid: row.sid,
    account_sid: row.accountSid,
    connection_policy_sid: row.connectionPolicySid,
    target: row.target,
    enabled: row.enabled,
    insecure: isInsecure(deps, row),
    since: since ?? null,
    ...rest,
    url: `${baseUrl}${COLLECTION}/${row.sid}`,
  };
}
