// Apps that close connections which are idle, and do it just as a request comes.
import type { Server, Socket } from 'node:net';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { certificateFor } from '../../../test/support/certificates.ts';
import { allowNetworks } from '../../lib/networks.ts';
import { createWebhookClient } from './client.ts';

const own = certificateFor('127.0.0.1');
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** What becomes of each request of a connection, by the number of the connection: an answer, or an end without one. */
type Fate = 'answer' | 'ends' | 'resets' | 'begins' | 'hangs';

async function app(
  fates: readonly (readonly Fate[])[],
  scheme = 'http',
): Promise<{ readonly url: string; readonly connections: string[][] }> {
  const connections: string[][] = [];
  const sockets = new Set<Socket>();
  const onSocket = (socket: Socket): void => {
    const requests: string[] = [];
    const left = [...(fates[connections.length] ?? [])];
    connections.push(requests);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      requests.push(String(data));
      const fate = left.shift();
      if (fate === 'answer') socket.write(ANSWER);
      if (fate === 'ends') socket.end();
      if (fate === 'resets') socket.destroy();
      if (fate === 'begins') socket.end('HTTP/1.1 2');
    });
  };
  const server: Server = scheme === 'https' ? createTlsServer(own, onSocket) : createTcpServer(onSocket);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`, connections };
}

/** Sends a request for each token, one after the other; what became of the last. */
async function last(
  url: string,
  ...tokens: string[]
): Promise<{ readonly kind: string; readonly code?: number }> {
  const client = createWebhookClient(allowNetworks('private'), 'Tandem/test', { ca: own.cert });
  open.push(() => client.close());
  let result = { kind: 'none' };
  for (const idempotencyToken of tokens) {
    // A connection is idle once the loop has turned.
    await new Promise((resolve) => setImmediate(resolve));
    const parameters = 'CallSid=CA1';
    result = await client.send({ url, method: 'POST', parameters, authToken: 't', idempotencyToken });
  }
  return result;
}

const second = (url: string) => last(url, 'first', 'second');

const tokens = (requests: readonly string[] = []): (string | undefined)[] =>
  requests.map((request) => /^i-twilio-idempotency-token: (.*)\r$/im.exec(request)?.[1]);

describe('a connection that is closed as a request comes', () => {
  it.each([
    ['by its end', 'http', 'ends', ''],
    ['by a reset', 'http', 'resets', ''],
    ['over TLS', 'https', 'resets', ''],
    ['whatever is to be tried again', 'http', 'resets', '#rc=0'],
  ] as const)('%s: the request goes over a new one, with its token', async (_how, scheme, fate, fragment) => {
    const { url, connections } = await app([['answer', fate], ['answer']], scheme);
    expect(await second(url + fragment)).toMatchObject({ kind: 'answer' });
    expect(connections.map(tokens)).toEqual([['first', 'second'], ['second']]);
    expect(connections[1]?.[0]).toBe(
      connections[0]?.[1]?.replace('connection: keep-alive', 'connection: close'),
    );
  });

  it('that was new is no reason to try again', async () => {
    const { url, connections } = await app([['ends'], ['answer']]);
    expect(await last(url, 'first')).toMatchObject({ kind: 'failure', code: 11200 });
    expect(connections).toHaveLength(1);
  });

  it('is no reason for a third try', async () => {
    const { url, connections } = await app([['answer', 'ends'], ['ends'], ['answer']]);
    expect(await second(url)).toMatchObject({ kind: 'failure', code: 11200 });
    expect(connections.map(tokens)).toEqual([['first', 'second'], ['second']]);
  });

  it('after part of an answer is no reason at all', async () => {
    const { url, connections } = await app([['answer', 'begins'], ['answer']]);
    expect(await second(url)).toMatchObject({ kind: 'failure', code: 11200 });
    expect(connections).toHaveLength(1);
  });

  it('nor is one that stays open in silence', async () => {
    const { url, connections } = await app([['answer', 'hangs'], ['answer']]);
    expect(await second(`${url}#rt=200`)).toMatchObject({ kind: 'failure', code: 11200 });
    expect(connections).toHaveLength(1);
  });
});
