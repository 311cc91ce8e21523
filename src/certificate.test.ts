import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificateFor } from '../test/support/certificates.ts';
import { tempFolder } from '../test/support/temp-folder.ts';
import { readTls, type TlsFiles, tlsFiles, watchTls } from './certificate.ts';
import { readConfig } from './config.ts';
import { systemClock } from './lib/clock.ts';
import { silentLog } from './lib/log.ts';
import { seededRandom } from './lib/random.ts';

const world = { clock: systemClock, random: seededRandom(1), log: silentLog };
const [a, b] = [certificateFor('a.example'), certificateFor('b.example')];

function files(pair = a): TlsFiles {
  const folder = tempFolder();
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(paths.cert, pair.cert);
  writeFileSync(paths.key, pair.key);
  return paths;
}

describe('the files of TLS', () => {
  it('are the given ones, or made ones that nobody else may read', () => {
    const data = tempFolder();
    const given = readConfig({
      TANDEM_DATA: data,
      TANDEM_TLS_CERT: 'c',
      TANDEM_TLS_KEY: 'k',
      TANDEM_SIP_CA: 'a',
    });
    expect(tlsFiles(given, world)).toEqual({ cert: 'c', key: 'k', ca: 'a' });
    const made = tlsFiles(readConfig({ TANDEM_DATA: data }), world) as TlsFiles;
    expect(made.cert).toBe(join(data, 'tls', 'cert.pem'));
    expect(statSync(made.key).mode & 0o777).toBe(0o600);
    expect(tlsFiles(readConfig({ TANDEM_DATA: data }), world)).toEqual(made);
    expect(readTls(made).cert).toContain('BEGIN CERTIFICATE');
  });

  it('are made for every name of the exchange, and for Twilio’s hosts', () => {
    const settings = {
      TANDEM_DATA: tempFolder(),
      TANDEM_PUBLIC_IP: '192.0.2.7',
      TANDEM_SIP_HOST: '127.0.0.2',
      TANDEM_HTTP_HOST: '::1',
      TANDEM_BASE_URL: 'https://tandem.example:8443/x',
    };
    const { cert } = readTls(tlsFiles(readConfig(settings), world) as TlsFiles);
    const { subjectAltName, subject } = new X509Certificate(cert);
    expect(subject).toBe('CN=192.0.2.7');
    expect(subjectAltName).toBe(
      'IP Address:192.0.2.7, IP Address:127.0.0.2, IP Address:0:0:0:0:0:0:0:1, DNS:tandem.example, DNS:localhost, ' +
        'DNS:api.twilio.com, DNS:voice.twilio.com, DNS:trunking.twilio.com',
    );
  });

  it('are needed by nobody where nobody speaks TLS', () => {
    const data = tempFolder();
    expect(tlsFiles(readConfig({ TANDEM_DATA: data, TANDEM_SIPS_PORT: 'off' }), world)).toBeUndefined();
    expect(existsSync(join(data, 'tls'))).toBe(false);
    const https = readConfig({ TANDEM_DATA: data, TANDEM_SIPS_PORT: 'off', TANDEM_HTTPS_PORT: '0' });
    expect(tlsFiles(https, world)?.cert).toBe(join(data, 'tls', 'cert.pem'));
  });

  it('that cannot be made turn SIP over TLS off, but stop the start of HTTPS', () => {
    const file = join(tempFolder(), 'file');
    writeFileSync(file, '');
    expect(tlsFiles(readConfig({ TANDEM_DATA: file }), world)).toBeUndefined();
    const https = readConfig({ TANDEM_DATA: file, TANDEM_HTTPS_PORT: '0' });
    expect(() => tlsFiles(https, world)).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        message: expect.stringContaining('TANDEM_HTTPS_PORT needs'),
      }),
    );
  });

  it.each([
    [
      'a missing file',
      (paths: TlsFiles) => ({ ...paths, cert: '/nowhere/cert.pem' }),
      /Cannot use \/nowhere\/cert\.pem/,
    ],
    ['no certificate', (paths: TlsFiles) => ({ ...paths, cert: paths.key }), /Cannot use .*key\.pem/],
    ['no key', (paths: TlsFiles) => ({ ...paths, key: paths.cert }), /Cannot use .*cert\.pem/],
    [
      'a key of another certificate',
      (paths: TlsFiles) => ({ ...paths, key: files(b).key }),
      /is not the key of/,
    ],
    ['a CA that is none', (paths: TlsFiles) => ({ ...paths, ca: paths.key }), /Cannot use .*key\.pem/],
  ])('with %s stop the start', (_, broken, message) => {
    expect(() => readTls(broken(files()))).toThrow(expect.objectContaining({ name: 'ConfigError' }));
    expect(() => readTls(broken(files()))).toThrow(message);
  });
});

describe('a change of the files', () => {
  it('is told when all of it is there, also when they are links that are renamed', async () => {
    const paths = files();
    const folder = join(paths.cert, '..');
    const told: string[] = [];
    const kept: string[] = [];
    const log = { ...silentLog, warn: ({ error }: { error?: string }) => kept.push(error ?? '') };
    onTestFinished(watchTls(paths, { clock: systemClock, log }, ({ cert }) => told.push(cert)));
    const reached = async (count: () => number) => {
      while (count() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    writeFileSync(paths.cert, b.cert);
    await reached(() => kept.length);
    expect([told, kept[0]]).toEqual([[], expect.stringContaining('is not the key of')]);
    mkdirSync(join(folder, 'new'));
    writeFileSync(join(folder, 'new', 'key.pem'), b.key);
    renameSync(join(folder, 'new', 'key.pem'), paths.key);
    await reached(() => told.length);
    expect(told).toEqual([b.cert]);
  });
});
