// The composition root: config → store → media → SIP → calls → API. The only place that assembles, and stops in reverse.
import { lookup } from 'node:dns/promises';
import { createApi } from './api/index.ts';
import { CallbackSender, CallEngine, createWebhookClient } from './calls/index.ts';
import type { Config } from './config.ts';
import type { Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import { allowNetworks } from './lib/networks.ts';
import type { Random } from './lib/random.ts';
import { createMediaEngine } from './media/index.ts';
import { account } from './resources/index.ts';
import { callableEndpoints } from './routing/index.ts';
import { createUserAgent, type Endpoint, locate, parseUri } from './sip/index.ts';
import { type Credentials, ensureFirstAccount, openDataFolder, openStore } from './store/index.ts';
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

/**
 * Starts an exchange; several can run in one process.
 * @throws {StoreError} for the data folder and database, or the system's error for a port that cannot be had.
 */
export async function startTandem(config: Config, world: World): Promise<Tandem> {
  await using opened = new AsyncDisposableStack();
  const { clock, random, log } = world;
  const folder = openDataFolder(config.dataFolder, random, config.key);
  const store = await openStore({ path: folder.databasePath, key: folder.key, ...world });
  opened.defer(() => store.close());
  const credentials = await ensureFirstAccount(
    { store, path: folder.accountPath, ...world },
    config.firstAccount,
  );

  const product = `Tandem/${VERSION}`;
  const networks = allowNetworks(config.allowNets);
  const [sipHost = '127.0.0.1'] = config.sip.hosts;
  const advertise = config.publicIp === undefined ? {} : { advertise: config.publicIp };
  const media = await createMediaEngine({
    address: sipHost,
    ...advertise,
    ports: config.rtpPorts,
    log,
    cacheDir: `${config.dataFolder}/prompts`,
  });
  opened.defer(() => media.close());
  const agent = await createUserAgent({
    ...world,
    ...advertise,
    product,
    listen: config.sip.hosts.map((host) => ({ host, port: config.sip.port })),
    reachable: networks.allows,
  });
  opened.defer(() => agent.close());

  const webhooks = createWebhookClient(networks, product);
  opened.defer(() => webhooks.close());
  const authToken = (sid: string) => store.directory.find(account, sid)?.authToken;
  const { journal, directory } = store;
  const callbacks = new CallbackSender({
    client: webhooks,
    clock,
    log,
    retries: config.callbackRetries,
    authToken,
    outbox: journal,
  });
  opened.defer(() => callbacks.close());
  const calls = new CallEngine({
    ...world,
    agent,
    media,
    webhooks,
    callbacks,
    journal,
    directory,
    authToken,
    fromDomain: config.publicIp ?? sipHost,
    locate: async (uri) =>
      callableEndpoints(await locate(parseUri(uri), { resolve4: addresses(4), resolve6: addresses(6) }), {
        networks,
        own: agent.listening,
      }),
  });
  await calls.recover();

  const api = await createApi({
    ...world,
    store,
    calls,
    config: config.baseUrl === undefined ? {} : { baseUrl: config.baseUrl },
  });
  opened.defer(() => api.close());
  const http = await api.listen({ host: config.http.host, port: config.http.port });
  const running = opened.move();
  return {
    http,
    sip: agent.listening.map(hostAndPort)[0] ?? '',
    account: credentials,
    counts: () => ({
      ...agent.counts(),
      calls: calls.live,
      mediaSessions: media.sessions,
      callbacks: callbacks.underWay,
    }),
    async stop(drainMs) {
      await calls.drain(drainMs);
      await running.disposeAsync();
    },
  };
}

/** By the system's own look-up, so that /etc/hosts counts. */
const addresses = (family: 4 | 6) => async (host: string) =>
  (await lookup(host, { family, all: true })).map(({ address }) => address);

const hostAndPort = ({ address, port }: Endpoint): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;
