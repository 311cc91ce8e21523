// The two that trunk-calls.ts measures: the exchange with an Elastic trunk and two carriers behind it, and Kamailio with
// rtpengine at the same job. A call to +1415… goes to the callee at once, one to +1416… past a carrier that answers 503.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { cpuTimeMs } from './cpu-time.ts';
import { end, freePort, pause, type Server, spawnOn, startKamailioWith } from './sip-load.ts';

export interface Carriers {
  /** UDP ports of 127.0.0.1. */
  readonly callee: number;
  readonly refuser: number;
}

const ACCOUNT = { sid: `AC${'0'.repeat(32)}`, token: 'a-token-for-the-benchmark' };

/** `src/main.ts serve` with a trunk that takes calls from this machine. */
export async function startTrunk(carriers: Carriers): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-trunk-'));
  const port = await freePort();
  const environment = {
    TANDEM_DATA: folder,
    TANDEM_HTTP_PORT: '0',
    TANDEM_SIP_PORT: String(port),
    TANDEM_SIPS_PORT: 'off',
    TANDEM_RTP_PORTS: '10000-29999',
    TANDEM_ACCOUNT_SID: ACCOUNT.sid,
    TANDEM_AUTH_TOKEN: ACCOUNT.token,
    TANDEM_LOG_LEVEL: 'error',
    TANDEM_TRUNK_CALLER_IDS: 'any',
    // A carrier that refuses is to be tried by every call, as Kamailio does here.
    TANDEM_HEALTH_FAILURES: '0',
    TANDEM_HEALTH_INTERVAL_S: '0',
  };
  const child = spawnOn('server', process.execPath, [join(import.meta.dirname, '../src/main.ts'), 'serve'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout as Readable });
  const ready: unknown = JSON.parse(String((await lines[Symbol.asyncIterator]().next()).value));
  await openTrunk((ready as { http: string }).http, carriers);
  return {
    port,
    cpuMs: () => cpuTimeMs(child.pid as number),
    stop: async () => {
      await end(child);
      rmSync(folder, { recursive: true });
    },
  };
}

type Form = Readonly<Record<string, string>>;

async function openTrunk(url: string, { callee, refuser }: Carriers): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${ACCOUNT.sid}:${ACCOUNT.token}`).toString('base64')}`;
  const post = async (path: string, form: Form): Promise<string> => {
    const body = new URLSearchParams(form);
    const response = await fetch(url + path, { method: 'POST', headers: { authorization }, body });
    const answer = (await response.json()) as { sid: string };
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer.sid;
  };
  const lists = `/2010-04-01/Accounts/${ACCOUNT.sid}/SIP/IpAccessControlLists`;
  const list = await post(`${lists}.json`, { FriendlyName: 'bench' });
  const address = { FriendlyName: 'here', IpAddress: '127.0.0.1', CidrPrefixLength: '8' };
  await post(`${lists}/${list}/IpAddresses.json`, address);
  const trunk = await post('/v1/Trunks', { DomainName: 'bench.pstn.twilio.com' });
  await post(`/v1/Trunks/${trunk}/IpAccessControlLists`, { IpAccessControlListSid: list });
  const route = async (prefix: string, ports: readonly number[]): Promise<void> => {
    const policy = await post('/v1/ConnectionPolicies', {});
    for (const [priority, each] of ports.entries()) {
      const target = { Target: `sip:127.0.0.1:${each}`, Priority: String(priority) };
      await post(`/v1/ConnectionPolicies/${policy}/Targets`, target);
    }
    const byoc = await post('/v1/ByocTrunks', { ConnectionPolicySid: policy });
    await post('/tandem/v1/CarrierRoutes', { Prefix: prefix, ByocTrunkSid: byoc });
  };
  await route('+1415', [callee]);
  await route('+1416', [refuser, callee]);
}

export interface SameJob extends Server {
  /** Written so far; two for each call are wanted. */
  rows(): number;
}

/**
 * Kamailio and rtpengine; their CPU is summed. One child of Kamailio writes every row: the module waits for no lock, so of
 * several children some rows are lost; but one child takes 500 calls a second, however many CPUs there are.
 */
export async function startSameJob({ callee, refuser }: Carriers, children = 1): Promise<SameJob> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-same-job-'));
  const carriers = join(folder, 'carriers.list');
  // Of algorithm 8 the highest number goes first.
  writeFileSync(
    carriers,
    `1 sip:127.0.0.1:${callee} 0 1\n2 sip:127.0.0.1:${refuser} 0 2\n2 sip:127.0.0.1:${callee} 0 1\n`,
  );
  // In memory where there is such a folder: the module syncs the file with every row, and that is not compared here.
  const accounts = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'tandem-same-job-'));
  const database = join(accounts, 'acc.sqlite');
  makeAccounts(database);
  const rtpengine = await startRtpengine();
  const kamailio = await startKamailioWith('kamailio-trunk.cfg', {
    CHILDREN: String(children),
    CARRIERS: carriers,
    DATABASE: database,
    RTPENGINE: String(rtpengine.port),
  });
  return {
    port: kamailio.port,
    cpuMs: () => kamailio.cpuMs() + rtpengine.cpuMs(),
    rows: () => countRows(database),
    stop: async () => {
      await Promise.all([kamailio.stop(), rtpengine.stop()]);
      for (const each of [folder, accounts]) rmSync(each, { recursive: true });
    },
  };
}

/** The tables that Kamailio's accounting wants, in a file with a journal like ours. */
function makeAccounts(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`
    pragma journal_mode = wal;
    create table version (table_name text primary key, table_version integer not null);
    insert into version values ('version', 1), ('acc', 5);
    create table acc (id integer primary key, method text, from_tag text, to_tag text, callid text, sip_code text,
      sip_reason text, time timestamp);
    create index acc_callid_idx on acc (callid);`);
  database.close();
}

function countRows(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const { rows } = database.prepare('select count(*) as rows from acc').get() as { rows: number };
  database.close();
  return rows;
}

/**
 * In user space, as our media are; a call's ports are free again at once. They are below those that the system gives out
 * (from 32768): rtpengine takes a port that another program listens at, and sooner or later that is Kamailio's.
 */
async function startRtpengine(): Promise<Server> {
  const port = await freePort();
  const args = ['--foreground', '--table=-1', '--interface=127.0.0.1', `--listen-ng=127.0.0.1:${port}`];
  const limits = ['--num-threads=1', '--port-min=10000', '--port-max=29999', '--delete-delay=0'];
  const quiet = ['--log-level=2', '--log-stderr'];
  const child = spawnOn('server', 'rtpengine', [...args, ...limits, ...quiet], { stdio: 'ignore' });
  await pause(1000);
  if (child.exitCode !== null) throw new Error('rtpengine does not start');
  return { port, cpuMs: () => cpuTimeMs(child.pid as number), stop: () => end(child) };
}
