import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what the system gives out, and below every range that an exchange, a carrier or a phone has by default. */
const FIRST = 6000;
const LAST = 10_999;
const PORTS = 200;

/**
 * 200 UDP ports that no other test has, in this run or another, until its process ends: who listens at the first one
 * over TCP has them.
 *
 * @throws {Error} when all are taken.
 */
export async function ownPorts(): Promise<{ readonly first: number; readonly last: number }> {
  for (let first = FIRST; first + PORTS - 1 <= LAST; first += PORTS)
    if (await claim(first)) return { first, last: first + PORTS - 1 };
  throw new Error(`all ports from ${FIRST} to ${LAST} are taken`);
}

async function claim(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1').unref();
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  }
}
