// The HTTP server: the only file that knows fastify. Requests in, routes asked, Twilio's headers and errors out.
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HTTPMethods,
} from 'fastify';
import type { CallControl, RecordingFiles } from '../calls/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { DEFAULT_SUFFIXES, type DomainSuffixes } from '../resources/index.ts';
import { type Store, StoreError } from '../store/index.ts';
import { actionRoutes } from './actions.ts';
import { authenticate, type Caller, unnamed } from './auth.ts';
import { answerBrokenHttp } from './broken-http.ts';
import { callRoutes } from './calls.ts';
import { crudRoutes } from './crud.ts';
import { Downloads } from './downloads.ts';
import { ApiError, errorBody, errors } from './errors.ts';
import { type ExplainDeps, explainRoutes } from './explain.ts';
import { parseForm } from './form.ts';
import { loadShareRoutes } from './load-share.ts';
import { createMetrics, type ExchangeCounts, type Metrics } from './metrics.ts';
import { openApi } from './openapi.ts';
import { RateLimit } from './rate-limit.ts';
import { recordingRoutes } from './recordings.ts';
import type { JsonObject, Route } from './route.ts';
import { type HealthSource, targetHealthRoutes } from './target-health.ts';
import { traceRoutes } from './traces.ts';
import { type WebhooksDeps, webhookRoutes } from './webhooks.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Known once a route of an account has let the request in. */
    caller: Caller | undefined;
  }
}

export interface ApiOptions {
  readonly store: Store;
  readonly calls: CallControl;
  readonly recordings: RecordingFiles;
  /** What would become of calls that come in. */
  readonly arrivals?: NonNullable<ExplainDeps['arrivals']>;
  /** What is known of the health of targets. */
  readonly health?: HealthSource;
  /** Who sends what is to be replayed. */
  readonly callbacks?: NonNullable<WebhooksDeps['callbacks']>;
  /** What `/metrics` tells of the rest of the exchange. */
  readonly counts?: () => ExchangeCounts;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly config: {
    /** Base of absolute URLs, no slash at the end; from the request's Host when missing. */
    readonly baseUrl?: string;
    /** How long a client may take to send a request. */
    readonly requestTimeoutMs?: number;
    /** How long a client may read nothing of what it downloads. */
    readonly stalledMs?: number;
    /** Per account; unlimited when missing. */
    readonly requestsPerSecond?: number;
    /** The account that `/metrics` is for; open to everybody when missing. */
    readonly metricsAccountSid?: string;
    /** Of the exchange, for `/openapi.json`. */
    readonly version?: string;
    /** Under which SIP domains and trunks have their names; Twilio's own when missing. */
    readonly suffixes?: DomainSuffixes;
    /** Whoever knows a recording's address may hear it, as with Twilio. */
    readonly publicRecordings?: boolean;
  };
}

const BODY_LIMIT_BYTES = 256 * 1024;
const REQUEST_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

const METHODS: readonly HTTPMethods[] = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'TRACE'];

const HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, POST, PATCH, PUT, DELETE, OPTIONS',
  'Access-Control-Allow-Headers':
    'Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since, Idempotency-Key, X-Pre-Auth-Context, X-Target-Region',
  'Access-Control-Allow-Credentials': 'true',
  'Access-Control-Expose-Headers': 'ETag, Twilio-Request-Id',
} as const;

export type Api = FastifyInstance;

/** Resolves with a server that does not listen yet. */
export async function createApi(options: ApiOptions): Promise<Api> {
  const server = newServer(options);
  server.decorateRequest('caller', undefined);
  server.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...HEADERS, 'Twilio-Request-Id': request.id });
  });
  const metrics = createMetrics({ ...options, counts: options.counts ?? (() => NOTHING) });
  observe(server, options.log, metrics);
  takeForms(server);
  server.setErrorHandler((error, request, reply) =>
    sendError(reply, asApiError(error, request, options.log)),
  );
  server.setNotFoundHandler((request) => {
    throw errors.notFound(pathOfRequest(request).replace(/^\/v1(?=\/)/, ''));
  });
  server.options('*', async (_request, reply) => reply.code(204).send());
  mountHealth(server, options);
  mountMetrics(server, options, metrics);
  const deps = { ...options, suffixes: options.config.suffixes ?? DEFAULT_SUFFIXES };
  const routes = [
    ...crudRoutes(deps),
    ...actionRoutes(deps),
    ...callRoutes(options),
    ...recordingRoutes(deps),
    ...traceRoutes(options),
    ...explainRoutes(options),
    ...loadShareRoutes(options),
    ...targetHealthRoutes(options),
    ...webhookRoutes(options),
  ];
  mount(server, routes, options);
  // The suffix of `/openapi.json` goes as that of every path does.
  let description: JsonObject | undefined;
  server.get('/openapi', async () => (description ??= openApi(routes, options.config)));
  await server.ready();
  return server;
}

const NOTHING: ExchangeCounts = {
  calls: 0,
  transactions: 0,
  dialogs: 0,
  mediaSessions: 0,
  callbacks: 0,
  callbackFailures: 0,
};

function newServer({ config, log, random }: ApiOptions): FastifyInstance {
  const requestTimeout = config.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  return Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    http: { headersTimeout: requestTimeout, connectionsCheckingInterval: Math.ceil(requestTimeout / 4) },
    exposeHeadRoutes: false,
    genReqId: () => `RQ${random.hex(16)}`,
    rewriteUrl: ({ url = '/' }) => url.replace(/\.json(?=\?|$)/, ''),
    frameworkErrors: (error, request, reply) => {
      reply.headers({ ...HEADERS, 'Twilio-Request-Id': request.id });
      sendError(reply, asApiError(error, request, log));
    },
    clientErrorHandler: answerBrokenHttp,
  });
}

/** One line and one measurement of every request: the path's template, never the path, as SIDs and queries are private. */
function observe(server: FastifyInstance, log: Log, metrics: Metrics): void {
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const { method } = request;
    const answered = { method, route, status: reply.statusCode, ms: reply.elapsedTime };
    metrics.answered(answered);
    log.debug(
      { ...answered, account_sid: request.caller?.account.sid, request_id: request.id },
      'API request',
    );
  });
  server.addHook('onClose', async () => metrics.close());
}

function takeForms(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, body),
  );
}

function mount(server: FastifyInstance, routes: readonly Route[], options: ApiOptions): void {
  const admit = admission(options);
  const { baseUrl, stalledMs } = options.config;
  const downloads = new Downloads(options.clock, stalledMs);
  server.addHook('preClose', async () => downloads.close());
  for (const path of new Set(routes.map((route) => route.path))) {
    const all = routes.filter((route) => route.path === path);
    const bareOnes = all.filter(({ isBare }) => isBare);
    const here = all.filter(({ isBare }) => !isBare);
    for (const route of here) {
      const bare = bareOnes.find(({ method }) => method === route.method);
      mountRoute(server, { route, bare }, { admit, baseUrl, downloads });
    }
    const others = METHODS.filter((method) => !here.some((route) => route.method === method));
    server.route({
      method: others,
      url: path,
      // Before the body is read: what is in it does not matter.
      onRequest: async (request) => {
        const isBare = bareOnes.length > 0 && isBarePath(request);
        if (!isBare) requireSuffix(path, request);
        throw errors.methodNotAllowed((isBare ? bareOnes : here).map(({ method }) => method).join(', '));
      },
      handler: async () => {},
    });
  }
}

type Params = Record<string, string>;
type AccountRequest = FastifyRequest<{ Params: Params }>;

/** Lets in who has an account, as often as it may come. */
function admission({
  store,
  config,
  clock,
}: ApiOptions): (request: AccountRequest, isOpen?: boolean) => Caller {
  const { requestsPerSecond } = config;
  const limit = requestsPerSecond === undefined ? undefined : new RateLimit(requestsPerSecond, clock);
  return ({ headers, params }, isOpen = false) => {
    const open = isOpen && headers.authorization === undefined;
    const caller = open
      ? unnamed(store.directory, params.AccountSid)
      : authenticate(store.directory, headers.authorization, params.AccountSid);
    limit?.admit(caller.account.sid);
    return caller;
  };
}

interface Mounting {
  readonly admit: ReturnType<typeof admission>;
  readonly baseUrl: string | undefined;
  readonly downloads: Downloads;
}

function mountRoute(
  server: FastifyInstance,
  { route, bare }: { readonly route: Route; readonly bare: Route | undefined },
  { admit, baseUrl, downloads }: Mounting,
): void {
  const { method, path } = route;
  const asked = (request: FastifyRequest): Route => (bare && isBarePath(request) ? bare : route);
  server.route<{ Params: Params; Body: string | undefined }>({
    method,
    url: path,
    // Before the body is read: strangers cannot make the server hold any.
    onRequest: async (request) => {
      const { isBare, isOpen } = asked(request);
      if (!isBare) requireSuffix(path, request);
      request.caller = admit(request, isOpen);
    },
    handler: async (request, reply) => {
      const { range } = request.headers;
      const { status, body, content } = await asked(request).answer({
        ...(request.caller as Caller),
        params: request.params,
        path: pathOfRequest(request),
        query: parseForm(queryOf(request)),
        form: parseForm(request.body ?? ''),
        baseUrl: baseUrl ?? baseUrlOf(request),
        onClosed: (closed) => reply.raw.once('close', closed),
        ...(range !== undefined && { range }),
      });
      if (!content) return reply.code(status).send(body);
      downloads.add(content.stream, reply.raw);
      return reply.code(status).headers(content.headers).type(content.type).send(content.stream);
    },
  });
}

const isBarePath = (request: FastifyRequest): boolean => !pathOfRequest(request).endsWith('.json');

/** 2010-04-01 serves XML without a suffix; we do not. */
function requireSuffix(route: string, request: FastifyRequest): void {
  if (route.startsWith('/2010-04-01/') && isBarePath(request)) throw errors.onlyJson();
}

function mountHealth(server: FastifyInstance, { store, calls }: ApiOptions): void {
  server.get('/healthz', async () => ({ alive: true }));
  server.get('/readyz', async () => {
    if (!calls.accepting) throw errors.unavailable('The exchange is shutting down');
    await store.ping();
    return { ready: true };
  });
}

function mountMetrics(server: FastifyInstance, { store, config }: ApiOptions, metrics: Metrics): void {
  const { metricsAccountSid } = config;
  server.get('/metrics', async ({ headers }, reply) => {
    if (metricsAccountSid !== undefined) {
      authenticate(store.directory, headers.authorization, metricsAccountSid);
    }
    return reply.type(metrics.contentType).send(await metrics.text());
  });
}

const pathOfRequest = (request: FastifyRequest): string => request.originalUrl.split('?', 1)[0] ?? '/';

const queryOf = ({ originalUrl }: FastifyRequest): string =>
  originalUrl.includes('?') ? originalUrl.slice(originalUrl.indexOf('?') + 1) : '';

function baseUrlOf(request: FastifyRequest): string {
  const { host } = request.headers;
  if (host !== undefined && !/^[\w.-]+(:\d+)?$|^\[[0-9a-f:.]+\](:\d+)?$/i.test(host)) {
    throw errors.badRequest('The Host header is malformed');
  }
  return `${request.protocol}://${host ?? 'localhost'}`;
}

function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  return reply
    .code(error.status)
    .headers(error.headers)
    .type('application/json; charset=utf-8')
    .send(errorBody(error));
}

/** By fastify's own error codes; whatever nobody foresaw is logged and told to nobody. */
function asApiError(error: unknown, request: FastifyRequest, log: Log): ApiError {
  if (error instanceof ApiError) return error;
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message?: string };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return errors.tooLarge();
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return errors.badRequest('The body must be application/x-www-form-urlencoded');
  }
  if (code === 'FST_ERR_BAD_URL') return errors.badRequest('The path must be percent-encoded UTF-8');
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return errors.notFound(pathOfRequest(request));
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return errors.badRequest('The request is malformed');
  log.error(
    { request_id: request.id, method: request.method, route: request.routeOptions.url, error: message, code },
    'API request failed',
  );
  return error instanceof StoreError
    ? errors.unavailable('The database is not available')
    : errors.internal();
}
