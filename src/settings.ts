// Every setting: its variable, flag, default and meaning. Parsing, `--help` and the docs are drawn from this table.
import { isIP } from 'node:net';
import { LOG_LEVELS } from './lib/log.ts';
import { allowNetworks } from './lib/networks.ts';

/** A value that cannot be used; the message completes a sentence that begins with the setting's name. */
export class BadValue extends Error {}

export interface Setting<T> {
  readonly variable: string;
  /** Without the dashes; secrets have none, as command lines are seen by others. */
  readonly flag?: string;
  /** In words where it depends on others. */
  readonly default: string;
  readonly meaning: string;
  /** @throws {BadValue} */
  read(text: string): T;
}

const DIGEST_ALGORITHMS = ['MD5', 'SHA-256'] as const;

export const SETTINGS = {
  data: {
    variable: 'TANDEM_DATA',
    flag: 'data',
    default: './data',
    meaning: 'folder of the database, the key and account.json',
    read: (text: string) => text,
  },
  database: {
    variable: 'TANDEM_DATABASE',
    default: 'SQLite in the data folder',
    meaning: 'PostgreSQL instead, for one exchange: postgres://user:password@host:port/database',
    read: readDatabase,
  },
  key: {
    variable: 'TANDEM_KEY',
    default: 'the file "key" in the data folder, made at the first start',
    meaning: 'encrypts stored secrets: 64 hex digits, as `openssl rand -hex 32` gives them',
    read: (text: string) => matching(text, /^[0-9a-f]{64}$/i, 'must be 64 hex digits (openssl rand -hex 32)'),
  },
  httpHost: {
    variable: 'TANDEM_HTTP_HOST',
    flag: 'http-host',
    default: '127.0.0.1',
    meaning: 'address the REST API listens on',
    read: (text: string) => (text === 'localhost' ? text : readAddress(text)),
  },
  httpPort: {
    variable: 'TANDEM_HTTP_PORT',
    flag: 'http-port',
    default: '8080',
    meaning: 'port of the REST API; 0 picks a free one',
    read: (text: string) => readInteger(text, 0, 65_535),
  },
  httpsPort: {
    variable: 'TANDEM_HTTPS_PORT',
    flag: 'https-port',
    default: 'off',
    meaning: 'port of the REST API over TLS, beside the other; 0 picks a free one',
    read: (text: string) => (text === 'off' ? undefined : readInteger(text, 0, 65_535)),
  },
  sipHosts: {
    variable: 'TANDEM_SIP_HOST',
    flag: 'sip-host',
    default: '127.0.0.1',
    meaning: 'addresses SIP listens on, IPv4 or IPv6, separated by commas',
    read: (text: string) => readList(text).map(readAddress),
  },
  sipPort: {
    variable: 'TANDEM_SIP_PORT',
    flag: 'sip-port',
    default: '5060',
    meaning: 'UDP and TCP port of SIP; 0 picks a free one',
    read: (text: string) => readInteger(text, 0, 65_535),
  },
  sipsPort: {
    variable: 'TANDEM_SIPS_PORT',
    flag: 'sips-port',
    default: '5061, or a free one where the SIP port is 0',
    meaning: 'TLS port of SIP; 0 picks a free one, off speaks no TLS',
    read: (text: string) => (text === 'off' ? text : readInteger(text, 0, 65_535)),
  },
  tlsCert: {
    variable: 'TANDEM_TLS_CERT',
    flag: 'tls-cert',
    default: 'made at the first start, kept in the data folder',
    meaning: 'PEM file of the certificate, and of the chain below its root; read again when it changes',
    read: (text: string) => text,
  },
  tlsKey: {
    variable: 'TANDEM_TLS_KEY',
    flag: 'tls-key',
    default: 'made with the certificate',
    meaning: "PEM file of the certificate's key",
    read: (text: string) => text,
  },
  sipCa: {
    variable: 'TANDEM_SIP_CA',
    flag: 'sip-ca',
    default: 'none',
    meaning: 'PEM file of certificates that are trusted beside those the system trusts',
    read: (text: string) => text,
  },
  publicIp: {
    variable: 'TANDEM_PUBLIC_IP',
    flag: 'public-ip',
    default: 'the SIP host',
    meaning: 'address that Via, Contact and SDP name; needed with a wildcard SIP host',
    read: readAddress,
  },
  rtpPorts: {
    variable: 'TANDEM_RTP_PORTS',
    flag: 'rtp-ports',
    default: '20000-29999',
    meaning: 'UDP ports for media, first and last',
    read: readPortRange,
  },
  baseUrl: {
    variable: 'TANDEM_BASE_URL',
    flag: 'base-url',
    default: "from the request's Host",
    meaning: 'base of the absolute URLs in answers, such as https://tandem.example.com',
    read: readBaseUrl,
  },
  accountSid: {
    variable: 'TANDEM_ACCOUNT_SID',
    default: 'made at the first start, kept in account.json',
    meaning: 'SID of the first account; goes with TANDEM_AUTH_TOKEN',
    read: (text: string) => matching(text, /^AC[0-9a-fA-F]{32}$/, 'must be AC and 32 hex digits'),
  },
  authToken: {
    variable: 'TANDEM_AUTH_TOKEN',
    default: 'made at the first start, kept in account.json',
    meaning: 'token of the first account, at least 16 characters',
    read: (text: string) =>
      matching(text, /^[\x20-\x7e]{16,}$/, 'must be at least 16 printable ASCII characters'),
  },
  sipDomainSuffixes: {
    variable: 'TANDEM_SIP_DOMAIN_SUFFIXES',
    flag: 'sip-domain-suffixes',
    default: 'sip.twilio.com',
    meaning: 'what the names of SIP domains may end with, separated by commas',
    read: readSuffixes,
  },
  trunkDomainSuffixes: {
    variable: 'TANDEM_TRUNK_DOMAIN_SUFFIXES',
    flag: 'trunk-domain-suffixes',
    default: 'pstn.twilio.com',
    meaning: 'what the domain names of trunks may end with, separated by commas',
    read: readSuffixes,
  },
  digestAlgorithms: {
    variable: 'TANDEM_DIGEST_ALGORITHMS',
    flag: 'digest-algorithms',
    default: 'MD5',
    meaning: 'how SIP devices prove their password: MD5, SHA-256, or both; most take the first, known or not',
    read: (text: string) =>
      readList(text).map((name) => {
        const known = DIGEST_ALGORITHMS.find((each) => each === name);
        if (known) return known;
        throw new BadValue(`must be of ${DIGEST_ALGORITHMS.join(', ')}: "${name}" is neither`);
      }),
  },
  natKeepAliveS: {
    variable: 'TANDEM_NAT_KEEPALIVE_S',
    flag: 'nat-keepalive-s',
    default: '0',
    meaning: 'seconds between two OPTIONS to a phone behind NAT that registered over UDP; 0 for none',
    read: (text: string) => readInteger(text, 0, 3600),
  },
  emergencyNumbers: {
    variable: 'TANDEM_EMERGENCY_NUMBERS',
    flag: 'emergency-numbers',
    default: '112,911',
    meaning: 'numbers of emergency services, separated by commas; or none',
    read: (text: string) =>
      readListOf(text, /^\d{2,6}$/, 'must be numbers of 2 to 6 digits such as 112, or none'),
  },
  tollFraudPrefixes: {
    variable: 'TANDEM_TOLLFRAUD_PREFIXES',
    flag: 'tollfraud-prefixes',
    default: 'none',
    meaning:
      'first digits of numbers that HighRiskTollfraudNumbersEnabled decides about, such as +37163,+2347',
    read: (text: string) =>
      readListOf(text, /^\+\d{1,15}$/, 'must be + and the first digits of numbers, or none'),
  },
  cnamFile: {
    variable: 'TANDEM_CNAM_FILE',
    flag: 'cnam-file',
    default: 'none',
    meaning: 'CSV file of callers, a line each: +14155550100,Name; read again when it changes',
    read: (text: string) => text,
  },
  cnamUrl: {
    variable: 'TANDEM_CNAM_URL',
    default: 'none',
    meaning: "asked for a caller's name: GET with Number, answered with the name as text",
    read: readHttpUrl,
  },
  allowNets: {
    variable: 'TANDEM_ALLOW_NETS',
    flag: 'allow-nets',
    default: 'all loopback and private ones while every listener is on loopback, else none',
    meaning: 'private networks that calls and webhooks may reach, such as 10.0.0.0/8,192.168.1.0/24; or none',
    read: readNetworks,
  },
  publicRecordings: {
    variable: 'TANDEM_PUBLIC_RECORDINGS',
    flag: 'public-recordings',
    default: 'no',
    meaning:
      'yes: whoever knows the address of a recording may hear it, as with Twilio; no: its account alone',
    read: readYesOrNo,
  },
  requestsPerSecond: {
    variable: 'TANDEM_API_REQUESTS_PER_SECOND',
    flag: 'api-requests-per-second',
    default: 'unlimited',
    meaning: 'REST requests an account may make in a second; more are answered 429',
    read: (text: string) => (text === 'unlimited' ? undefined : readInteger(text, 1, 1_000_000)),
  },
  callsPerSecond: {
    variable: 'TANDEM_CALLS_PER_SECOND',
    flag: 'calls-per-second',
    default: 'unlimited',
    meaning:
      'calls an account may start in a second, more wait in order; and that may come in, more are refused',
    read: (text: string) => (text === 'unlimited' ? undefined : readInteger(text, 1, 1_000_000)),
  },
  maxCalls: {
    variable: 'TANDEM_MAX_CALLS',
    flag: 'max-calls',
    default: 'unlimited',
    meaning:
      'calls an account may have at a time, queued ones included; more are answered 429, or 503 by SIP',
    read: (text: string) => (text === 'unlimited' ? undefined : readInteger(text, 1, 1_000_000)),
  },
  callbackRetries: {
    variable: 'TANDEM_CALLBACK_RETRIES',
    flag: 'callback-retries',
    default: '8',
    meaning: 'how often a status callback that failed is sent again; 0 is what Twilio does',
    read: (text: string) => readInteger(text, 0, 100),
  },
  webhookDays: {
    variable: 'TANDEM_WEBHOOK_DAYS',
    flag: 'webhook-days',
    default: '7',
    meaning: 'days that status callbacks stay in the list of webhooks once they are over',
    read: (text: string) => readInteger(text, 0, 3650),
  },
  webhookRows: {
    variable: 'TANDEM_WEBHOOK_ROWS',
    flag: 'webhook-rows',
    default: '100000',
    meaning: 'how many status callbacks that are over stay in the list of webhooks, of all accounts',
    read: (text: string) => readInteger(text, 0, 100_000_000),
  },
  healthIntervalS: {
    variable: 'TANDEM_HEALTH_INTERVAL_S',
    flag: 'health-interval-s',
    default: '30',
    meaning: 'seconds between two OPTIONS to a target; 0 asks only those that are down',
    read: (text: string) => readInteger(text, 0, 86_400),
  },
  healthFailures: {
    variable: 'TANDEM_HEALTH_FAILURES',
    flag: 'health-failures',
    default: '3',
    meaning: 'calls or OPTIONS in a row that fail before a target is down and tried last; 0 for never',
    read: (text: string) => readInteger(text, 0, 1000),
  },
  healthRecoveryS: {
    variable: 'TANDEM_HEALTH_RECOVERY_S',
    flag: 'health-recovery-s',
    default: '15',
    meaning: 'seconds after which a target that is down is asked by OPTIONS whether it is up again',
    read: (text: string) => readInteger(text, 1, 86_400),
  },
  drainS: {
    variable: 'TANDEM_DRAIN_S',
    flag: 'drain-s',
    default: '60',
    meaning: 'seconds that running calls are given to end after SIGTERM',
    read: (text: string) => readInteger(text, 0, 86_400),
  },
  logLevel: {
    variable: 'TANDEM_LOG_LEVEL',
    flag: 'log-level',
    default: 'info',
    meaning: LOG_LEVELS.join(', '),
    read: (text: string) => {
      const level = LOG_LEVELS.find((each) => each === text);
      if (level) return level;
      throw new BadValue(`must be one of ${LOG_LEVELS.join(', ')}`);
    },
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

function matching(text: string, pattern: RegExp, reason: string): string {
  if (pattern.test(text)) return text;
  throw new BadValue(reason);
}

function readYesOrNo(text: string): boolean {
  if (text === 'yes' || text === 'no') return text === 'yes';
  throw new BadValue('must be yes or no');
}

function readInteger(text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new BadValue(`must be a whole number from ${min} to ${max}`);
}

const readList = (text: string): readonly string[] => text.split(',').map((each) => each.trim());

/** `none` is an empty list. */
function readListOf(text: string, pattern: RegExp, reason: string): readonly string[] {
  const list = text === 'none' ? [] : readList(text);
  const bad = list.find((each) => !pattern.test(each));
  if (bad === undefined) return list;
  throw new BadValue(`${reason}: "${bad}" is not`);
}

/** Host names in lower case, without a dot in front. */
function readSuffixes(text: string): readonly string[] {
  const suffixes = readList(text).map((each) => each.toLowerCase().replace(/^\./, ''));
  const bad = suffixes.find(
    (each) => !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(each),
  );
  if (bad === undefined) return suffixes;
  throw new BadValue(`must be host names such as sip.example.com: "${bad}" is none`);
}

function readAddress(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new BadValue(`must be an IP address: "${text}" is none`);
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** A bridged call takes four ports. */
const MIN_RTP_PORTS = 4;

function readPortRange(text: string): PortRange {
  const [, first = '', last = ''] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  const isUsable =
    range.first >= 1024 && range.last <= 65_535 && range.last - range.first + 1 >= MIN_RTP_PORTS;
  if (first !== '' && isUsable) return range;
  throw new BadValue(`must be ${MIN_RTP_PORTS} ports or more between 1024 and 65535, such as 20000-29999`);
}

function readBaseUrl(text: string): string {
  const url = URL.parse(text);
  const isBase =
    url && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === '';
  if (isBase) return text.replace(/\/+$/, '');
  throw new BadValue('must be an http or https URL such as https://tandem.example.com');
}

/** Its credentials and query may be secrets: never repeated in a message. */
function readHttpUrl(text: string): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol)) return url.href;
  throw new BadValue('must be an http or https URL such as https://names.example.com/cnam');
}

/** Its password makes it a secret: never repeated in a message. */
function readDatabase(text: string): string {
  const url = URL.parse(text);
  const isDatabase =
    url && /^postgres(ql)?:$/.test(url.protocol) && url.host !== '' && url.pathname.length > 1;
  if (isDatabase) return text;
  throw new BadValue('must be a URL such as postgres://user:password@127.0.0.1:5432/tandem');
}

function readNetworks(text: string): readonly string[] {
  const nets = text === 'none' ? [] : readList(text);
  try {
    allowNetworks(nets);
  } catch (error) {
    throw new BadValue(`must be a list of networks: ${(error as Error).message}`);
  }
  return nets;
}
