// The programs of others that these tests run: found, started, listened to, ended.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Whether a program is here. Without it its tests are skipped, which is said on the screen; in CI it must be here.
 * @throws {Error} in CI when it is not.
 */
export function isInstalled(program: string, packages: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    const how = `${program} is not installed (apt-get install ${packages})`;
    if (process.env.CI) throw new Error(how);
    console.warn(`${how}: its tests are SKIPPED`);
    return false;
  }
}

/** After that long a program that was told to end is ended. */
const PATIENCE_MS = 3000;

export interface Program {
  readonly pid: number;
  /** -1 when a signal ended it. */
  readonly exit: Promise<number>;
  /** What it printed. */
  output(): string;
  /** Resolves when `text` has been printed `times` times; rejects when it ends before. */
  said(text: string, times?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a program in a folder of its own, which is gone when it has ended. */
export function startProgram(command: string, args: (folder: string) => readonly string[]): Program {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-interop-'));
  const child: ChildProcess = spawn(command, args(folder), {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: what it starts itself can be ended with it.
    detached: true,
  });
  const waiting = new Set<() => void>();
  let printed = '';
  let isOver = false;
  const look = (): void => {
    for (const each of waiting) each();
  };
  const hear = (chunk: Buffer): void => {
    printed += chunk.toString('latin1');
    look();
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      isOver = true;
      rmSync(folder, { recursive: true, force: true });
      look();
      resolve(code ?? -1);
    });
  });
  return {
    pid: child.pid as number,
    exit,
    output: () => printed,
    said: (text, times = 1) =>
      new Promise((resolve, reject) => {
        const heard = (): void => {
          const isSaid = printed.split(text).length > times;
          if (!isSaid && !isOver) return;
          waiting.delete(heard);
          if (isSaid) resolve();
          else reject(new Error(`${command} ended before it said "${text}":\n${printed}`));
        };
        waiting.add(heard);
        heard();
      }),
    stop: async () => {
      if (!isOver) child.kill();
      const patience = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), PATIENCE_MS);
      await exit;
      clearTimeout(patience);
    },
  };
}

/** Outside the ranges that the system gives out and that RTP has: nobody takes one between its choice and its use. */
const FIRST_PORT = 30_000;
const PAIRS_OF_PORTS = 1380;
/** Each of the test processes that run at once has ports of its own; its next test file begins at others. */
const PROCESSES = 8;
const OWN_PAIRS = Math.floor(PAIRS_OF_PORTS / PROCESSES);
const FIRST_PAIR = (Number(process.env.VITEST_POOL_ID ?? 1) % PROCESSES) * OWN_PAIRS;
let pair = Math.floor(Math.random() * OWN_PAIRS);

/** A port of 127.0.0.1 that is free for UDP and TCP, and so is the next one. */
export function freePort(): number {
  for (;;) {
    pair = (pair + 1) % OWN_PAIRS;
    const port = FIRST_PORT + 2 * (FIRST_PAIR + pair);
    if (isFree(port) && isFree(port + 1)) return port;
  }
}

/** Waits until somebody listens at the port. To try it by taking it would be to take it away from them. */
export async function bound(port: number, transport: 'udp' | 'tcp'): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (
      listed(port, transport).some(({ state }) => state === (transport === 'tcp' ? LISTENING : UNCONNECTED))
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nobody listens on port ${port}`);
}

/** As the system's lists of sockets write it. */
const LISTENING = '0A';
const UNCONNECTED = '07';

/** The sockets of this port, connections that have just ended among them. */
function listed(port: number, transport: 'udp' | 'tcp'): readonly { readonly state: string }[] {
  const name = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync(`/proc/net/${transport}`, 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/ +/))
    .filter(([, local]) => local?.endsWith(name))
    .map(([, , , state = '']) => ({ state }));
}

/** Other programs do not share a port with connections that have just ended, as Node does. */
const isFree = (port: number): boolean =>
  listed(port, 'udp').length === 0 && listed(port, 'tcp').length === 0;
