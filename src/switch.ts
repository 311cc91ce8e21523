// The switch: what stands between the wires and the API. Puts together what finds a call's way, asks apps, records, and
// lets calls in.
import { mainAddress } from './addresses.ts';
import type { InboundCalls } from './admission/index.ts';
import { openCallerNames } from './caller-names.ts';
import {
  arrivals,
  CallbackSender,
  CallEngine,
  createWebhookClient,
  HealthWatch,
  inboundCalls,
  RecordingFiles,
  RecordingShelf,
  reachedUri,
  type WebhookClient,
} from './calls/index.ts';
import type { Config } from './config.ts';
import { openDoors } from './doors.ts';
import type { Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import type { Networks } from './lib/networks.ts';
import type { Random } from './lib/random.ts';
import type { MediaEngine } from './media/index.ts';
import type { Registrar } from './registrar/index.ts';
import { account, isUnder } from './resources/index.ts';
import { callableEndpoints } from './routing/index.ts';
import { bracketed, cachedResolver, locate, parseUri, type UserAgent } from './sip/index.ts';
import type { Credentials, Store } from './store/index.ts';
import { systemResolver } from './system-resolver.ts';
import { PRODUCT } from './version.ts';

interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface SwitchGivens {
  readonly store: Store;
  readonly networks: Networks;
  readonly media: MediaEngine;
  readonly agent: UserAgent;
  readonly opened: AsyncDisposableStack;
  /** The first account. */
  readonly account: Credentials;
  /** The data folder's key. */
  readonly key: Uint8Array;
}

/** Resolves when what an earlier run left is taken up and calls can come and go. */
export async function openSwitch(config: Config, world: World, given: SwitchGivens) {
  const { store, media, agent } = given;
  const { webhooks, callbacks, authToken } = openWebhooks(config, world, given);
  const route = routeParts(config, world, given);
  const recordings = openRecordings(config, world, { ...given, callbacks });
  const { calls, lookInto } = openCalls({
    ...world,
    agent,
    media,
    webhooks,
    callbacks,
    authToken,
    recordings: recordings.shelf,
    limits: config.callLimits,
    appFailure: config.appFailure,
    journal: store.journal,
    ...route,
  });
  await recover(recordings.shelf, calls, { store, callbacks, log: world.log });
  const inbound = openInbound(config, world, { ...given, calls, webhooks, route });
  const liveCalls = (sid: string) => calls.callsOf(sid);
  const { registrar, door } = await openDoors(config, { ...world, ...given, calls: inbound, liveCalls });
  lookInto(registrar);
  return { calls, callbacks, health: route.health, recordings, arrivals: arrivals({ ...route, door }) };
}

/** The engine; `lookInto` gives it the registrar, which opens after it. */
function openCalls(parts: Omit<ConstructorParameters<typeof CallEngine>[0], 'contactsOf'>) {
  let registrar: Registrar | undefined;
  const contactsOf: Registrar['contactsOf'] = (domainSid, user) =>
    registrar?.contactsOf(domainSid, user) ?? { bindings: [], elsewhere: [] };
  const lookInto = (opened: Registrar): void => {
    registrar = opened;
  };
  return { calls: new CallEngine({ ...parts, contactsOf }), lookInto };
}

function openInbound(
  config: Config,
  world: World,
  given: SwitchGivens & {
    readonly calls: CallEngine;
    readonly webhooks: WebhookClient;
    readonly route: ReturnType<typeof routeParts>;
  },
): InboundCalls {
  const { agent, media, calls, webhooks, route, account: first } = given;
  const names = openCallerNames(config, { ...world, webhooks, authToken: first.authToken });
  return inboundCalls({
    ...world,
    ...route,
    agent,
    media,
    engine: calls,
    timeLimitS: config.trunks.callS,
    seats: new WeakMap(),
    ...(names && { names }),
  });
}

function openRecordings(
  config: Config,
  world: World,
  given: { readonly store: Store; readonly callbacks: CallbackSender; readonly opened: AsyncDisposableStack },
) {
  let baseUrl = baseUrlOf(config);
  const files = new RecordingFiles(config.dataFolder);
  const shelf = new RecordingShelf({ ...world, ...given, files, baseUrl: () => baseUrl });
  given.opened.defer(() => shelf.close());
  return {
    files,
    shelf,
    listensAt(http: string): void {
      baseUrl = baseUrlOf(config, http);
    },
  };
}

/** Takes over what an earlier run left, and what other exchanges leave that die; their recordings lie on their disks. */
async function recover(
  recordings: RecordingShelf,
  calls: CallEngine,
  { store, callbacks, log }: { readonly store: Store; readonly callbacks: CallbackSender; readonly log: Log },
): Promise<void> {
  const takeOver = async (recorded?: Awaited<ReturnType<RecordingShelf['recover']>>): Promise<void> => {
    // What a call had to tell before goes before its end.
    await callbacks.resume();
    await calls.recover(recorded);
  };
  await takeOver(await recordings.recover());
  store.onBurial(() => {
    calls.letGo().catch((error: unknown) => log.error({ err: String(error) }, 'calls could not be let go'));
  });
  store.onDeath(() => takeOver());
}

/** Where apps reach the API: as configured, else where it listens; its port is not known before where it is any. */
function baseUrlOf(config: Config, listening?: string): string {
  const { baseUrl, publicIps, http } = config;
  if (baseUrl !== undefined) return baseUrl;
  const host = /^(0\.0\.0\.0|[0:]+)$/.test(http.host) ? (publicIps?.[0] ?? '127.0.0.1') : http.host;
  const port = listening === undefined ? http.port : new URL(listening).port;
  return `http://${bracketed(host)}:${port || 80}`;
}

function openWebhooks(config: Config, { clock, log }: World, { networks, store, opened }: SwitchGivens) {
  const webhooks = createWebhookClient(networks, PRODUCT);
  opened.defer(() => webhooks.close());
  const authToken = (sid: string) => store.directory.find(account, sid)?.authToken;
  const callbacks = new CallbackSender({
    client: webhooks,
    clock,
    log,
    authToken,
    retries: config.callbackRetries,
    outbox: store.journal,
  });
  opened.defer(() => callbacks.close());
  return { webhooks, callbacks, authToken };
}

/** What finds a call's way: configuration, addresses, and the health of targets. */
function routeParts(config: Config, world: World, { networks, agent, store, opened }: SwitchGivens) {
  const parts = {
    directory: store.directory,
    suffixes: config.domainSuffixes,
    emergencyNumbers: config.numbers.emergency,
    tollFraudPrefixes: config.numbers.tollFraudPrefixes,
    fromDomain: bracketed(mainAddress(config)),
    locate: locator(config, world, { networks, agent }),
    rules: config.failover,
  };
  const health = new HealthWatch({
    ...world,
    ...parts,
    agent,
    settings: { ...config.health, silenceMs: config.failover.silenceMs },
  });
  health.start();
  opened.defer(() => health.stop());
  return { ...parts, health };
}

/** Names of ours are never looked up: whoever owns them in the DNS is not who is meant. */
function locator(
  { domainSuffixes }: Config,
  { clock, random }: World,
  { networks, agent }: Pick<SwitchGivens, 'networks' | 'agent'>,
) {
  const resolver = cachedResolver(systemResolver(), { clock });
  return async (text: string) => {
    const uri = reachedUri(parseUri(text));
    if (isUnder(uri.host, domainSuffixes))
      throw new Error(`${uri.host} is a name of this exchange, where nobody else is reached`);
    const found = await locate(uri, { resolver, random });
    return callableEndpoints(found, { networks, own: agent.listening });
  };
}
