// The composition root: config → store → media → SIP → calls → API. The only place that assembles, and stops in reverse.
import { isIP } from 'node:net';
import { publicAddress } from './addresses.ts';
import { type Api, type ApiOptions, createApi, type HttpsListener, listenHttps } from './api/index.ts';
import { type CallbackSender, type HealthWatch, sharedControl } from './calls/index.ts';
import { type Certificate, openCertificate } from './certificate.ts';
import { type Config, isOpen } from './config.ts';
import type { Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import { allowNetworks, type Networks } from './lib/networks.ts';
import type { Random } from './lib/random.ts';
import { createMediaEngine } from './media/index.ts';
import {
  bracketed,
  createUserAgent,
  type ListenPlace,
  type SipUserAgent,
  type TransportName,
  type UserAgent,
} from './sip/index.ts';
import { type Credentials, ensureFirstAccount, openDataFolder, openStore } from './store/index.ts';
import { openSwitch } from './switch.ts';
import { PRODUCT, VERSION } from './version.ts';

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
  /** The same of HTTPS; undefined where it is off. */
  readonly https: string | undefined;
  /** `127.0.0.1:5060`, with brackets around IPv6; of several hosts separated by commas. */
  readonly sip: string;
  /** The same of TLS; undefined where it is off. */
  readonly sips: string | undefined;
  readonly account: Credentials;
  counts(): TandemCounts;
  /** The timers that SIP transactions have set, and those of the clock that they share. */
  timers(): ReturnType<SipUserAgent['timers']>;
  /** Takes no new calls, lets the running ones end for `drainMs` at most, then closes everything. */
  stop(drainMs: number): Promise<void>;
}

/** Everything that was opened, to be closed in reverse. */
type Opened = AsyncDisposableStack;

/**
 * Starts an exchange; several can run in one process.
 * @throws {StoreError} for the data folder and database, or the system's error for a port that cannot be had.
 */
export async function startTandem(config: Config, world: World): Promise<Tandem> {
  await using opened = new AsyncDisposableStack();
  const { store, account, key } = await openData(config, world, opened);
  const networks = allowNetworks(config.allowNets);
  const certificate = openCertificate(config, world);
  opened.defer(() => certificate?.close());
  const { media, agent } = await openWires(config, world, { networks, opened, certificate });
  const { calls, callbacks, health, recordings, arrivals } = await openSwitch(config, world, {
    store,
    networks,
    media,
    agent,
    opened,
    account,
    key,
  });
  const counts = (): TandemCounts => countsOf({ agent, calls, media, callbacks });
  const api = await createApi({
    ...world,
    store,
    calls: sharedControl(calls, store, world.log),
    recordings: recordings.files,
    callbacks,
    health,
    arrivals,
    counts: () => ({ ...counts(), ...failureCounts(callbacks, health) }),
    config: apiConfig(config, account),
  });
  const addresses = await listenHttp(config, api, { opened, certificate });
  recordings.listensAt(addresses.http);
  const running = opened.move();
  return {
    ...addresses,
    ...addressesOf(agent),
    account,
    counts,
    timers: () => agent.timers(),
    async stop(drainMs) {
      await calls.drain(drainMs);
      await running.disposeAsync();
    },
  };
}

interface Counted {
  readonly agent: UserAgent;
  readonly calls: { readonly live: number };
  readonly media: { readonly sessions: number };
  readonly callbacks: { readonly underWay: number };
}

const countsOf = ({ agent, calls, media, callbacks }: Counted): TandemCounts => ({
  ...agent.counts(),
  calls: calls.live,
  mediaSessions: media.sessions,
  callbacks: callbacks.underWay,
});

const failureCounts = (callbacks: CallbackSender, health: HealthWatch) => ({
  callbackFailures: callbacks.failures,
  callbacksDeferred: callbacks.deferred,
  targetHealth: health.counts(),
});

async function listenHttp(
  { http: { host, port, tlsPort } }: Config,
  api: Api,
  { opened, certificate }: Omit<WireParts, 'networks'>,
): Promise<Pick<Tandem, 'http' | 'https'>> {
  let secured: HttpsListener | undefined;
  // Both at once: connections over TLS end when the API closes.
  opened.defer(() => Promise.all([secured?.close(), api.close()]).then(() => {}));
  const http = await api.listen({ host, port });
  if (tlsPort === undefined || !certificate) return { http, https: undefined };
  const { tls } = certificate;
  secured = await listenHttps(api.server, { host, port: tlsPort, tls }).catch((error: Error) => {
    throw Object.assign(error, { setting: 'TANDEM_HTTPS_PORT' });
  });
  certificate.onChange(secured.reload);
  return { http, https: secured.url };
}

function apiConfig(
  { baseUrl, domainSuffixes, requestsPerSecond, http, publicRecordings }: Config,
  { accountSid }: Credentials,
): ApiOptions['config'] {
  return {
    suffixes: domainSuffixes,
    publicRecordings,
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
    webhooksKept: config.webhooksKept,
    ...(database !== undefined && { database }),
  });
  opened.defer(() => store.close());
  const account = await ensureFirstAccount(
    { ...world, store, path: folder.accountPath },
    config.firstAccount,
  );
  return { store, account, key: folder.key };
}

interface WireParts {
  readonly networks: Networks;
  readonly opened: Opened;
  readonly certificate: Certificate | undefined;
}

async function openWires(config: Config, world: World, given: WireParts) {
  const [host, ...hosts] = config.sip.hosts as readonly [string, ...string[]];
  const other = hosts.find((each) => isIP(each) !== isIP(host));
  const media = await createMediaEngine({
    ...mediaAddress(host, config),
    ...(other !== undefined && { other: mediaAddress(other, config) }),
    ports: config.rtpPorts,
    lostAfterMs: config.sessions.mediaTimeoutS * 1000,
    log: world.log,
    cacheDir: `${config.dataFolder}/prompts`,
  });
  given.opened.defer(() => media.close());
  const agent = await openAgent(config, world, given);
  return { media, agent };
}

const mediaAddress = (host: string, config: Config) => ({
  address: host,
  advertise: publicAddress(host, config),
});

async function openAgent(
  config: Config,
  world: World,
  { networks, opened, certificate }: WireParts,
): Promise<SipUserAgent> {
  const { hosts, port, tlsPort } = config.sip;
  const listen = hosts.flatMap((host): ListenPlace[] => {
    const place = { host, port, advertise: publicAddress(host, config) };
    const tls = { ...place, port: tlsPort ?? 0, transport: 'tls' } as const;
    return [place, { ...place, transport: 'tcp' }, ...(certificate && tlsPort !== undefined ? [tls] : [])];
  });
  const agent = await createUserAgent({
    ...world,
    ...(certificate && { tls: certificate.tls }),
    product: PRODUCT,
    listen,
    reachable: networks.allows,
    takesSpentHops: true,
    dialogMethods: ['REFER'],
    sessionTimer: config.sessions,
  }).catch((error: Error & { port?: number }) => {
    const setting = error.port === tlsPort ? 'TANDEM_SIPS_PORT' : 'TANDEM_SIP_PORT';
    throw Object.assign(error, { setting });
  });
  opened.defer(() => agent.close());
  if (tlsPort !== undefined) certificate?.onChange((tls) => agent.reloadTls(tls));
  return agent;
}

function addressesOf({ listening }: UserAgent): Pick<Tandem, 'sip' | 'sips'> {
  const of = (name: TransportName): string =>
    listening
      .filter(({ transport }) => transport === name)
      .map(({ address, port }) => `${bracketed(address)}:${port}`)
      .join(',');
  return { sip: of('udp'), sips: of('tls') || undefined };
}
