// Runs SIPp, the SIP load tester, as one side of a call. CI installs it; locally a missing one is said on the screen.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasSipp = (() => {
  try {
    execFileSync('sipp', ['-v'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // `sipp -v` prints its version and exits 99.
    return (error as { status?: number }).status === 99;
  }
})();

if (!hasSipp) {
  if (process.env.CI) throw new Error('sipp is missing: apt-get install sip-tester');
  console.warn('SIPp is not installed (apt-get install sip-tester): its tests are skipped');
}

export interface Sipp {
  readonly port: number;
  /** SIPp's exit code: 0 when every call went as its scenario says. */
  readonly exit: Promise<number>;
  /** What it printed. */
  output(): string;
  stop(): void;
}

/**
 * Starts SIPp on a free port of 127.0.0.1; `args` name the scenario and how many calls to wait for (`-m`).
 * @param listens as the transport of `args`; nowhere when it only calls.
 */
export async function startSipp(
  args: readonly string[],
  listens: 'udp' | 'tcp' | 'nowhere' = 'udp',
): Promise<Sipp> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-sipp-'));
  const common = ['-i', '127.0.0.1', '-p', String(port), '-nostdin', '-timeout', '30s', '-timeout_error'];
  const child: ChildProcess = spawn('sipp', [...args, ...common], { cwd: folder });
  let printed = '';
  child.stdout?.on('data', (chunk) => (printed += chunk));
  child.stderr?.on('data', (chunk) => (printed += chunk));
  const exit = new Promise<number>((resolve) =>
    child.once('exit', (code) => {
      rmSync(folder, { recursive: true });
      resolve(code ?? -1);
    }),
  );
  if (listens !== 'nowhere') await bound(port, listens);
  return { port, exit, output: () => printed, stop: () => void child.kill() };
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

/** Waits until the port is taken, that is, until SIPp listens. */
async function bound(port: number, transport: 'udp' | 'tcp'): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (!(await (transport === 'udp' ? isFreeUdp(port) : isFreeTcp(port)))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`SIPp does not listen on port ${port}`);
}

const isFreeUdp = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4').once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });

const isFreeTcp = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
