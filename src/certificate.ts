// The certificate that SIP over TLS and HTTPS show: the operator's files, or one made at the first start; read again on change.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type FSWatcher, mkdirSync, readFileSync, realpathSync, watch, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Config, ConfigError } from './config.ts';
import type { Clock, Timer } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import type { Random } from './lib/random.ts';
import { selfSignedCertificate } from './lib/self-signed-certificate.ts';
import type { TlsOptions } from './sip/index.ts';

interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

export interface Certificate {
  readonly tls: TlsOptions;
  /** Calls back with each new one. */
  onChange(changed: (tls: TlsOptions) => void): void;
  close(): void;
}

/** So long that nobody who only tries things out meets its end. */
const VALIDITY_MS = 10 * 365 * 86_400_000;
/** A certificate and its key are two files, seldom written at once. */
const SETTLE_MS = 500;
/** What the official clients ask for by default: a test may let these names lead here (docs/sdk.md). */
const TWILIO_HOSTS = ['api.twilio.com', 'voice.twilio.com', 'trunking.twilio.com'];

/** Undefined where nobody speaks TLS or none can be had. @throws {ConfigError} */
export function openCertificate(config: Config, world: World): Certificate | undefined {
  const files = tlsFiles(config, world);
  if (!files) return undefined;
  const listeners: ((tls: TlsOptions) => void)[] = [];
  const close = watchTls(files, world, (tls) => {
    for (const changed of listeners) changed(tls);
  });
  return { tls: readTls(files), onChange: (changed) => void listeners.push(changed), close };
}

/**
 * The files to use. Undefined where nobody speaks TLS, or where the operator gave none and none could be made: SIP
 * over TLS is off then, said in the log.
 * @throws {ConfigError} where HTTPS is asked for and no certificate can be made.
 */
export function tlsFiles(config: Config, world: World): TlsFiles | undefined {
  if (config.sip.tlsPort === undefined && config.http.tlsPort === undefined) return undefined;
  const ca = config.tls.ca === undefined ? {} : { ca: config.tls.ca };
  if (config.tls.certificate) return { ...config.tls.certificate, ...ca };
  const folder = join(config.dataFolder, 'tls');
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), ...ca };
  try {
    if (!exists(files.cert) || !exists(files.key)) makeCertificate(config, files, world);
    return files;
  } catch (error) {
    const { message } = error as Error;
    if (config.http.tlsPort !== undefined) {
      throw new ConfigError(`TANDEM_HTTPS_PORT needs a certificate, and none can be made: ${message}`);
    }
    world.log.warn({ error: message, folder }, 'no certificate can be made: SIP over TLS is off');
    return undefined;
  }
}

function makeCertificate(config: Config, { cert, key }: TlsFiles, { clock, random }: World): void {
  const fromMs = clock.now() - 86_400_000;
  const made = selfSignedCertificate({
    names: namesOf(config),
    fromMs,
    toMs: fromMs + VALIDITY_MS,
    random,
  });
  mkdirSync(dirname(cert), { mode: 0o700, recursive: true });
  writeFileSync(key, made.key, { mode: 0o600 });
  writeFileSync(cert, made.cert, { mode: 0o600 });
}

/** Whatever others may know this exchange by, the address that others reach first. */
function namesOf({ publicIps = [], sip, http, baseUrl }: Config): readonly string[] {
  const ours = [...publicIps, ...sip.hosts, http.host, baseUrl && hostOf(baseUrl), 'localhost'];
  return [...new Set([...ours, ...TWILIO_HOSTS].filter((name) => name !== undefined))];
}

const hostOf = (url: string): string => new URL(url).hostname.replaceAll(/[[\]]/g, '');

function exists(path: string): boolean {
  try {
    realpathSync(path);
    return true;
  } catch {
    return false;
  }
}

/** @throws {ConfigError} when a file cannot be read, is no PEM, or the key is another certificate's. */
export function readTls({ cert, key, ca }: TlsFiles): TlsOptions {
  const certificate = checked(cert, (text) => new X509Certificate(text));
  const privateKey = checked(key, createPrivateKey);
  if (!certificate.parsed.checkPrivateKey(privateKey.parsed)) {
    throw new ConfigError(`${key} is not the key of the certificate ${cert}`);
  }
  const pair = { cert: certificate.text, key: privateKey.text };
  return ca === undefined ? pair : { ...pair, ca: checked(ca, (text) => new X509Certificate(text)).text };
}

function checked<T>(path: string, parse: (text: string) => T): { readonly text: string; readonly parsed: T } {
  try {
    const text = readFileSync(path, 'utf8');
    return { text, parsed: parse(text) };
  } catch (error) {
    throw new ConfigError(`Cannot use ${path}, a file for TLS: ${(error as Error).message}`);
  }
}

/** Calls `changed` when the files hold something else, all of it in order. Returns how to stop. */
export function watchTls(
  files: TlsFiles,
  { clock, log }: Pick<World, 'clock' | 'log'>,
  changed: (tls: TlsOptions) => void,
): () => void {
  let current = JSON.stringify(readTls(files));
  let timer: Timer | undefined;
  const readAgain = () => {
    try {
      const tls = readTls(files);
      if (JSON.stringify(tls) === current) return;
      changed(tls);
      current = JSON.stringify(tls);
      log.info({ cert: files.cert }, 'there is a new certificate');
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'the certificate stays as it is');
    }
  };
  const watchers = openWatchers(Object.values(files), log, () => {
    clock.cancel(timer);
    timer = clock.after(SETTLE_MS, readAgain);
  });
  return () => {
    clock.cancel(timer);
    for (const watcher of watchers) watcher.close();
  };
}

/** Folders, not files: whoever renews a certificate mostly renames a new file, or a link to it, over the old one. */
function openWatchers(paths: readonly string[], log: Log, notice: () => void): FSWatcher[] {
  const folders = new Set(paths.flatMap((path) => [dirname(path), dirname(realpathSync(path))]));
  return [...folders].flatMap((folder) => {
    const failed = (error: Error) =>
      log.warn({ error: error.message, folder }, 'changes of certificates there are not seen');
    try {
      return [watch(folder, { persistent: false }, notice).on('error', failed)];
    } catch (error) {
      failed(error as Error);
      return [];
    }
  });
}
