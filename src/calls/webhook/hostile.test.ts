// Web servers that do what no web server should, and name servers that lie: each has its code, and none does harm.
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { certificateFor } from '../../../test/support/certificates.ts';
import { startWebhookApp, type WebhookApp } from '../../../test/support/webhook-app.ts';
import { allowNetworks, type Networks } from '../../lib/networks.ts';
import { seededRandom } from '../../lib/random.ts';
import { selfSignedCertificate } from '../../lib/self-signed-certificate.ts';
import { createWebhookClient, type WebhookClientOptions } from './client.ts';
import type { WebhookRequest } from './request.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

function client(options: WebhookClientOptions = {}, networks: Networks = allowNetworks('private')) {
  const made = createWebhookClient(networks, 'Tandem/test', options);
  open.push(() => made.close());
  return made;
}

const request = (url: string, rest: Partial<WebhookRequest> = {}): WebhookRequest => ({
  url,
  method: 'POST',
  parameters: 'CallSid=CA1',
  authToken: 'token',
  idempotencyToken: 'once',
  ...rest,
});

async function app(answer: (path: string, response: ServerResponse) => void): Promise<WebhookApp> {
  const started = await startWebhookApp((received, response) => answer(received.path, response));
  open.push(() => started.close());
  return started;
}

/** Whatever `onSocket` does to each connection. */
async function tcpServer(onSocket: (socket: Socket, count: number) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket, sockets.size);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Sends `text` when the request has come, and then nothing, or the end. */
const says = (text: string, then: 'hangs' | 'ends' | 'resets') =>
  tcpServer((socket) => {
    socket.once('data', () => {
      socket.write(text);
      if (then === 'ends') socket.end();
      if (then === 'resets') setImmediate(() => socket.resetAndDestroy());
    });
  });

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n';

describe('a server that hangs', () => {
  it.each([
    ['before its answer', '', '#tt=200', 11203],
    ['before its answer, by the read time-out', '', '#rt=200', 11200],
    ['within its header', HEAD, '#rt=200', 11200],
    ['within its body', `${HEAD}Content-Length: 50\r\n\r\n<Resp`, '#rt=200', 11200],
    ['within a chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\n50\r\n<Resp`, '#tt=200', 11203],
  ])('%s', async (_name, text, fragment, code) => {
    const url = await says(text, 'hangs');
    expect(await client().send(request(url + fragment))).toMatchObject({ kind: 'failure', code });
  });

  it('with TLS under way', async () => {
    const url = await tcpServer(() => {});
    const result = await client().send(request(`${url.replace('http:', 'https:')}#ct=200&rc=0`));
    expect(result).toMatchObject({ kind: 'failure', code: 11201 });
  });

  it('sends a byte now and then for ever', async () => {
    const url = await tcpServer((socket) => {
      socket.once('data', () => socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`));
      const timer = setInterval(() => socket.write('1\r\nx\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await client().send(request(`${url}#tt=400&rt=300`))).toMatchObject({ code: 11203 });
  });

  it('keeps no other account waiting, nor another host', async () => {
    let held = 0;
    const { url, requests } = await app((path, response) => {
      if (path === '/hangs') held += 1;
      else response.end('here');
    });
    const sender = client();
    const hanging = Array.from({ length: 80 }, () => sender.send(request(`${url}/hangs#tt=15000`)));
    await expect.poll(() => held).toBe(64);
    expect(await sender.send(request(`${url}/`, { authToken: 'another' }))).toMatchObject({ kind: 'answer' });
    const elsewhere = url.replace('127.0.0.1', '127.0.0.1.').replace('127.0.0.1.', 'localhost');
    expect(await sender.send(request(`${elsewhere}/`))).toMatchObject({ kind: 'answer' });
    expect(requests.filter(({ path }) => path === '/hangs')).toHaveLength(64);
    await sender.close();
    await Promise.all(hanging);
  });
});

describe('a server that breaks off', () => {
  it.each([
    ['at once', '', 'ends', 11200],
    ['by a reset', '', 'resets', 11200],
    ['within its header', HEAD, 'ends', 11200],
    ['within its body', `${HEAD}Content-Length: 50\r\n\r\n<Resp`, 'ends', 11200],
    ['within its body, by a reset', `${HEAD}Content-Length: 50\r\n\r\n<Resp`, 'resets', 11200],
    ['within a chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\n50\r\n<Resp`, 'ends', 11200],
    ['and speaks no HTTP', 'I am no web server\r\n\r\n', 'ends', 11206],
    ['and contradicts itself', `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`, 'ends', 11206],
    ['after endless headers', `${HEAD}X: ${'x'.repeat(40_000)}\r\n`, 'ends', 11206],
  ] as const)('%s', async (_name, text, then, code) => {
    const url = await says(text, then);
    expect(await client().send(request(url))).toMatchObject({ kind: 'failure', code });
  });
});

describe('an answer', () => {
  it('of endless bytes is cut off, and kept where it is an acknowledgement', async () => {
    const { url } = await app((_path, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        response.once('drain', write);
      };
      response.on('error', () => {});
      write();
    });
    expect(await client().send(request(url))).toMatchObject({ code: 11750 });
    expect(await client().send(request(url, { wanted: 'audio' }))).toMatchObject({ code: 11751 });
    const taken = await client().send(request(url, { wanted: 'acknowledgement' }));
    expect(taken).toMatchObject({ kind: 'answer', body: { length: 4096 } });
  });

  it('that is chunked and empty is none for a document', async () => {
    const { url } = await app((_path, response) => {
      response.flushHeaders();
      response.end();
    });
    expect(await client().send(request(url))).toMatchObject({ code: 11770 });
    expect(await client().send(request(url, { wanted: 'acknowledgement' }))).toMatchObject({
      kind: 'answer',
    });
  });
});

describe('redirects', () => {
  it.each([
    [301, 'GET', {}],
    [302, 'GET', {}],
    [303, 'GET', {}],
    [307, 'POST', { CallSid: 'CA1' }],
    [308, 'POST', { CallSid: 'CA1' }],
  ])('of %i go on with %s', async (status, method, parameters) => {
    const { url, requests } = await app((path, response) =>
      path === '/end?x=1'
        ? response.end('there')
        : response.writeHead(status, { location: 'end?x=1#rc=5' }).end('gone'),
    );
    expect(await client().send(request(`${url}/start`))).toMatchObject({ body: Buffer.from('there') });
    expect(requests[1]).toMatchObject({ method, path: '/end?x=1' });
    if (method === 'POST') expect(requests[1]?.parameters).toEqual(parameters);
  });

  it('are followed ten times', async () => {
    const { url, requests } = await app((path, response) => {
      const count = Number(path.slice(1));
      if (count === 0) response.end();
      else response.writeHead(302, { location: `/${count - 1}` }).end();
    });
    expect(await client().send(request(`${url}/10`))).toMatchObject({ kind: 'answer' });
    expect(requests).toHaveLength(11);
    expect(await client().send(request(`${url}/11`))).toMatchObject({ kind: 'failure', code: 11215 });
    expect(requests).toHaveLength(22);
  });

  it.each(['', 'http://', 'ftp://127.0.0.1/', 'file:///etc/passwd', 'javascript:1'])(
    'to %j lead nowhere',
    async (location) => {
      const { url } = await app((_path, response) => response.writeHead(302, { location }).end());
      expect(await client().send(request(url))).toMatchObject({ kind: 'failure', code: 11216 });
    },
  );

  it.each(['http://127.0.0.2:1/', 'http://[::1]:1/', 'http://inside.example:1/', 'http://169.254.169.254/'])(
    'to %s stop at the network guard',
    async (location) => {
      const { url } = await app((_path, response) => response.writeHead(307, { location }).end());
      const guarded = client(
        { lookup: (_name, done) => done(null, [{ address: '10.0.0.1', family: 4 }]) },
        allowNetworks(['127.0.0.1/32']),
      );
      expect(await guarded.send(request(url))).toMatchObject({
        kind: 'failure',
        code: 11205,
        message: expect.stringContaining('TANDEM_ALLOW_NETS'),
      });
    },
  );

  it('to another server take no password along', async () => {
    const other = await app((_path, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="theirs"' }).end(),
    );
    const { url } = await app((_path, response) =>
      response.writeHead(307, { location: other.url, 'set-cookie': 'secret=1' }).end(),
    );
    await client().send(request(url.replace('//', '//user:password@')));
    expect(other.requests).toHaveLength(1);
    expect(other.requests[0]?.headers.authorization).toBeUndefined();
  });
});

describe('names', () => {
  it('that change their address between two looks are judged by the one that is dialled', async () => {
    const { url, requests } = await app((_path, response) => response.end());
    const answers = ['127.0.0.9', '127.0.0.1'];
    let looks = 0;
    const guarded = client(
      {
        lookup: (_name, done) =>
          done(null, [{ address: answers[Math.min(looks++, 1)] as string, family: 4 }]),
      },
      { allows: (address) => address === '127.0.0.9' },
    );
    const target = `http://rebinds.example:${new URL(url).port}/#ct=150&rc=5`;
    const result = await guarded.send(request(target));
    expect(result).toMatchObject({ kind: 'failure', message: expect.stringContaining('TANDEM_ALLOW_NETS') });
    expect([looks, requests.length]).toEqual([2, 0]);
  });

  it('with one allowed address among others use that one', async () => {
    const { url } = await app((_path, response) => response.end());
    const addresses = ['10.0.0.1', '127.0.0.1'].map((address) => ({ address, family: 4 }));
    const sender = client({ lookup: (_name, done) => done(null, addresses) }, allowNetworks(['127.0.0.0/8']));
    const target = `http://mixed.example:${new URL(url).port}/`;
    expect(await sender.send(request(target))).toMatchObject({ kind: 'answer' });
  });

  it('that nobody knows, and those that take for ever', async () => {
    const none = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const unknown = client({ lookup: (_name, done) => done(none, []) });
    expect(await unknown.send(request('http://nowhere.example/'))).toMatchObject({ code: 11210 });
    const hangs = client({ lookup: () => {} });
    expect(await hangs.send(request('http://slow.example/#ct=100&rc=0'))).toMatchObject({ code: 11201 });
    // The time for everything does not wait for that of the connection.
    expect(await hangs.send(request('http://slow.example/#ct=10000&tt=100'))).toMatchObject({ code: 11203 });
  });
});

describe('a certificate', () => {
  const good = certificateFor('app.example');
  const old = selfSignedCertificate({
    names: ['app.example'],
    fromMs: Date.UTC(2000, 0, 1),
    toMs: Date.UTC(2001, 0, 1),
    random: seededRandom(1),
  });
  const lookup: WebhookClientOptions['lookup'] = (_name, done) =>
    done(null, [{ address: '127.0.0.1', family: 4 }]);

  async function secure(own: { cert: string; key: string }): Promise<{ port: number; names: unknown[] }> {
    const names: unknown[] = [];
    const server = createSecureServer(own, (received, response) => {
      names.push((received.socket as Socket & { servername?: unknown }).servername);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return { port: (server.address() as AddressInfo).port, names };
  }

  it.each([
    ['of another name', good, good.cert, 'other.example', 11235],
    ['that has expired', old, old.cert, 'app.example', 11236],
    ['that nobody vouches for', good, undefined, 'app.example', 11237],
  ])('%s is refused', async (...[, own, ca, host, code]) => {
    const { port, names } = await secure(own);
    for (const sni of ['y', 'n']) {
      const sender = client({ lookup, ...(ca && { ca }) });
      const result = await sender.send(request(`https://${host}:${port}/#sni=${sni}`));
      expect(result, sni).toMatchObject({ kind: 'failure', code });
    }
    expect(names).toEqual([]);
  });

  it('that is right is taken, the name told or not', async () => {
    const { port, names } = await secure(good);
    const sender = client({ lookup, ca: good.cert });
    for (const sni of ['y', 'n'])
      expect(await sender.send(request(`https://app.example:${port}/#sni=${sni}`))).toMatchObject({
        kind: 'answer',
      });
    expect(names).toEqual(['app.example', false]);
  });

  it('is wanted where none is: a server that speaks no TLS', async () => {
    const server = createServer((_request, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const result = await client({ lookup }).send(request(`https://app.example:${port}/`));
    expect(result).toMatchObject({ kind: 'failure', code: 11220 });
  });
});
