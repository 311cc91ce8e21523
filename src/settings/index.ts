// Every setting, by topic: an entry in its topic's file is all that a new one takes. The configuration, the command
// line's flags and `--help` are drawn from these tables.
import { API, CALL_LIMITS, CALLBACKS, SESSIONS, WEBHOOKS_KEPT } from './limits.ts';
import { ADDRESSES, LISTENERS, NETWORKS, TLS } from './listening.ts';
import { CALLER_NAMES, DEVICES, DOMAIN_SUFFIXES, NUMBERS, TRUNKS } from './numbering.ts';
import { FAILOVER, HEALTH } from './routing.ts';
import { FIRST_ACCOUNT, RUNNING } from './running.ts';
import type { Setting, Topic } from './setting.ts';

export { BadValue, readTopic, type Setting, type Topic, type ValuesOf } from './setting.ts';

export const SETTINGS = {
  running: RUNNING,
  firstAccount: FIRST_ACCOUNT,
  listeners: LISTENERS,
  tls: TLS,
  addresses: ADDRESSES,
  networks: NETWORKS,
  domainSuffixes: DOMAIN_SUFFIXES,
  devices: DEVICES,
  numbers: NUMBERS,
  trunks: TRUNKS,
  callerNames: CALLER_NAMES,
  api: API,
  callLimits: CALL_LIMITS,
  sessions: SESSIONS,
  callbacks: CALLBACKS,
  webhooksKept: WEBHOOKS_KEPT,
  failover: FAILOVER,
  health: HEALTH,
} as const satisfies Readonly<Record<string, Topic>>;

export const allSettings = (): readonly Setting[] =>
  Object.values(SETTINGS).flatMap((topic: Topic) => Object.values(topic));

const settingsOf = (...topics: readonly Topic[]): readonly Setting[] =>
  topics.flatMap((topic) => Object.values(topic));

/** All of them, as the help of `serve` lists them. */
export const CHAPTERS: readonly { readonly title: string; readonly settings: readonly Setting[] }[] = [
  { title: 'Data, account and process', settings: settingsOf(RUNNING, FIRST_ACCOUNT) },
  { title: 'Addresses, ports and certificates', settings: settingsOf(LISTENERS, ADDRESSES, NETWORKS, TLS) },
  {
    title: 'Domains, trunks, numbers and devices',
    settings: settingsOf(DOMAIN_SUFFIXES, DEVICES, NUMBERS, TRUNKS, CALLER_NAMES),
  },
  {
    title: 'Limits, sessions and webhooks',
    settings: settingsOf(API, CALL_LIMITS, SESSIONS, CALLBACKS, WEBHOOKS_KEPT),
  },
  { title: 'Failover and the health of targets', settings: settingsOf(FAILOVER, HEALTH) },
];

/** What a command needs that asks a running exchange. */
export const CLIENT_SETTINGS: readonly Setting[] = [
  RUNNING.dataFolder,
  LISTENERS.httpHost,
  LISTENERS.httpPort,
  ...settingsOf(FIRST_ACCOUNT),
];
