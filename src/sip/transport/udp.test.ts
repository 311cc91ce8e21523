import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../../test/support/raw-peer.ts';
import { silentLog } from '../../lib/log.ts';
import type { Flow } from './transport.ts';
import { listenUdp } from './udp.ts';

async function socketOn(address: string, port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}

it('tells peers of one port apart by their addresses, and has one flow for what comes from the same', async () => {
  const heard: Flow[] = [];
  const receive = (_: string, flow: Flow): unknown => heard.push(flow);
  const transport = await listenUdp({ host: '127.0.0.1', port: 0, log: silentLog, receive });
  onTestFinished(() => transport.close());
  const one = await socketOn('127.0.0.2', 0);
  const { port } = one.address();
  const other = await socketOn('127.0.0.3', port);
  for (const from of [one, one, other, one]) {
    const count = heard.length;
    from.send('x', transport.local.port, '127.0.0.1');
    await until(() => heard.length > count, 'a datagram');
  }
  const peer = (address: string) => ({ transport: 'udp', address, port, local: '127.0.0.1' });
  expect(heard.map((flow) => flow.peer)).toEqual(
    ['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.2'].map(peer),
  );
  expect(heard[1]).toBe(heard[0]);
});
