// Settings: defaults, bad values, and what goes together.
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, settingsHelp } from './config.ts';
import { allSettings, CHAPTERS, SETTINGS } from './settings/index.ts';

const errorOf = (environment: Record<string, string>, flags = {}): string => {
  try {
    readConfig(environment, flags);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return '';
};

describe('readConfig', () => {
  it('has defaults that listen on loopback only', () => {
    expect(readConfig({ PATH: '/bin' })).toEqual({
      dataFolder: './data',
      callLimits: {},
      sessions: { mediaTimeoutS: 300 },
      http: { host: '127.0.0.1', port: 8080 },
      sip: { hosts: ['127.0.0.1'], port: 5060, tlsPort: 5061 },
      tls: {},
      rtpPorts: { first: 20000, last: 29999 },
      domainSuffixes: { sip: ['sip.twilio.com'], trunk: ['pstn.twilio.com'] },
      devices: { digestAlgorithms: ['MD5'], keepAliveS: 0 },
      numbers: { emergency: ['112', '911'], tollFraudPrefixes: [] },
      trunks: { callerIds: 'verified', callS: 14_400 },
      allowNets: 'private',
      publicRecordings: false,
      callbackRetries: 8,
      webhooksKept: { days: 7, rows: 100_000 },
      failover: { silenceMs: 4_000, stallMs: 15_000, ringAgain: false },
      health: { intervalMs: 30_000, failures: 3, recoveryMs: 15_000 },
      drainS: 60,
      logLevel: 'info',
      warnings: [],
    });
  });

  it('takes flags before variables, and empty variables for none', () => {
    const config = readConfig(
      { TANDEM_HTTP_PORT: '1', TANDEM_SIP_PORT: '', TANDEM_LOG_LEVEL: 'debug' },
      { httpPort: '0' },
    );
    expect([config.http.port, config.sip.port, config.logLevel]).toEqual([0, 5060, 'debug']);
  });

  it('reads everything', () => {
    const config = readConfig({
      TANDEM_DATA: '/srv/tandem',
      TANDEM_DATABASE: 'postgres://t:secret@db.example/tandem',
      TANDEM_API_REQUESTS_PER_SECOND: '50',
      TANDEM_KEY: 'aB'.repeat(32),
      TANDEM_HTTP_HOST: '::1',
      TANDEM_SIP_HOST: '0.0.0.0, ::',
      TANDEM_PUBLIC_IP: '192.0.2.1, 2001:db8::1',
      TANDEM_RTP_PORTS: '30000-30003',
      TANDEM_BASE_URL: 'https://tandem.example/x/',
      TANDEM_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TANDEM_AUTH_TOKEN: 'sixteen letters!',
      TANDEM_ALLOW_NETS: '10.0.0.0/8, fd00::/8',
      TANDEM_SIP_DOMAIN_SUFFIXES: 'sip.twilio.com, .SIP.Example.com',
      TANDEM_TRUNK_DOMAIN_SUFFIXES: 'pstn.example.com',
      TANDEM_CALLBACK_RETRIES: '0',
      TANDEM_DRAIN_S: '5',
    });
    expect(config).toMatchObject({
      dataFolder: '/srv/tandem',
      database: 'postgres://t:secret@db.example/tandem',
      requestsPerSecond: 50,
      key: 'aB'.repeat(32),
      sip: { hosts: ['0.0.0.0', '::'] },
      publicIps: ['192.0.2.1', '2001:db8::1'],
      rtpPorts: { first: 30000, last: 30003 },
      baseUrl: 'https://tandem.example/x',
      firstAccount: { accountSid: `AC${'0'.repeat(32)}`, authToken: 'sixteen letters!' },
      domainSuffixes: { sip: ['sip.twilio.com', 'sip.example.com'], trunk: ['pstn.example.com'] },
      allowNets: ['10.0.0.0/8', 'fd00::/8'],
      callbackRetries: 0,
      drainS: 5,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each([
    [{ TANDEM_SIP_PORT: '5070' }, 5061],
    [{ TANDEM_SIP_PORT: '0' }, 0],
    [{ TANDEM_SIP_PORT: '0', TANDEM_SIPS_PORT: '5071' }, 5071],
    [{ TANDEM_SIPS_PORT: 'off' }, undefined],
  ])('%j listens for TLS on %s', (environment, port) => {
    expect(readConfig(environment).sip.tlsPort).toBe(port);
  });

  it('has no HTTPS unless it is asked for', () => {
    expect(readConfig({}).http).not.toHaveProperty('tlsPort');
    expect(readConfig({ TANDEM_HTTPS_PORT: 'off' }).http).not.toHaveProperty('tlsPort');
    expect(readConfig({ TANDEM_HTTPS_PORT: '8443' }).http.tlsPort).toBe(8443);
    expect(readConfig({}, { httpsPort: '0' }).http.tlsPort).toBe(0);
  });

  it('takes a certificate with its key, and a CA', () => {
    const files = { TANDEM_TLS_CERT: 'a.pem', TANDEM_TLS_KEY: 'b.pem', TANDEM_SIP_CA: 'c.pem' };
    expect(readConfig(files).tls).toEqual({ certificate: { cert: 'a.pem', key: 'b.pem' }, ca: 'c.pem' });
  });

  it('takes emergency numbers, fraud prefixes and one place of callers’ names', () => {
    const lists = { TANDEM_EMERGENCY_NUMBERS: '110, 112', TANDEM_TOLLFRAUD_PREFIXES: '+37163,+2347' };
    expect(readConfig(lists).numbers).toEqual({
      emergency: ['110', '112'],
      tollFraudPrefixes: ['+37163', '+2347'],
    });
    expect(readConfig({ TANDEM_EMERGENCY_NUMBERS: 'none' }).numbers.emergency).toEqual([]);
    expect(readConfig({ TANDEM_CNAM_FILE: 'names.csv' }).cnam).toEqual({ file: 'names.csv' });
    expect(readConfig({ TANDEM_CNAM_URL: 'https://n.example/c?k=1' }).cnam).toEqual({
      url: 'https://n.example/c?k=1',
    });
  });

  it.each([
    ['TANDEM_HTTP_HOST', '192.0.2.1'],
    ['TANDEM_SIP_HOST', '127.0.0.1,192.0.2.1'],
  ])('reaches no private network by default once %s is open', (name, value) => {
    expect(readConfig({ [name]: value }).allowNets).toEqual([]);
  });

  it('warns of an API in clear', () => {
    expect(readConfig({ TANDEM_HTTP_HOST: '0.0.0.0' }).warnings).toHaveLength(1);
    expect(readConfig({ TANDEM_HTTP_HOST: 'localhost' }).warnings).toEqual([]);
  });
});

describe('bad settings', () => {
  it('of which only one may be', () => {
    const both = { TANDEM_CNAM_FILE: 'a.csv', TANDEM_CNAM_URL: 'http://a.example' };
    expect(errorOf(both)).toContain('exclude each other');
  });

  it.each([
    ['TANDEM_HTTP_PORT', '65536', 'TANDEM_HTTP_PORT must be a whole number from 0 to 65535'],
    ['TANDEM_HTTP_PORT', '80a', 'TANDEM_HTTP_PORT must be'],
    ['TANDEM_HTTP_HOST', 'example.com', 'TANDEM_HTTP_HOST must be an IP address'],
    ['TANDEM_SIP_HOST', '127.0.0.1,', 'TANDEM_SIP_HOST must be an IP address'],
    ['TANDEM_SIP_HOST', '0.0.0.0', 'set TANDEM_PUBLIC_IP to the IPv4 address'],
    ['TANDEM_SIP_HOST', '::', 'set TANDEM_PUBLIC_IP to the IPv6 address'],
    ['TANDEM_PUBLIC_IP', '192.0.2.1,192.0.2.2', 'TANDEM_PUBLIC_IP must be one IPv4 address'],
    ['TANDEM_RTP_PORTS', '20000-20002', 'TANDEM_RTP_PORTS must be'],
    ['TANDEM_RTP_PORTS', '20000', 'TANDEM_RTP_PORTS must be'],
    ['TANDEM_RTP_PORTS', '80-90', 'TANDEM_RTP_PORTS must be'],
    ['TANDEM_BASE_URL', 'tandem.example', 'TANDEM_BASE_URL must be'],
    ['TANDEM_BASE_URL', 'https://a.example/?x', 'TANDEM_BASE_URL must be'],
    ['TANDEM_EMERGENCY_NUMBERS', '+112', 'TANDEM_EMERGENCY_NUMBERS must be numbers of 2 to 6 digits'],
    ['TANDEM_EMERGENCY_NUMBERS', '112,', 'TANDEM_EMERGENCY_NUMBERS must be'],
    ['TANDEM_TOLLFRAUD_PREFIXES', '371', 'TANDEM_TOLLFRAUD_PREFIXES must be +'],
    ['TANDEM_CNAM_URL', 'names.example', 'TANDEM_CNAM_URL must be'],
    ['TANDEM_ACCOUNT_SID', `AC${'0'.repeat(32)}`, 'go together'],
    ['TANDEM_TLS_CERT', 'a.pem', 'go together'],
    ['TANDEM_TLS_KEY', 'a.pem', 'go together'],
    ['TANDEM_SIPS_PORT', 'on', 'TANDEM_SIPS_PORT must be'],
    ['TANDEM_HTTPS_PORT', 'on', 'TANDEM_HTTPS_PORT must be'],
    ['TANDEM_AUTH_TOKEN', 'sixteen letters!', 'go together'],
    ['TANDEM_AUTH_TOKEN', 'short', 'at least 16'],
    ['TANDEM_KEY', 'abc', 'must be 64 hex digits'],
    ['TANDEM_DATABASE', 'tandem.sqlite', 'TANDEM_DATABASE must be a URL such as postgres://'],
    ['TANDEM_DATABASE', 'mysql://t@db.example/tandem', 'TANDEM_DATABASE must be'],
    ['TANDEM_DATABASE', 'postgres://t@db.example', 'TANDEM_DATABASE must be'],
    ['TANDEM_API_REQUESTS_PER_SECOND', '0', 'must be a whole number from 1'],
    ['TANDEM_ALLOW_NETS', '10.0.0.1', 'is not a network'],
    ['TANDEM_SIP_DOMAIN_SUFFIXES', 'sip.example.com,', 'must be host names'],
    ['TANDEM_TRUNK_DOMAIN_SUFFIXES', 'pstn_x.example.com', 'must be host names'],
    ['TANDEM_FAILOVER_SILENCE_MS', '99', 'must be a whole number from 100 to 32000'],
    ['TANDEM_FAILOVER_STALL_MS', '15 s', 'must be a whole number from 100'],
    ['TANDEM_FAILOVER_RING_AGAIN', '1', 'must be yes or no'],
    ['TANDEM_LOG_LEVEL', 'verbose', 'must be one of debug'],
    ['TANDEM_HTP_PORT', '1', 'did you mean TANDEM_HTTP_PORT?'],
    ['TANDEM_AUTHTOKEN', 'x', 'did you mean TANDEM_AUTH_TOKEN?'],
  ])('%s=%s', (name, value, message) => {
    const found = errorOf({ [name]: value });
    expect(found).toContain(message);
    expect(found).not.toContain('\n');
  });

  it('name the flag where it came by one, and never repeat a secret', () => {
    expect(errorOf({}, { httpPort: 'x' })).toMatch(/^--http-port /);
    expect(errorOf({ TANDEM_KEY: 'hunter2' })).not.toContain('hunter2');
    expect(errorOf({ TANDEM_DATABASE: 'mysql://t:hunter2@db/t' })).not.toContain('hunter2');
  });

  it('allows no secret as a flag', () => {
    const secrets = [
      SETTINGS.running.key,
      SETTINGS.running.database,
      ...Object.values(SETTINGS.firstAccount),
    ];
    expect(secrets.every((setting) => !('flag' in setting))).toBe(true);
    expect(readConfig({}, { key: 'x', authToken: 'x' }).key).toBeUndefined();
  });

  it('are all in the help', () => {
    const listed = CHAPTERS.flatMap(({ settings }) => settings);
    expect(new Set(listed)).toEqual(new Set(allSettings()));
    for (const { variable } of listed) expect(settingsHelp(listed)).toContain(variable);
  });
});
