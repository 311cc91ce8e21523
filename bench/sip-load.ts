// What the SIP benchmarks run: SIPp on both sides, Kamailio as the yardstick, our own program; and what a run cost.
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { cpuTimeMs } from './cpu-time.ts';

const SCENARIOS = join(import.meta.dirname, 'scenarios');
/** The server has one CPU to itself, both SIPps another: they would cost each other packets. */
const CPU = { server: '1', load: '0' } as const;
const hasTwo = availableParallelism() >= 2;
/** What is started from here on is. */
let isPinned = hasTwo;

/** Whether server and load have a CPU each, or share all there are. */
export function pinCpus(wanted: boolean): void {
  isPinned = wanted && hasTwo;
}

/** What is still on its way when SIPp has counted its last call. */
const SETTLE_MS = 300;

export interface Server {
  readonly port: number;
  /** CPU milliseconds of all its processes so far. */
  cpuMs(): number;
  stop(): Promise<void>;
}

export interface Load {
  readonly calls: number;
  /** Calls begun in a second. */
  readonly rate: number;
  readonly holdMs: number;
  /** The caller's scenario; `caller` without it. */
  readonly scenario?: string;
  /** Who is called; any number without it. */
  readonly number?: string;
}

export interface Cost {
  readonly cpuSecondsPer1000Calls: number;
  /** Calls begun in a second, in truth: SIPp falls behind where it has too little CPU. */
  readonly rate: number;
  readonly failed: number;
  /** Of both SIPps: more than a few say that the machine was too busy for the rate. */
  readonly retransmissions: number;
}

/** Which of the programs are not here, as one sentence; undefined when all are. */
export function missing(programs: readonly string[]): string | undefined {
  const absent = programs.filter((program) => {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  return absent.length ? `not installed: ${absent.join(', ')}` : undefined;
}

/** What runs is ended with this process, however that ends itself. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

export function spawnOn(
  cpu: keyof typeof CPU,
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  // `taskset` becomes the command: the pid is the command's own.
  const child = isPinned
    ? spawn('taskset', ['-c', CPU[cpu], command, ...args], options)
    : spawn(command, args, options);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** A program of ours; it prints `{"port": …}` once it listens. */
export async function startOurs(program: string, args: readonly string[]): Promise<Server> {
  const child = spawnOn('server', process.execPath, [join(import.meta.dirname, program), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout as Readable });
  const line: unknown = (await lines[Symbol.asyncIterator]().next()).value;
  const { port } = JSON.parse(String(line)) as { port: number };
  return { port, cpuMs: () => cpuTimeMs(child.pid as number), stop: () => end(child) };
}

/** The proxy of `sip-calls.ts`: every call goes on to one callee. */
export const startKamailio = (calleePort: number): Promise<Server> =>
  startKamailioWith('kamailio.cfg', { CALLEE: String(calleePort), CHILDREN: '2' });

/** Kamailio with a configuration of `scenarios`, in which each key, and PORT, is replaced by its value. */
export async function startKamailioWith(
  config: string,
  values: Readonly<Record<string, string>>,
): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-kamailio-'));
  const port = await freePort();
  const file = join(folder, 'kamailio.cfg');
  const text = readFileSync(join(SCENARIOS, config), 'utf8');
  const replaced = Object.entries({ PORT: String(port), ...values });
  writeFileSync(
    file,
    replaced.reduce((all, [key, value]) => all.replaceAll(key, value), text),
  );
  const args = ['-f', file, '-Y', folder, '-DD', '-E', '-m', '256', '-M', '8'];
  const child = spawnOn('server', 'kamailio', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let printed = '';
  child.stderr?.on('data', (chunk) => (printed += chunk));
  await answering(port, () => {
    if (child.exitCode !== null) throw new Error(`Kamailio does not start: ${printed}`);
  });
  const pid = child.pid as number;
  return {
    port,
    cpuMs: () => [pid, ...childrenOf(pid)].reduce((sum, each) => sum + cpuTimeMs(each), 0),
    stop: async () => {
      await end(child);
      rmSync(folder, { recursive: true });
    },
  };
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** Waits until something at the port answers OPTIONS, whatever it says. */
async function answering(port: number, check: () => void): Promise<void> {
  const socket = createSocket('udp4');
  const answers: Buffer[] = [];
  socket.on('message', (answer) => answers.push(answer));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const sentBy = `127.0.0.1:${socket.address().port}`;
  const options = [
    `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP ${sentBy};branch=z9hG4bKup`,
    'From: <sip:bench@127.0.0.1>;tag=1',
    'To: <sip:127.0.0.1>',
    'Call-ID: up',
    'CSeq: 1 OPTIONS',
    `Contact: <sip:${sentBy}>`,
    'Max-Forwards: 5',
    'Content-Length: 0',
  ];
  for (let tries = 0; tries < 100 && answers.length === 0; tries++) {
    check();
    socket.send(`${options.join('\r\n')}\r\n\r\n`, port, '127.0.0.1');
    await pause(100);
  }
  socket.close();
  if (answers.length === 0) throw new Error(`nothing answers at port ${port}`);
}

interface Sipp {
  readonly child: ChildProcess;
  readonly port: number;
  readonly exited: Promise<unknown>;
  /** The last line of its statistics, by column. */
  count(column: string): number;
}

async function startSipp(scenario: string, args: readonly string[], folder: string): Promise<Sipp> {
  const port = await freePort();
  const statistics = join(folder, `${scenario}-${port}.csv`);
  const options = {
    '-sf': join(SCENARIOS, `${scenario}.xml`),
    '-i': '127.0.0.1',
    '-p': port,
    '-stf': statistics,
    '-fd': 1,
    '-buff_size': 4 << 20,
  };
  const fixed = Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
  const child = spawnOn('load', 'sipp', [...args, ...fixed, '-nostdin', '-trace_stat'], {
    cwd: folder,
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  return { child, port, exited, count: (column) => lastOf(statistics, column) };
}

function lastOf(file: string, column: string): number {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const at = lines[0]?.split(';').indexOf(column) ?? -1;
  return Number(lines.at(-1)?.split(';')[at] ?? Number.NaN);
}

/** The callee of every call, by its scenario, and what it takes to run calls to it through a server. */
export async function startCallee(scenario = 'callee') {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-sip-load-'));
  const callee = await startSipp(scenario, [], folder);
  await pause(500);
  return {
    port: callee.port,
    run: (server: Server, load: Load): Promise<Cost> => run(load.scenario ?? 'caller', server, load, folder),
    stop: async () => {
      callee.child.kill('SIGKILL');
      await callee.exited;
      rmSync(folder, { recursive: true });
    },
  };
}

/** Runs one side's scenario, which needs no other side, against a server. */
export async function runAlone(scenario: string, server: Server, load: Load): Promise<Cost> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-sip-load-'));
  try {
    return await run(scenario, server, load, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(scenario: string, server: Server, load: Load, folder: string): Promise<Cost> {
  const { calls, rate, holdMs, number = '+15550001234' } = load;
  const before = server.cpuMs();
  const atOnce = Math.ceil(rate * (holdMs / 1000 + 4));
  const options = {
    '-s': number,
    '-m': calls,
    '-r': rate,
    '-d': holdMs,
    '-l': atOnce,
    '-recv_timeout': 20_000,
    '-timeout': 120,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
  const caller = await startSipp(scenario, [`127.0.0.1:${server.port}`, ...args, '-timeout_error'], folder);
  await caller.exited;
  await pause(SETTLE_MS);
  const used = server.cpuMs() - before;
  const talkedS = calls / caller.count('CallRate(C)') - holdMs / 1000;
  return {
    cpuSecondsPer1000Calls: used / calls,
    rate: calls / talkedS,
    failed: calls - caller.count('SuccessfulCall(C)'),
    retransmissions: caller.count('Retransmissions(C)'),
  };
}
