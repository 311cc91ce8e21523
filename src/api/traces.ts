// Why a call went where it went: Tandem's own resource, in the style of Twilio's v1.
import { call, propertyName } from '../resources/index.ts';
import type { CallsDeps } from './calls.ts';
import { ownRow } from './crud.ts';
import { errors } from './errors.ts';
import type { Answer, ApiRequest, Json, JsonObject, Route } from './route.ts';

export const traceRoutes = (deps: CallsDeps): readonly Route[] => [
  { method: 'GET', path: '/tandem/v1/Calls/:Sid/RouteTrace', answer: (request) => fetchTrace(deps, request) },
];

async function fetchTrace({ store, calls }: CallsDeps, request: ApiRequest): Promise<Answer> {
  const { sid, accountSid } = await ownRow(store, call, request);
  const live = calls.liveTrace(sid);
  const stored = live ? undefined : await store.journal.trace(sid);
  const trace = live ?? (stored === undefined ? undefined : JSON.parse(stored));
  if (!trace) throw errors.notFound(request.path);
  const url = request.baseUrl + request.path;
  return {
    status: 200,
    body: { call_sid: sid, account_sid: accountSid, url, ...(inSnakeCase(trace) as JsonObject) },
  };
}

/** camelCase → snake_case all the way down; `startedAtMs` becomes `started_at`, ISO 8601 with milliseconds. */
export function inSnakeCase(value: Json): Json {
  if (Array.isArray(value)) return value.map(inSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (!/(^at|At)Ms$/.test(name)) return [propertyName(name), inSnakeCase(inner)];
      return [
        propertyName(name.slice(0, -2)),
        typeof inner === 'number' ? new Date(inner).toISOString() : null,
      ];
    }),
  );
}
