import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startWebhookApp } from '../../../test/support/webhook-app.ts';
import { allowNetworks } from '../../lib/networks.ts';
import { createWebhookClient } from './client.ts';
import { parseOverrides } from './overrides.ts';

const DEFAULTS = { connectMs: 5000, readMs: 15_000, totalMs: 15_000, retries: 1, sni: true };

describe('the fragment of a URL', () => {
  it.each([
    ['', {}],
    ['section', {}],
    ['ct=1000&rt=5000&rp=ct,rt&rc=2&tt=10000&e=ashburn,umatilla&sni=n', null],
    ['ct=1&rt=1&tt=1&rc=-1', { connectMs: 100, readMs: 100, totalMs: 100 }],
    ['ct=99999&rt=99999&tt=99999&rc=99', { connectMs: 10_000, retries: 5 }],
    ['ct=soon&rc=&tt=1e3', {}],
  ])('%j says what it says, within limits', (fragment, expected) => {
    const parsed = parseOverrides(fragment);
    if (expected) expect(parsed).toEqual({ ...DEFAULTS, retryOn: new Set(['ct']), ...expected });
    else
      expect(parsed).toEqual({
        connectMs: 1000,
        readMs: 5000,
        totalMs: 10_000,
        retries: 2,
        sni: false,
        retryOn: new Set(['ct', 'rt']),
      });
  });

  it.each([
    ['rp=all', ['4xx', '5xx', 'ct', 'rt']],
    ['rp=4xx%2C5xx', ['4xx', '5xx']],
  ])('%s names what is tried again', (fragment, causes) => {
    expect(parseOverrides(fragment)).toMatchObject({ retryOn: new Set(causes) });
  });

  it.each([
    ['rp=3xx', 11243],
    ['rp=', 11243],
    ['e=ASHBURN!', 11240],
    ['e=', 11240],
    ['e=ashburn,atlantis', 11241],
    ['e=london-ix', 11242],
  ])('%s is refused', (fragment, code) => {
    expect(parseOverrides(fragment)).toMatchObject({ code });
  });
});

describe('a request is tried again', () => {
  const open: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });
  const client = createWebhookClient(allowNetworks('private'), 'Tandem/test');
  const send = (url: string) =>
    client.send({ url, method: 'POST', parameters: '', authToken: 't', idempotencyToken: 'one' });

  it.each([
    ['', [503], 1],
    ['#rp=5xx', [503, 204], 2],
    ['#rp=5xx&rc=0', [503], 1],
    ['#rp=5xx&rc=5', [503, 503, 503, 503, 503, 204], 6],
    ['#rp=5xx&rc=2', [404], 1],
    ['#rp=4xx&rc=2', [404, 429, 204], 3],
    ['#rp=all&rc=5', [404, 503, 204], 3],
  ])('with %j after answers of %j', async (fragment, statuses, count) => {
    const app = await startWebhookApp((_request, response) =>
      response.writeHead(statuses[app.requests.length - 1] ?? 500).end(),
    );
    open.push(() => app.close());
    const result = await send(app.url + fragment);
    expect(result.kind).toBe(statuses.at(-1) === 204 ? 'answer' : 'failure');
    expect(app.requests).toHaveLength(count);
    const tokens = app.requests.map(({ headers }) => headers['i-twilio-idempotency-token']);
    expect(new Set(tokens)).toEqual(new Set(['one']));
  });

  async function tcp(onSocket: (socket: Socket, count: number) => void) {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      sockets.push(socket);
      onSocket(socket, sockets.length);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port: (server.address() as AddressInfo).port, sockets };
  }

  it('where TLS was not made, by default', async () => {
    const { port, sockets } = await tcp((socket) => socket.destroy());
    expect((await send(`https://127.0.0.1:${port}/`)).kind).toBe('failure');
    expect(sockets).toHaveLength(2);
  });

  it('where no answer began, and never after part of one', async () => {
    const begins = await tcp((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<Re')),
    );
    await send(`http://127.0.0.1:${begins.port}/#rt=150&rp=all&rc=5`);
    expect(begins.sockets).toHaveLength(1);
    const silent = await tcp((socket, count) => {
      if (count === 3) socket.once('data', () => socket.end('HTTP/1.1 204 OK\r\n\r\n'));
    });
    const result = await send(`http://127.0.0.1:${silent.port}/#rt=150&rp=rt&rc=5`);
    expect([result.kind, silent.sockets.length]).toEqual(['answer', 3]);
  });

  it('until the total time is over', async () => {
    const silent = await tcp(() => {});
    const result = await send(`http://127.0.0.1:${silent.port}/#rt=150&tt=350&rp=rt&rc=5`);
    expect(result).toMatchObject({ kind: 'failure', code: 11203 });
  });
});
