// The composition root: config → store → media → SIP → calls → API. The only place that assembles, and stops in reverse.
import { type ApiOptions, createApi } from './api/index.ts';
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
  type Endpoint,
  type ListenPlace,
  locate,
  parseUri,
  type SipUserAgent,
  type TransportName,
  type UserAgent,
} from './sip/index.ts';
import { readTls, tlsFiles, watchTls } from './sip-certificate.ts';
import {
  type Credentials,
  ensureFirstAccount,
  openDataFolder,
  openStore,
  type Store,
} from './store/index.ts';
import { systemResolver } from './system-resolver.ts';
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
  /** The same of TLS; undefined where it is off. */
  readonly sips: string | undefined;
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
  const { webhooks, callbacks, authToken, failures } = openWebhooks(config, world, {
    networks,
    store,
    opened,
  });
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
  const counts = (): TandemCounts => {
    const [mediaSessions, underWay] = [media.sessions, callbacks.underWay];
    return { ...agent.counts(), calls: calls.live, mediaSessions, callbacks: underWay };
  };
  const api = await createApi({
    ...world,
    store,
    calls,
    counts: () => ({ ...counts(), callbackFailures: failures() }),
    config: apiConfig(config, account),
  });
  opened.defer(() => api.close());
  const http = await api.listen({ ...config.http });
  const running = opened.move();
  return {
    http,
    ...addressesOf(agent),
    account,
    counts,
    async stop(drainMs) {
      await calls.drain(drainMs);
      await running.disposeAsync();
    },
  };
}

function apiConfig(
  { baseUrl, domainSuffixes, requestsPerSecond, http }: Config,
  { accountSid }: Credentials,
): ApiOptions['config'] {
  return {
    suffixes: domainSuffixes,
    version: VERSION,
    ...(baseUrl !== undefined && { baseUrl }),
    ...(requestsPerSecond !== undefined && { requestsPerSecond }),
    ...(isOpen(http.host) && { metricsAccountSid: accountSid }),
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
  const agent = await openAgent(config, world, { networks, opened });
  return { media, agent };
}

async function openAgent(
  config: Config,
  world: World,
  { networks, opened }: { readonly networks: Networks; readonly opened: Opened },
): Promise<SipUserAgent> {
  const { hosts, port, tlsPort } = config.sip;
  const files = tlsPort === undefined ? undefined : tlsFiles(config, world);
  const listen = hosts.flatMap((host): ListenPlace[] => [
    { host, port },
    { host, port, transport: 'tcp' },
    ...(files && tlsPort !== undefined ? [{ host, port: tlsPort, transport: 'tls' } as const] : []),
  ]);
  const agent = await createUserAgent({
    ...world,
    ...(config.publicIp !== undefined && { advertise: config.publicIp }),
    ...(files && { tls: readTls(files) }),
    product: PRODUCT,
    listen,
    reachable: networks.allows,
  }).catch((error: Error & { port?: number }) => {
    const setting = error.port === tlsPort ? 'TANDEM_SIPS_PORT' : 'TANDEM_SIP_PORT';
    throw Object.assign(error, { setting });
  });
  opened.defer(() => agent.close());
  if (files) opened.defer(watchTls(files, world, (tls) => agent.reloadTls(tls)));
  return agent;
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

function addressesOf({ listening }: UserAgent): Pick<Tandem, 'sip' | 'sips'> {
  const first = (name: TransportName) =>
    listening.filter(({ transport }) => transport === name).map(hostAndPort)[0];
  return { sip: first('udp') as string, sips: first('tls') };
}

const hostAndPort = ({ address, port }: Endpoint): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;
