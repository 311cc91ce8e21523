// The one reader of the environment: variables and flags in, one checked and frozen Config out.
import type { LogLevel } from './lib/log.ts';
import { isLoopback } from './lib/networks.ts';
import { BadValue, type PortRange, SETTINGS, type Setting } from './settings.ts';

export interface Config {
  readonly dataFolder: string;
  /** URL of a PostgreSQL database; SQLite in the data folder where missing. */
  readonly database?: string;
  /** 64 hex digits; the data folder's key where missing. */
  readonly key?: string;
  /** No HTTPS without `tlsPort`. */
  readonly http: { readonly host: string; readonly port: number; readonly tlsPort?: number };
  /** `port` is for UDP and TCP; no TLS without `tlsPort`. */
  readonly sip: { readonly hosts: readonly string[]; readonly port: number; readonly tlsPort?: number };
  /** Paths of PEM files; without a certificate one is made. */
  readonly tls: {
    readonly certificate?: { readonly cert: string; readonly key: string };
    readonly ca?: string;
  };
  readonly publicIp?: string;
  readonly rtpPorts: PortRange;
  /** No slash at the end. */
  readonly baseUrl?: string;
  readonly firstAccount?: { readonly accountSid: string; readonly authToken: string };
  /** What the names of SIP domains and of trunks end with. */
  readonly domainSuffixes: { readonly sip: readonly string[]; readonly trunk: readonly string[] };
  /** What SIP devices are challenged with, the first one first, and how often those behind NAT get OPTIONS; 0 for never. */
  readonly devices: {
    readonly digestAlgorithms: readonly ('MD5' | 'SHA-256')[];
    readonly keepAliveS: number;
  };
  /** Those of emergency services, without +; and first digits, with +, of those known for toll fraud. */
  readonly numbers: {
    readonly emergency: readonly string[];
    readonly tollFraudPrefixes: readonly string[];
  };
  /** Where callers' names are looked up: path of a CSV file, or a URL. */
  readonly cnam?: { readonly file: string } | { readonly url: string };
  /** As `allowNetworks` takes them. */
  readonly allowNets: readonly string[] | 'private';
  /** REST requests per second and account; unlimited where missing. */
  readonly requestsPerSecond?: number;
  /** Of each account: calls it may start in a second, and have at a time; unlimited where missing. */
  readonly callLimits: { readonly perSecond?: number; readonly maxCalls?: number };
  readonly callbackRetries: number;
  /** How long, and how many, webhooks are listed that are over. */
  readonly webhooksKept: { readonly days: number; readonly rows: number };
  /** Whoever knows the address of a recording may hear it. */
  readonly publicRecordings: boolean;
  readonly health: { readonly intervalMs: number; readonly failures: number; readonly recoveryMs: number };
  readonly drainS: number;
  readonly logLevel: LogLevel;
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
  const read = <T>(setting: Setting<T>): T | undefined => readSetting(setting, environment, flags);
  const withDefault = <T>(setting: Setting<T>): T => read(setting) ?? setting.read(setting.default);
  const { http, sip } = readListeners(read, withDefault);
  const local = isLocal(http.host) && sip.hosts.every(isLocal);
  const config: Config = {
    dataFolder: withDefault(SETTINGS.data),
    http,
    sip,
    tls: {
      ...given({ certificate: certificate(read(SETTINGS.tlsCert), read(SETTINGS.tlsKey)) }),
      ...given({ ca: read(SETTINGS.sipCa) }),
    },
    rtpPorts: withDefault(SETTINGS.rtpPorts),
    domainSuffixes: {
      sip: withDefault(SETTINGS.sipDomainSuffixes),
      trunk: withDefault(SETTINGS.trunkDomainSuffixes),
    },
    devices: readDevices(withDefault),
    numbers: readNumbers(withDefault),
    ...given({ cnam: cnam(read(SETTINGS.cnamFile), read(SETTINGS.cnamUrl)) }),
    allowNets: read(SETTINGS.allowNets) ?? (local ? 'private' : []),
    callLimits: {
      ...given({ perSecond: read(SETTINGS.callsPerSecond) }),
      ...given({ maxCalls: read(SETTINGS.maxCalls) }),
    },
    callbackRetries: withDefault(SETTINGS.callbackRetries),
    webhooksKept: { days: withDefault(SETTINGS.webhookDays), rows: withDefault(SETTINGS.webhookRows) },
    publicRecordings: withDefault(SETTINGS.publicRecordings),
    health: readHealth(withDefault),
    drainS: withDefault(SETTINGS.drainS),
    logLevel: withDefault(SETTINGS.logLevel),
    warnings: isOpen(http.host) ? [openHttp(http.host)] : [],
    ...given({ database: read(SETTINGS.database) }),
    ...given({ key: read(SETTINGS.key) }),
    ...given({ requestsPerSecond: read(SETTINGS.requestsPerSecond) }),
    ...given({ publicIp: read(SETTINGS.publicIp) }),
    ...given({ baseUrl: read(SETTINGS.baseUrl) }),
    ...given({ firstAccount: firstAccount(read(SETTINGS.accountSid), read(SETTINGS.authToken)) }),
  };
  requirePublicIp(config);
  return Object.freeze(config);
}

function readListeners(read: IfSet, withDefault: WithDefault): Pick<Config, 'http' | 'sip'> {
  const port = withDefault(SETTINGS.sipPort);
  const tlsPort = read(SETTINGS.sipsPort) ?? (port === 0 ? 0 : 5061);
  return {
    http: {
      host: withDefault(SETTINGS.httpHost),
      port: withDefault(SETTINGS.httpPort),
      ...given({ tlsPort: read(SETTINGS.httpsPort) }),
    },
    sip: { hosts: withDefault(SETTINGS.sipHosts), port, ...(tlsPort !== 'off' && { tlsPort }) },
  };
}

/** Lines for `--help`: flag and variable, meaning, default. */
export function settingsHelp(): string {
  return Object.values(SETTINGS)
    .map((setting: Setting<unknown>) => {
      const names = setting.flag ? `--${setting.flag} <value>, ${setting.variable}` : setting.variable;
      return `  ${names}\n      ${setting.meaning} (default: ${setting.default})`;
    })
    .join('\n');
}

/** An empty variable is one that is not set. */
function readSetting<T>(setting: Setting<T>, environment: Environment, flags: Flags): T | undefined {
  const flag = setting.flag === undefined ? undefined : flags[camelCase(setting.flag)];
  const text = flag ?? environment[setting.variable];
  if (text === undefined || text === '') return undefined;
  try {
    return setting.read(text);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw new ConfigError(`${flag === undefined ? setting.variable : `--${setting.flag}`} ${error.message}`);
  }
}

const camelCase = (flag: string): string =>
  flag.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** An optional property that is left out rather than undefined. */
function given<K extends string, T>(property: { readonly [key in K]: T | undefined }): { [key in K]?: T } {
  return Object.values(property)[0] === undefined ? {} : (property as { [key in K]: T });
}

function refuseUnknown(environment: Environment): void {
  const known = Object.values(SETTINGS).map((setting) => setting.variable);
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

type IfSet = <T>(setting: Setting<T>) => T | undefined;
type WithDefault = <T>(setting: Setting<T>) => T;

const readDevices = (read: WithDefault): Config['devices'] => ({
  digestAlgorithms: read(SETTINGS.digestAlgorithms),
  keepAliveS: read(SETTINGS.natKeepAliveS),
});

const readNumbers = (read: WithDefault): Config['numbers'] => ({
  emergency: read(SETTINGS.emergencyNumbers),
  tollFraudPrefixes: read(SETTINGS.tollFraudPrefixes),
});

const readHealth = (read: WithDefault): Config['health'] => ({
  intervalMs: read(SETTINGS.healthIntervalS) * 1000,
  failures: read(SETTINGS.healthFailures),
  recoveryMs: read(SETTINGS.healthRecoveryS) * 1000,
});

function firstAccount(accountSid: string | undefined, authToken: string | undefined): Config['firstAccount'] {
  if (accountSid !== undefined && authToken !== undefined) return { accountSid, authToken };
  if (accountSid === undefined && authToken === undefined) return undefined;
  throw new ConfigError('TANDEM_ACCOUNT_SID and TANDEM_AUTH_TOKEN go together: set both or neither');
}

function cnam(file: string | undefined, url: string | undefined): Config['cnam'] {
  if (file !== undefined && url !== undefined)
    throw new ConfigError('TANDEM_CNAM_FILE and TANDEM_CNAM_URL exclude each other: set one of them');
  if (file !== undefined) return { file };
  return url === undefined ? undefined : { url };
}

function certificate(cert: string | undefined, key: string | undefined): Config['tls']['certificate'] {
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (cert === undefined && key === undefined) return undefined;
  throw new ConfigError('TANDEM_TLS_CERT and TANDEM_TLS_KEY go together: set both or neither');
}

function requirePublicIp({ sip, publicIp }: Config): void {
  const wildcard = sip.hosts.find((host) => /^(0\.0\.0\.0|[0:]+)$/.test(host));
  if (wildcard === undefined || publicIp !== undefined) return;
  throw new ConfigError(
    `TANDEM_SIP_HOST ${wildcard} listens everywhere: set TANDEM_PUBLIC_IP to the address that others reach`,
  );
}

const isLocal = (host: string): boolean => host === 'localhost' || isLoopback(host);

/** Whether others than this machine reach what listens on `host`. */
export const isOpen = (host: string): boolean => !isLocal(host);

const openHttp = (host: string): string =>
  `The REST API listens on ${host} without TLS: tokens cross the network in clear. Put a TLS proxy in front, or use 127.0.0.1`;
