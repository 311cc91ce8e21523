// GET /tandem/v1/TargetHealth: which targets and origination URLs are up and which are down, since when and why;
// addressed by the SID of either.
import { originationTarget } from '../calls/index.ts';
import {
  connectionPolicyTarget,
  type Form,
  insecureTarget,
  isSid,
  originationUrl,
  type Row,
  targetHealth,
  trunk,
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

/** A target of a connection policy, or an origination URL of a trunk. */
interface Watched {
  readonly sid: string;
  readonly accountSid: string;
  readonly connectionPolicySid: string | null;
  readonly trunkSid: string | null;
  /** As it was written. */
  readonly target: string | null;
  readonly enabled: boolean;
  /** The place as it is called. */
  readonly place: Pick<Target, 'uri' | 'insecure'>;
}

const COLLECTION = dialectOf(targetHealth).collection(targetHealth, { account: '', parent: '' });

export const targetHealthRoutes = (deps: TargetHealthDeps): readonly Route[] => [
  { method: 'GET', path: COLLECTION, answer: async (request) => list(deps, request) },
  { method: 'GET', path: `${COLLECTION}/:Sid`, answer: async (request) => fetchOne(deps, request) },
];

function fetchOne(deps: TargetHealthDeps, request: ApiRequest): Answer {
  const sid = request.params.Sid ?? '';
  const row = find(deps, sid);
  if (row?.accountSid !== request.account.sid) {
    throw errors.notFound(dialectOf(targetHealth).namedPath(request.path));
  }
  return { status: 200, body: shown(deps, request, row) };
}

function find(deps: TargetHealthDeps, sid: string): Watched | undefined {
  const { directory } = deps.store;
  if (isSid(sid, 'OU')) {
    const url = directory.find(originationUrl, sid);
    return url && ofTrunk(deps, url);
  }
  const target = isSid(sid, 'NE') ? directory.find(connectionPolicyTarget, sid) : undefined;
  return target && ofPolicy(deps, target);
}

function list(deps: TargetHealthDeps, request: ApiRequest): Answer {
  const { pageSize, token } = parsePage(request.query);
  const matches = stateFilter(request.query);
  const rows = watchedBy(deps, request);
  const { after, before } = cursorOf(token);
  const from = after === undefined ? 0 : placeOf(rows, after) + 1;
  const to = before === undefined ? rows.length : placeOf(rows, before);
  const found = rows.slice(from, to).filter((row) => matches(healthOf(deps, row).state));
  const page = before === undefined ? found.slice(0, pageSize) : found.slice(-pageSize);
  const isMatch = (row: Watched) => matches(healthOf(deps, row).state);
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

/** Targets, then origination URLs, each oldest first; of one policy or trunk alone where it is named. */
function watchedBy(deps: TargetHealthDeps, { query, account }: ApiRequest): readonly Watched[] {
  const { directory } = deps.store;
  const policySid = query.get('ConnectionPolicySid')?.[0];
  const trunkSid = query.get('TrunkSid')?.[0];
  const own = { accountSid: account.sid };
  const targets = policySid
    ? directory.children(connectionPolicyTarget, policySid)
    : directory.findBy(connectionPolicyTarget, own);
  const urls = trunkSid
    ? directory.children(originationUrl, trunkSid)
    : directory.findBy(originationUrl, own);
  return [
    ...(trunkSid ? [] : targets.map((row) => ofPolicy(deps, row))),
    ...(policySid ? [] : urls.flatMap((row) => ofTrunk(deps, row) ?? [])),
  ].filter(({ accountSid }) => accountSid === account.sid);
}

function ofPolicy(
  { store: { directory } }: TargetHealthDeps,
  { sid, accountSid, connectionPolicySid, target, enabled }: Row<typeof connectionPolicyTarget>,
): Watched {
  const insecure = directory.findBy(insecureTarget, { targetSid: sid }).length > 0;
  const place = { uri: target ?? '', insecure };
  return { sid, accountSid, connectionPolicySid, trunkSid: null, target, enabled, place };
}

/** Undefined where the trunk is being deleted. */
function ofTrunk(
  { store: { directory } }: TargetHealthDeps,
  { sid, accountSid, trunkSid, sipUrl, enabled }: Row<typeof originationUrl>,
): Watched | undefined {
  const owner = directory.find(trunk, trunkSid);
  const place = owner && { uri: originationTarget(owner, sipUrl), insecure: false };
  return place && { sid, accountSid, connectionPolicySid: null, trunkSid, target: sipUrl, enabled, place };
}

/** The page goes on from a target, whatever state it is in by now. */
function placeOf(rows: readonly Watched[], sid: string): number {
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

const healthOf = ({ health }: TargetHealthDeps, { place }: Watched): TargetHealth =>
  health?.of(place) ?? NEW_HEALTH;

function shown(deps: TargetHealthDeps, { baseUrl }: ApiRequest, row: Watched): JsonObject {
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
    trunk_sid: row.trunkSid,
    target: row.target,
    enabled: row.enabled,
    insecure: row.place.insecure === true,
    since: since ?? null,
    ...rest,
    url: `${baseUrl}${COLLECTION}/${row.sid}`,
  };
}
