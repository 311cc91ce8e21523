import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import twilio from 'twilio';
import { afterEach, describe, expect, it } from 'vitest';
import { startWebhookApp, type WebhookApp } from '../../../test/support/webhook-app.ts';
import { allowNetworks } from '../../lib/networks.ts';
import { createWebhookClient } from './client.ts';
import { encodeForm } from './signature.ts';

const client = createWebhookClient(allowNetworks('private'), 'Tandem/test');
const strict = createWebhookClient(allowNetworks([]), 'Tandem/test');
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const PARAMETERS = [
  ['CallSid', 'CA1'],
  ['CallerName', 'Zoë & ✓'],
] as const;

const request = (url: string, method: 'GET' | 'POST' = 'POST') => ({
  url,
  method,
  parameters: encodeForm(PARAMETERS),
  authToken: 'token',
  idempotencyToken: 'once',
});

async function app(answer?: (path: string, response: ServerResponse) => void): Promise<WebhookApp> {
  const started = await startWebhookApp(answer && ((received, response) => answer(received.path, response)));
  open.push(started);
  return started;
}

/** A server that does to each connection what no web server does. */
async function brokenServer(
  onData: (write: (text: string) => void, end: () => void) => void,
): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () =>
      onData(
        (text) => socket.write(text),
        () => socket.destroy(),
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('the webhook client', () => {
  it('posts a form that the official validator accepts', async () => {
    const { url, requests } = await app((_path, response) =>
      response.writeHead(200, { 'content-type': 'text/xml' }).end('<Response/>'),
    );
    const result = await client.send(request(`${url}/voice?q=1#rc=2`));
    expect(result).toMatchObject({
      kind: 'answer',
      status: 200,
      contentType: 'text/xml',
      headers: { 'content-type': 'text/xml' },
      body: Buffer.from('<Response/>'),
    });
    const [received] = requests;
    expect(received?.path).toBe('/voice?q=1');
    expect(received?.parameters).toEqual({ CallSid: 'CA1', CallerName: 'Zoë & ✓' });
    expect(received?.headers).toMatchObject({
      'i-twilio-idempotency-token': 'once',
      'user-agent': 'Tandem/test',
      accept: '*/*',
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    });
    const signature = String(received?.headers['x-twilio-signature']);
    expect(twilio.validateRequest('token', signature, `${url}/voice?q=1`, received?.parameters ?? {})).toBe(
      true,
    );
  });

  it.each(['/path', '/path?a=b%20c'])(
    'puts the parameters of a GET into the query of %s and signs that',
    async (path) => {
      const { url, requests } = await app();
      expect((await client.send(request(url + path, 'GET'))).kind).toBe('answer');
      const [received] = requests;
      expect(received?.method).toBe('GET');
      expect(received?.parameters).toMatchObject({ CallSid: 'CA1', CallerName: 'Zoë & ✓' });
      const signature = String(received?.headers['x-twilio-signature']);
      expect(twilio.validateRequest('token', signature, url + received?.path, {})).toBe(true);
    },
  );

  it.each([404, 500, 503])('calls an answer of %i a failure', async (status) => {
    const { url } = await app((_path, response) => response.writeHead(status).end());
    expect(await client.send(request(url))).toMatchObject({ kind: 'failure', code: 11200 });
  });

  it('refuses an answer of more than 64 KiB', async () => {
    const { url } = await app((_path, response) => response.writeHead(200).end('x'.repeat(70_000)));
    expect(await client.send(request(url))).toMatchObject({ kind: 'failure', code: 11750 });
  });

  it('takes audio of up to 4 MiB', async () => {
    const { url } = await app((path, response) =>
      response.writeHead(200).end(Buffer.alloc(path === '/long' ? 4 * 1024 * 1024 + 1 : 100_000)),
    );
    expect(await client.send({ ...request(url), wanted: 'audio' })).toMatchObject({
      kind: 'answer',
      status: 200,
    });
    expect(await client.send({ ...request(`${url}/long`), wanted: 'audio' })).toMatchObject({ code: 11751 });
  });

  it('takes as much sound where a document was wanted', async () => {
    const { url } = await app((path, response) =>
      response
        .writeHead(200, { 'content-type': 'audio/basic' })
        .end(Buffer.alloc(path === '/long' ? 4 * 1024 * 1024 + 1 : 100_000)),
    );
    const answer = await client.send(request(url));
    expect(answer).toMatchObject({ kind: 'answer', contentType: 'audio/basic' });
    expect(answer.kind === 'answer' && answer.body.length).toBe(100_000);
    expect(await client.send(request(`${url}/long`))).toMatchObject({ code: 11751 });
  });

  it('names a closed port, an unknown host and a URL that is none', async () => {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await client.send(request(`http://127.0.0.1:${port}/`))).toMatchObject({ code: 11202 });
    expect(await client.send(request('http://nowhere.invalid/'))).toMatchObject({ code: 11210 });
    expect(await client.send(request('nonsense'))).toMatchObject({ code: 11100 });
  });

  it('fails on a peer that resets, and on one that speaks no HTTP', async () => {
    const resets = await brokenServer((_write, end) => end());
    const babbles = await brokenServer((write) => write('I am not a web server\r\n\r\n'));
    expect((await client.send(request(resets))).kind).toBe('failure');
    expect((await client.send(request(babbles))).kind).toBe('failure');
  });

  it('reaches no private network unless allowed: by address, by name or by redirect', async () => {
    const { url, requests } = await app();
    const port = new URL(url).port;
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '169.254.169.254']) {
      const result = await strict.send(request(`http://${host}:${port}/`));
      expect(result, host).toMatchObject({
        kind: 'failure',
        message: expect.stringContaining('TANDEM_ALLOW_NETS'),
      });
    }
    expect(await client.send(request(`http://169.254.169.254:${port}/`))).toMatchObject({ kind: 'failure' });
    expect(requests).toEqual([]);
  });
});
