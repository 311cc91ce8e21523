// The commands as a person meets them: real processes, their output, their exit codes.
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-commands-'));
});

afterEach(async () => {
  await Promise.all(
    children.splice(0).map((child) => {
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGKILL');
      return gone;
    }),
  );
  rmSync(folder, { recursive: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  stdout(): string;
  stderr(): string;
  /** Resolves with stdout when it matches. */
  says(pattern: RegExp): Promise<string>;
}

function start(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Running {
  const child = spawn(process.execPath, [join(ROOT, file), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, TANDEM_DATA: join(folder, 'data'), ...environment },
  });
  children.push(child);
  let [out, err] = ['', ''];
  const waiting = new Set<() => void>();
  child.stdout.on('data', (chunk) => {
    out += chunk;
    for (const look of waiting) look();
  });
  child.stderr.on('data', (chunk) => (err += chunk));
  return {
    child,
    exit: new Promise((done) => child.once('close', done)),
    stdout: () => out,
    stderr: () => err,
    says: (pattern) =>
      new Promise((done) => {
        const look = () => pattern.test(out) && done(out);
        waiting.add(look);
        look();
      }),
  };
}

const tandem = (args: readonly string[], environment?: Readonly<Record<string, string>>): Running =>
  start('src/main.ts', args, environment);

const FREE = { TANDEM_HTTP_PORT: '0', TANDEM_SIP_PORT: '0' };

interface Ready {
  readonly ready: boolean;
  readonly http: string;
  readonly https?: string;
  readonly sip: string;
  readonly account_sid: string;
}

async function serving(
  environment: Readonly<Record<string, string>> = FREE,
): Promise<Running & { ready: Ready }> {
  const running = tandem(['serve'], environment);
  return { ...running, ready: JSON.parse(await running.says(/\n/)) as Ready };
}

describe('tandem serve', () => {
  it('says in one JSON line that it is ready and where, keeps secrets to itself, and stops on SIGTERM', async () => {
    const { ready, child, exit, stdout, stderr } = await serving();
    expect(ready).toMatchObject({
      ready: true,
      http: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      sip: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      sips: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      account_sid: expect.stringMatching(/^AC[0-9a-f]{32}$/),
    });
    const account = JSON.parse(readFileSync(join(folder, 'data/account.json'), 'utf8'));
    expect(account.account_sid).toBe(ready.account_sid);
    for (const file of ['account.json', 'key', 'tandem.sqlite']) {
      expect(statSync(join(folder, 'data', file)).mode & 0o077, file).toBe(0);
    }
    expect((await fetch(`${ready.http}/healthz`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(stdout().trim().split('\n')).toHaveLength(1);
    expect(stdout() + stderr()).not.toContain(account.auth_token);
  });

  it('names the HTTPS listener, and says which setting to change when its port is taken', async () => {
    const { ready } = await serving({ ...FREE, TANDEM_HTTPS_PORT: '0' });
    expect(ready.https).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const port = new URL(ready.https ?? '').port;
    const second = { ...FREE, TANDEM_HTTPS_PORT: port, TANDEM_DATA: join(folder, 'other') };
    const { exit, stderr } = tandem(['serve'], second);
    expect(await exit).toBe(1);
    expect(stderr()).toContain(`127.0.0.1:${port} is in use`);
    expect(stderr()).toContain('TANDEM_HTTPS_PORT');
  });

  it('keeps its account over a restart', async () => {
    const first = await serving();
    first.child.kill('SIGTERM');
    await first.exit;
    expect((await serving()).ready.account_sid).toBe(first.ready.account_sid);
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      'an unknown setting',
      { TANDEM_HTP_PORT: '1' },
      /TANDEM_HTP_PORT is no setting: did you mean TANDEM_HTTP_PORT/,
    ],
    ['a bad value', { TANDEM_HTTP_PORT: 'http' }, /TANDEM_HTTP_PORT must be a whole number/],
    ['half an account', { TANDEM_ACCOUNT_SID: `AC${'0'.repeat(32)}` }, /TANDEM_AUTH_TOKEN go together/],
    ['an unwritable data folder', { TANDEM_DATA: '/dev/null/data' }, /Cannot write \/dev\/null.*TANDEM_DATA/],
    ['an address of another machine', { TANDEM_SIP_HOST: '192.0.2.1' }, /192\.0\.2\.1 .*TANDEM_SIP_HOST/],
  ])('refuses %s in one line and exits with 1', async (_name, environment, message) => {
    const { exit, stderr, stdout } = tandem(['serve'], { ...FREE, ...environment });
    expect(await exit).toBe(1);
    expect(stdout()).toBe('');
    expect(stderr().trim().split('\n')).toHaveLength(1);
    expect(stderr()).toMatch(message);
  });

  it.each(['TANDEM_HTTP_PORT', 'TANDEM_SIP_PORT'])('names %s when its port is in use', async (variable) => {
    const [tcp, udp] = [createServer(), createSocket('udp4')];
    await new Promise<void>((done) => tcp.listen(0, '127.0.0.1', done));
    const { port } = tcp.address() as { port: number };
    await new Promise<void>((done) => udp.bind(port, '127.0.0.1', done));
    const { exit, stderr } = tandem(['serve'], { ...FREE, [variable]: String(port) });
    expect(await exit).toBe(1);
    expect(stderr()).toMatch(new RegExp(`:${port} is in use.*${variable}`));
    expect(stderr().trim().split('\n')).toHaveLength(1);
    tcp.close();
    udp.close();
  });

  it('refuses the database of a newer program, and one that is none', async () => {
    const { child, exit } = await serving();
    child.kill('SIGTERM');
    await exit;
    const path = join(folder, 'data/tandem.sqlite');
    const db = new DatabaseSync(path);
    db.exec("insert into kysely_migration values ('9999-from-the-future', '2030-01-01')");
    db.close();
    const newer = tandem(['serve'], FREE);
    expect(await newer.exit).toBe(1);
    expect(newer.stderr()).toMatch(/newer Tandem \(9999-from-the-future\): start that version/);
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
    writeFileSync(path, 'this is no database'.repeat(1000));
    const corrupt = tandem(['serve'], FREE);
    expect(await corrupt.exit).toBe(1);
    expect(corrupt.stderr().trim().split('\n')).toHaveLength(1);
    expect(corrupt.stderr()).toContain(path);
  });
});

describe('tandem init and tandem call', () => {
  it('makes a demo from nothing, over which the first call goes, is explained, and the example does too', async () => {
    const demo = tandem(['init'], FREE);
    const printed = await demo.says(/Ctrl-C stops the demo/);
    const { http } = JSON.parse(printed.split('\n').find((line) => line.startsWith('{')) as string) as Ready;
    const port = { TANDEM_HTTP_PORT: new URL(http).port };
    expect(printed).toContain(http);
    expect(printed).toMatch(/byoc: 'BY[0-9a-f]{32}'/);

    const call = tandem(['call', '+15550001234', '--say', 'Fine & <dandy>'], port);
    expect(await call.exit).toBe(0);
    expect(call.stdout()).toMatch(/answers 503 Service Unavailable[^]*is left[^]*in-progress[^]*completed/);

    const busy = tandem(['call', '+15550000486'], port);
    expect(await busy.exit).toBe(1);
    expect(busy.stdout()).toContain('The call ended: busy');

    const explained = tandem(['explain', '+15550001234'], port);
    expect(await explained.exit).toBe(0);
    expect(explained.stdout()).toMatch(/sip:127\.0\.0\.1:\d+[^]*sip:127\.0\.0\.1:\d+/);
    const [policy = ''] = /NY[0-9a-f]{32}/.exec(explained.stdout() + call.stdout()) ?? [];
    const share = tandem(['load-share', policy, '--selections', '1000'], port);
    expect(await share.exit).toBe(0);
    expect(share.stdout()).toContain('100.0 %');

    const example = start('examples/first-call.ts', [], { TANDEM_URL: http });
    expect(await example.exit).toBe(0);
    expect(example.stdout()).toMatch(
      /is queued\n.* is completed after \d+ s\n.*failed over \(503.*\n.*answered/,
    );

    demo.child.kill('SIGINT');
    expect(await demo.exit).toBe(0);
  }, 60_000);

  it('drains: a running call goes on, new ones are refused, and the exchange ends with the call', async () => {
    const carrier = tandem(['carrier', '--port', '0']);
    const [, target = ''] = /listens on (sip:\S+);/.exec(await carrier.says(/listens on/)) ?? [];
    const { ready, child, exit } = await serving();
    const port = { TANDEM_HTTP_PORT: new URL(ready.http).port };
    const call = tandem(
      ['call', target.replace('sip:', 'sip:1234@'), '--twiml', '<Response><Pause length="3"/></Response>'],
      port,
    );
    await call.says(/in-progress/);
    child.kill('SIGTERM');
    await new Promise((done) => setTimeout(done, 200));
    const late = tandem(['call', target], port);
    expect(await late.exit).toBe(1);
    expect(late.stderr()).toMatch(/503/);
    expect((await fetch(`${ready.http}/readyz`)).status).toBe(503);
    expect(await exit).toBe(0);
    const db = new DatabaseSync(join(folder, 'data/tandem.sqlite'));
    expect(db.prepare('select status, duration, ended_reason from calls').all()).toEqual([
      { status: 'completed', duration: 3, ended_reason: 'the TwiML came to its end' },
    ]);
    db.close();
  });
});

describe('the command line', () => {
  it('explains itself', async () => {
    const help = tandem(['serve', '--help']);
    expect(await help.exit).toBe(0);
    expect(help.stdout()).toMatch(/--http-port <value>, TANDEM_HTTP_PORT\n.*default: 8080/);
    const carrier = tandem(['carrier', '--help']);
    await carrier.exit;
    expect(carrier.stdout()).toMatch(/…486\s+is busy/);
  });

  it.each([
    [['call', '+15550001234'], /no account.*tandem init/],
    [['carrier', '--always', 'sleepy'], /"sleepy" is no behaviour; there are echo, tone/],
    [['carrier', '--port', 'x'], /--port must be/],
  ])('answers %o with what to do', async (args, message) => {
    const { exit, stderr } = tandem(args);
    expect(await exit).toBe(1);
    expect(stderr()).toMatch(message);
    expect(stderr().trim().split('\n')).toHaveLength(1);
  });
});
