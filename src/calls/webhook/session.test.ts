import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startWebhookApp, type WebhookApp } from '../../../test/support/webhook-app.ts';
import { allowNetworks } from '../../lib/networks.ts';
import { seededRandom } from '../../lib/random.ts';
import { createWebhookClient } from './client.ts';
import type { WebhookRequest } from './request.ts';

const client = createWebhookClient(allowNetworks('private'), 'Tandem/test', {
  random: seededRandom(1),
  lookup: (_name, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
});
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const request = (url: string, rest: Partial<WebhookRequest> = {}): WebhookRequest => ({
  url,
  method: 'POST',
  parameters: 'CallSid=CA1',
  authToken: 'token',
  idempotencyToken: '0123456789abcdef0123456789abcdef',
  ...rest,
});

/** Answers by headers and status; the number of the request counts from 0. */
async function app(
  answer: (count: number, headers: WebhookApp['requests'][number]['headers']) => [number, object?],
): Promise<WebhookApp> {
  let count = 0;
  const started = await startWebhookApp(({ headers }, response) => {
    const [status, more = {}] = answer(count++, headers);
    response.writeHead(status, more as Record<string, string[]>).end();
  });
  open.push(() => started.close());
  return started;
}

const cookiesOf = ({ requests }: WebhookApp) => requests.map(({ headers }) => headers.cookie);

describe('cookies', () => {
  it('are told again on every request of the session, and of no other', async () => {
    const web = await app((count) => [
      204,
      count === 0 ? { 'set-cookie': ['a=1; HttpOnly', 'b=2; Path=/voice', 'c=3; Max-Age=0'] } : {},
    ]);
    const session = client.session();
    await session.send(request(`${web.url}/voice`));
    await session.send(request(`${web.url}/voice/next`));
    await session.send(request(`${web.url}/other`));
    await client.session().send(request(`${web.url}/voice`));
    expect(cookiesOf(web)).toEqual([undefined, 'b=2; a=1', 'a=1', undefined]);
  });

  it('are kept over a redirect, changed, and taken back', async () => {
    const web = await app(
      (count) =>
        [
          [307, { location: '/b', 'set-cookie': 'a=1; Path=/' }],
          [204, { 'set-cookie': 'a=2; Path=/' }],
          [204, { 'set-cookie': 'a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT' }],
          [204],
        ][count] as [number, object?],
    );
    const session = client.session();
    for (let count = 0; count < 3; count++) await session.send(request(web.url));
    expect(cookiesOf(web)).toEqual([undefined, 'a=1', 'a=2', undefined]);
  });

  it('go to no other host, nor in clear where they are secure, nor to all of a top level', async () => {
    const web = await app((count) => [
      204,
      count > 0
        ? {}
        : {
            'set-cookie': ['own=1', 'wide=1; Domain=app.example', 'tld=1; Domain=example', 'tls=1; Secure'],
          },
    ]);
    const { port } = new URL(web.url);
    const session = client.session();
    for (const host of ['a.app.example', 'a.app.example', 'b.app.example', 'evil-app.example'])
      await session.send(request(`http://${host}:${port}/`));
    expect(cookiesOf(web)).toEqual([undefined, 'own=1; wide=1', 'wide=1', undefined]);
  });

  it('are kept up to a bound', async () => {
    const many = Array.from({ length: 300 }, (_, index) => `c${index}=${'x'.repeat(20)}`);
    const web = await app(() => [204, { 'set-cookie': [...many, `big=${'x'.repeat(5000)}`] }]);
    const session = client.session();
    for (let count = 0; count < 2; count++) await session.send(request(web.url));
    expect(cookiesOf(web)[1]?.split('; ')).toHaveLength(50);
  });
});

describe('credentials in the URL', () => {
  const withUser = (url: string) => url.replace('//', '//us%40er:pa%3Ass@');
  const basic = `Basic ${Buffer.from('us@er:pa:ss').toString('base64')}`;
  const asks = { 'www-authenticate': 'Basic realm="app"' };

  it('are sent once they are asked for, and from then on unasked', async () => {
    const web = await app((_count, { authorization }) => (authorization ? [204] : [401, asks]));
    const session = client.session();
    for (let count = 0; count < 2; count++)
      expect(await session.send(request(withUser(web.url)))).toMatchObject({ kind: 'answer' });
    expect(web.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, basic, basic]);
    const tokens = new Set(web.requests.map(({ headers }) => headers['i-twilio-idempotency-token']));
    expect([...tokens]).toEqual(['01234567-89ab-cdef-0123-456789abcdef']);
  });

  it('are not sent to a server that never asks', async () => {
    const web = await app(() => [204]);
    await client.session().send(request(withUser(web.url)));
    expect(web.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it.each([
    ['refuses them', asks],
    ['asks for what we do not speak', { 'www-authenticate': 'Negotiate' }],
    ['asks for nothing', {}],
  ])('end in a 401 where the server %s', async (_name, headers) => {
    const web = await app(() => [401, headers]);
    const result = await client.session().send(request(withUser(web.url)));
    expect(result).toMatchObject({ kind: 'failure', code: 11200, response: { status: 401 } });
    expect(web.requests.length).toBeLessThan(3);
  });

  it('answer a Digest challenge, rather than a Basic one, and count the uses of its nonce', async () => {
    // Independent of the code under test: the digest by the letter of RFC 7616 §3.4.
    const { createHash } = await import('node:crypto');
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const counts: string[] = [];
    let nonce = 'first';
    const server = createServer((received, response) => {
      const header = received.headers.authorization ?? '';
      const part = (name: string) => new RegExp(`[ ,]${name}="?([^",]+)`).exec(header)?.[1] ?? '';
      const ha1 = md5('us@er:app, "really":pa:ss');
      const ha2 = md5(`${received.method}:${received.url}`);
      const right = md5(`${ha1}:${nonce}:${part('nc')}:${part('cnonce')}:auth:${ha2}`);
      received.resume();
      if (header.startsWith('Digest ') && part('response') === right) {
        counts.push(`${nonce} ${part('nc')}`);
        return response.writeHead(204).end();
      }
      const digest = `Digest realm="app, \\"really\\"", qop="auth", nonce="${nonce}", stale=true`;
      return response.writeHead(401, { 'www-authenticate': `Basic realm="x", ${digest}` }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://us%40er:pa%3Ass@127.0.0.1:${(server.address() as AddressInfo).port}/x?a=b`;
    const session = client.session();
    for (const method of ['POST', 'GET'] as const)
      expect(await session.send(request(url, { method }))).toMatchObject({ kind: 'answer' });
    nonce = 'second';
    expect(await session.send(request(url))).toMatchObject({ kind: 'answer' });
    expect(counts).toEqual(['first 00000001', 'first 00000002', 'second 00000001']);
  });
});
