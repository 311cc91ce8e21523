// The floor of a relay on Node: connected sockets two by two, each datagram sent on as it came, and nothing known of it.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { OpenRequest, Target } from './messages.ts';

const HOST = '127.0.0.1';

export async function runBareRelay(): Promise<void> {
  let open: Socket[] = [];
  process.on('message', async ({ calls, nearPort, farPort }: OpenRequest) => {
    for (const socket of open) socket.close();
    const targets: Target[] = [];
    open = [];
    for (let call = 0; call < calls; call++) {
      const [near, far] = [await connected(nearPort), await connected(farPort)];
      near.on('message', (datagram) => far.send(datagram));
      far.on('message', (datagram) => near.send(datagram));
      open.push(near, far);
      targets.push({ side: 'near', port: near.address().port }, { side: 'far', port: far.address().port });
    }
    process.send?.(targets);
  });
  process.send?.('ready');
}

async function connected(port: number): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  socket.connect(port, HOST);
  await once(socket, 'connect');
  // A peer that is not there yet is no reason to stop.
  return socket.on('error', () => {});
}
