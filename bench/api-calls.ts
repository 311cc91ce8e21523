// CPU per 1000 API-placed calls (`<Hangup/>`, four signed callbacks) beside the floor, interleaved, median of five.
// CPU time of all threads, user and system. The floor (call-floor.ts) does the same necessary work, durable rows in the
// same schema included: what is above it is what the exchange adds, not what fastify, SQLite and undici cost anybody.
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startCallPeers } from './call-peers.ts';
import { cpuTimeMs, median } from './cpu-time.ts';

const ROUNDS = 5;
const LOAD = { count: 1000, parallel: 20 };
const ACCOUNT = { sid: `AC${'0'.repeat(32)}`, token: 'a-token-for-the-benchmark' };
const authorization = `Basic ${Buffer.from(`${ACCOUNT.sid}:${ACCOUNT.token}`).toString('base64')}`;

/** Starts a program that prints a ready line with its HTTP address. */
async function start(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = await lines[Symbol.asyncIterator]()
    .next()
    .then(({ value }) => [String(value)]);
  const stopped = new Promise((resolve) => child.once('exit', resolve));
  return {
    pid: child.pid as number,
    url: (JSON.parse(line as string) as { http: string }).http,
    stop: () => {
      child.kill('SIGTERM');
      return stopped;
    },
  };
}

async function makeTrunk(url: string, target: string): Promise<string> {
  const post = async (path: string, form: Readonly<Record<string, string>>): Promise<string> => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams(form),
    });
    return ((await response.json()) as { sid: string }).sid;
  };
  const policy = await post('/v1/ConnectionPolicies', {});
  await post(`/v1/ConnectionPolicies/${policy}/Targets`, { Target: target });
  return post('/v1/ByocTrunks', { ConnectionPolicySid: policy });
}

function orderFor(byoc: string, callbackUrl: string): string {
  const form = new URLSearchParams({
    To: '+15550000001',
    From: '+15550009999',
    Byoc: byoc,
    Twiml: '<Response><Hangup/></Response>',
    StatusCallback: callbackUrl,
  });
  for (const event of ['initiated', 'ringing', 'answered', 'completed'])
    form.append('StatusCallbackEvent', event);
  return form.toString();
}

/** CPU seconds per 1000 calls of us and of the floor, and the median of their ratios. */
export async function measure(): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  const peers = await startCallPeers();
  const serve = () =>
    start([join(import.meta.dirname, '../src/main.ts'), 'serve'], {
      TANDEM_DATA: folder,
      TANDEM_HTTP_PORT: '0',
      TANDEM_SIP_PORT: '0',
      TANDEM_RTP_PORTS: '10000-60000',
      TANDEM_ACCOUNT_SID: ACCOUNT.sid,
      TANDEM_AUTH_TOKEN: ACCOUNT.token,
      TANDEM_LOG_LEVEL: 'error',
    });
  const first = await serve();
  const form = orderFor(await makeTrunk(first.url, `sip:127.0.0.1:${peers.sipPort}`), peers.callbackUrl);
  const api = { authorization, path: `/2010-04-01/Accounts/${ACCOUNT.sid}/Calls.json`, form };
  // One call, whose rows are the floor's template.
  await peers.run({ ...api, url: first.url }, { count: 1, parallel: 1 });
  await first.stop();
  const database = join(folder, 'floor.sqlite');
  copyFileSync(join(folder, 'tandem.sqlite'), database);
  const floor = await start(
    [join(import.meta.dirname, 'call-floor.ts'), String(peers.sipPort), peers.callbackUrl, database],
    {},
  );
  const tandem = await serve();
  const ours = { ...api, url: tandem.url };
  const theirs = { ...ours, url: floor.url, path: '/calls' };
  const cost = async (process: { pid: number }, api: typeof ours): Promise<number> => {
    const before = cpuTimeMs(process.pid);
    await peers.run(api, LOAD);
    return (cpuTimeMs(process.pid) - before) / LOAD.count;
  };
  await cost(tandem, ours);
  await cost(floor, theirs);
  const rounds: { readonly ours: number; readonly floor: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ floor: await cost(floor, theirs), ours: await cost(tandem, ours) });
  }
  await Promise.all([tandem.stop(), floor.stop(), peers.close()]);
  rmSync(folder, { recursive: true });
  return {
    cpuSecondsPer1000Calls: median(rounds.map((round) => round.ours)),
    floorCpuSecondsPer1000Calls: median(rounds.map((round) => round.floor)),
    ratio: Number(median(rounds.map((round) => round.ours / round.floor)).toFixed(2)),
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure())}\n`);
