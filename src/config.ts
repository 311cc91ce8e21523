// The one reader of the environment: variables and flags in, one checked and frozen Config out.
import { isIP } from 'node:net';
import { isLoopback } from './lib/networks.ts';
import {
  allSettings,
  BadValue,
  readTopic,
  SETTINGS,
  type Setting,
  type Topic,
  type ValuesOf,
} from './settings/index.ts';

type Values<K extends keyof typeof SETTINGS> = ValuesOf<(typeof SETTINGS)[K]>;

/** What each of the settings means is said where it is defined. */
export interface Config extends Values<'running'>, Values<'addresses'>, Values<'api'>, Values<'callbacks'> {
  readonly firstAccount?: { readonly accountSid: string; readonly authToken: string };
  /** No HTTPS without `tlsPort`. */
  readonly http: { readonly host: string; readonly port: number; readonly tlsPort?: number };
  /** `port` is for UDP and TCP; no TLS without `tlsPort`. */
  readonly sip: { readonly hosts: readonly string[]; readonly port: number; readonly tlsPort?: number };
  /** Paths of PEM files; without a certificate one is made. */
  readonly tls: {
    readonly certificate?: { readonly cert: string; readonly key: string };
    readonly ca?: string;
  };
  /** As `allowNetworks` takes them. */
  readonly allowNets: readonly string[] | 'private';
  readonly domainSuffixes: Values<'domainSuffixes'>;
  readonly devices: Values<'devices'>;
  readonly numbers: Values<'numbers'>;
  readonly trunks: Values<'trunks'>;
  /** Where callers' names are looked up: path of a CSV file, or a URL. */
  readonly cnam?: { readonly file: string } | { readonly url: string };
  readonly callLimits: Values<'callLimits'>;
  readonly sessions: Values<'sessions'>;
  readonly webhooksKept: Values<'webhooksKept'>;
  readonly failover: Values<'failover'>;
  readonly health: Values<'health'>;
  /** What the operator should know though it stops nothing, a line each. */
  readonly warnings: readonly string[];
}

/** A setting that stops the start; the message is one line that says what to do. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/** Values by flag as commander gives them (`httpPort`); they win over variables. */
export type Flags = { readonly [flag: string]: string | undefined };
export type Environment = { readonly [variable: string]: string | undefined };

/** @throws {ConfigError} for an unknown TANDEM_ variable, a bad value, or values that do not go together. */
export function readConfig(environment: Environment, flags: Flags = {}): Config {
  refuseUnknown(environment);
  const valueOf = (setting: Setting) => readSetting(setting, environment, flags);
  const values = <T extends Topic>(topic: T): ValuesOf<T> => readTopic(topic, valueOf);
  const { http, sip } = listeners(values(SETTINGS.listeners));
  const local = isLocal(http.host) && sip.hosts.every(isLocal);
  const config: Config = {
    ...values(SETTINGS.running),
    ...values(SETTINGS.addresses),
    ...values(SETTINGS.api),
    ...values(SETTINGS.callbacks),
    ...firstAccount(values(SETTINGS.firstAccount)),
    http,
    sip,
    tls: tls(values(SETTINGS.tls)),
    allowNets: values(SETTINGS.networks).allowNets ?? (local ? 'private' : []),
    domainSuffixes: values(SETTINGS.domainSuffixes),
    devices: values(SETTINGS.devices),
    numbers: values(SETTINGS.numbers),
    trunks: values(SETTINGS.trunks),
    ...cnam(values(SETTINGS.callerNames)),
    callLimits: values(SETTINGS.callLimits),
    sessions: values(SETTINGS.sessions),
    webhooksKept: values(SETTINGS.webhooksKept),
    failover: values(SETTINGS.failover),
    health: values(SETTINGS.health),
    warnings: isOpen(http.host) ? [openHttp(http.host)] : [],
  };
  requirePublicIp(config);
  return Object.freeze(config);
}

/** Lines for `--help`: flag and variable, meaning, default. */
export function settingsHelp(settings: readonly Setting[]): string {
  return settings
    .map((setting) => {
      const names = setting.flag ? `--${setting.flag} <value>, ${setting.variable}` : setting.variable;
      const byDefault = 'default' in setting ? setting.default : setting.unset;
      return `  ${names}\n      ${setting.meaning} (default: ${byDefault})`;
    })
    .join('\n');
}

/** An empty variable is one that is not set. */
function readSetting(setting: Setting, environment: Environment, flags: Flags): unknown {
  const flag = setting.flag === undefined ? undefined : flags[camelCase(setting.flag)];
  const text = flag ?? environment[setting.variable] ?? '';
  if (text === '') return 'default' in setting ? setting.read(setting.default) : undefined;
  try {
    return setting.read(text);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw new ConfigError(`${flag === undefined ? setting.variable : `--${setting.flag}`} ${error.message}`);
  }
}

const camelCase = (flag: string): string =>
  flag.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

function refuseUnknown(environment: Environment): void {
  const known = allSettings().map((setting) => setting.variable);
  const unknown = Object.keys(environment).find(
    (name) => name.startsWith('TANDEM_') && !known.some((each) => each === name),
  );
  if (unknown === undefined) return;
  const [nearest = ''] = known.toSorted((a, b) => distance(unknown, a) - distance(unknown, b));
  throw new ConfigError(
    `${unknown} is no setting: did you mean ${nearest}? \`tandem serve --help\` lists them all`,
  );
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...b].entries()) {
      const swapped = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(swapped, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}

function listeners(given: Values<'listeners'>): Pick<Config, 'http' | 'sip'> {
  const { httpHost, httpPort, httpsPort, sipHosts, sipPort } = given;
  const { sipsPort = sipPort === 0 ? 0 : 5061 } = given;
  return {
    http: { host: httpHost, port: httpPort, ...(httpsPort !== undefined && { tlsPort: httpsPort }) },
    sip: { hosts: sipHosts, port: sipPort, ...(sipsPort !== 'off' && { tlsPort: sipsPort }) },
  };
}

function firstAccount({ accountSid, authToken }: Values<'firstAccount'>): Pick<Config, 'firstAccount'> {
  if (accountSid !== undefined && authToken !== undefined) return { firstAccount: { accountSid, authToken } };
  if (accountSid === undefined && authToken === undefined) return {};
  throw new ConfigError('TANDEM_ACCOUNT_SID and TANDEM_AUTH_TOKEN go together: set both or neither');
}

function cnam({ file, url }: Values<'callerNames'>): Pick<Config, 'cnam'> {
  if (file !== undefined && url !== undefined)
    throw new ConfigError('TANDEM_CNAM_FILE and TANDEM_CNAM_URL exclude each other: set one of them');
  if (file !== undefined) return { cnam: { file } };
  return url === undefined ? {} : { cnam: { url } };
}

function tls({ cert, key, ...rest }: Values<'tls'>): Config['tls'] {
  if (cert !== undefined && key !== undefined) return { certificate: { cert, key }, ...rest };
  if (cert === undefined && key === undefined) return rest;
  throw new ConfigError('TANDEM_TLS_CERT and TANDEM_TLS_KEY go together: set both or neither');
}

function requirePublicIp({ sip, publicIps = [] }: Config): void {
  const wildcard = sip.hosts.find(
    (host) => /^(0\.0\.0\.0|[0:]+)$/.test(host) && !publicIps.some((each) => isIP(each) === isIP(host)),
  );
  if (wildcard === undefined) return;
  throw new ConfigError(
    `TANDEM_SIP_HOST ${wildcard} listens everywhere: set TANDEM_PUBLIC_IP to the IPv${isIP(wildcard)} address that others reach`,
  );
}

const isLocal = (host: string): boolean => host === 'localhost' || isLoopback(host);

/** Whether others than this machine reach what listens on `host`. */
export const isOpen = (host: string): boolean => !isLocal(host);

const openHttp = (host: string): string =>
  `The REST API listens on ${host} without TLS: tokens cross the network in clear. Put a TLS proxy in front, or use 127.0.0.1`;
