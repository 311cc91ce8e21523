// A way to a test's PostgreSQL database that can be cut: what a server that goes away looks like.
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TestDatabase } from './test-database.ts';

/** `cut` ends every connection and refuses new ones until `mend`. */
export async function cuttable(database: TestDatabase) {
  const target = new URL(database.database ?? '');
  const sockets = new Set<Socket>();
  let isOpen = true;
  const server = createServer((near) => {
    if (!isOpen) return void near.destroy();
    const far = connectSocket(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {}).on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const way = new URL(target);
  way.port = String(typeof address === 'object' && address?.port);
  const cut = () => {
    isOpen = false;
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  return { database: { ...database, database: way.href }, cut, mend: () => void (isOpen = true) };
}
