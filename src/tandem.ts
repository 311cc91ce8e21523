// The composition root: config → store → media → SIP → calls → API. The only place that assembles, and stops in reverse.
import { lookup, Resolver } from 'node:dns/promises';
import { createApi } from './api/index.ts';
import { CallbackSender, CallEngine, createWebhookClient, type WebhookClient } from './calls/index.ts';
import { type Config, isOpen } from './config.ts';
import type { Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import { allowNetworks, type Networks } from './lib/networks.ts';
import type { Random } from './lib/random.ts';
import { createMediaEngine } from './media/index.ts';
import { account } from './resources/index.ts';
import { callableEndpoints } from './routing/index.ts';
import {
  cachedResolver,
  createUserAgent,
  type DnsResolver,
  type Endpoint,
  locate,
  parseUri,
  type UserAgent,
} from './sip/index.ts';
import { type Credentials, ensureFirstAccount, openDataFolder, openStore, type Store } from './store/index.ts';
import { VERSION } from './version.ts';

export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What a running exchange holds; all zero when it is idle, but for transactions that absorb retransmissions. */
export interface TandemCounts {
  readonly calls: number;
  readonly transactions: number;
  readonly dialogs: number;
  readonly mediaSessions: number;
  readonly callbacks: number;
}

export interface Tandem {
  /** `http://127.0.0.1:8080` */
  readonly http: string;
  /** `127.0.0.1:5060`, with brackets around IPv6. */
  readonly sip: string;
  readonly account: Credentials;
  counts(): TandemCounts;
  /** Takes no new calls, lets the running ones end for `drainMs` at most, then closes everything. */
  stop(drainMs: number): Promise<void>;
}

/** Everything that was opened, to be closed in reverse. */
type Opened = AsyncDisposableStack;

const PRODUCT = `Tandem/${VERSION}`;

/**
 * Starts an exchange; several can run in one process.
 * @throws {StoreError} for the data folder and database, or the system's error for a port that cannot be had.
 */
export async function startTandem(config: Config, world: World): Promise<Tandem> {
  await using opened = new AsyncDisposableStack();
  const { store, account } = await openData(config, world, opened);
  const networks = allowNetworks(config.allowNets);
  const { media, agent } = await openWires(config, world, { networks, opened });
  const { webhooks, callbacks, authToken, failures } = openWebhooks(config, world, { networks, store, opened });
  const calls = new CallEngine({
    ...world,
    agent,
    media,
    webhooks,
    callbacks,
    authToken,
    journal: store.journal,
    directory: store.directory,
    fromDomain: config.publicIp ?? (config.sip.hosts[0] as string),
    locate: locator(world, networks, agent),
  });
  await calls.recover();
  const counts = (): TandemCounts => ({
    ...agent.counts(),
    calls: calls.live,
    mediaSessions: media.sessions,
    callbacks: callbacks.underWay,
  });
  const { baseUrl, requestsPerSecond } = config;
  const api = await createApi({
    ...world,
    store,
    calls,
    counts: () => ({ ...counts(), callbackFailures: failures() }),
    config: {
      version: VERSION,
      ...(baseUrl !== undefined && { baseUrl }),
      ...(requestsPerSecond !== undefined && { requestsPerSecond }),
      ...(isOpen(config.http.host) && { metricsAccountSid: account.accountSid }),
    },
  });
  opened.defer(() => api.close());
  const http = await api.listen({ ...config.http });
  const running = opened.move();
  return {
    http,
    sip: agent.listening.map(hostAndPort)[0] as string,
    account,
    counts,
    async stop(drainMs) {
      await calls.drain(drainMs);
      await running.disposeAsync();
    },
  };
}

async function openData(config: Config, world: World, opened: Opened) {
  const folder = openDataFolder(config.dataFolder, world.random, config.key);
  const { database } = config;
  const store = await openStore({
    ...world,
    path: folder.databasePath,
    key: folder.key,
    ...(database !== undefined && { database }),
  });
  opened.defer(() => store.close());
  const account = await ensureFirstAccount(
    { ...world, store, path: folder.accountPath },
    config.firstAccount,
  );
  return { store, account };
}

async function openWires(
  config: Config,
  world: World,
  { networks, opened }: { readonly networks: Networks; readonly opened: Opened },
) {
  const advertise = config.publicIp === undefined ? {} : { advertise: config.publicIp };
  const media = await createMediaEngine({
    ...advertise,
    address: config.sip.hosts[0] as string,
    ports: config.rtpPorts,
    log: world.log,
    cacheDir: `${config.dataFolder}/prompts`,
  });
  opened.defer(() => media.close());
  const agent = await createUserAgent({
    ...world,
    ...advertise,
    product: PRODUCT,
    listen: config.sip.hosts.map((host) => ({ host, port: config.sip.port })),
    reachable: networks.allows,
  });
  opened.defer(() => agent.close());
  return { media, agent };
}

function openWebhooks(
  config: Config,
  { clock, log }: World,
  given: { readonly networks: Networks; readonly store: Store; readonly opened: Opened },
) {
  const { networks, store, opened } = given;
  const webhooks = createWebhookClient(networks, PRODUCT);
  opened.defer(() => webhooks.close());
  const authToken = (sid: string) => store.directory.find(account, sid)?.authToken;
  let failed = 0;
  const send: WebhookClient['send'] = async (request) => {
    const result = await webhooks.send(request);
    if (result.kind === 'failure') failed += 1;
    return result;
  };
  const callbacks = new CallbackSender({
    client: { ...webhooks, send },
    clock,
    log,
    authToken,
    retries: config.callbackRetries,
    outbox: store.journal,
  });
  opened.defer(() => callbacks.close());
  return { webhooks, callbacks, authToken, failures: () => failed };
}

function locator({ clock, random }: World, networks: Networks, agent: UserAgent) {
  const resolver = cachedResolver(systemResolver(), { clock });
  return async (uri: string) => {
    const found = await locate(parseUri(uri), { resolver, random });
    return callableEndpoints(found, { networks, own: agent.listening });
  };
}

/** Services by the DNS; addresses by the system's own look-up, so that /etc/hosts and search domains count. */
function systemResolver(): DnsResolver {
  const dns = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 2 });
  const addresses = (family: 4 | 6) => async (host: string) =>
    (await lookup(host, { family, all: true })).map(({ address }) => ({ address, ttl: LOOKUP_TTL_S }));
  return {
    // A name without a dot is a local one.
    resolveNaptr: async (name) => (name.includes('.') ? dns.resolveNaptr(name) : []),
    resolveSrv: async (name) => (/^_\w+\._\w+\.[^.]+$/.test(name) ? [] : dns.resolveSrv(name)),
    resolve4: addresses(4),
    resolve6: addresses(6),
  };
}

const DNS_TIMEOUT_MS = 1000;
/** The system's look-up tells no TTL. */
const LOOKUP_TTL_S = 30;

const hostAndPort = ({ address, port }: Endpoint): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;
