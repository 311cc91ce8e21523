// The API over TLS: the same routes and limits, a certificate that can change, and an end.
import { request } from 'node:https';
import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ApiServer, OWNER, startApi } from '../../test/support/api-server.ts';
import { certificateFor } from '../../test/support/certificates.ts';
import { basic } from '../../test/support/twilio-client.ts';
import { type HttpsListener, listenHttps } from './https.ts';

const ours = certificateFor('tandem.example', '127.0.0.1');
const renewed = certificateFor('renewed.example', '127.0.0.1');
const authorization = basic(OWNER.sid, OWNER.token);

async function startHttps(
  config: Parameters<typeof startApi>[0] = {},
): Promise<{ readonly https: HttpsListener; readonly port: number; readonly api: ApiServer }> {
  const api = await startApi(config);
  const https = await listenHttps(api.server.server, { host: '127.0.0.1', port: 0, tls: ours });
  onTestFinished(() => void https.close());
  return { https, port: Number(new URL(https.url).port), api };
}

function ask(url: string, ca = ours.cert): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca, agent: false, headers: { authorization } }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on('error', reject).end();
  });
}

/** Everything the server says until it closes. */
function heardOn(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    socket.on('data', (chunk) => (heard += chunk));
    socket.on('error', () => {});
    socket.on('close', () => resolve(heard));
  });
}

const opened = (port: number, options: ConnectionOptions = {}): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket: TLSSocket = connectTls({ port, host: '127.0.0.1', ca: ours.cert, ...options }, () =>
      resolve(socket),
    );
    socket.once('error', reject);
    onTestFinished(() => void socket.destroy());
  });

describe('the API over HTTPS', () => {
  it('has the same routes, and links that lead back over HTTPS', async () => {
    const { https, api } = await startHttps();
    await api.client.voice.v1.byocTrunks.create({ friendlyName: 'a' });
    const { status, body } = await ask(`${https.url}/v1/ByocTrunks`);
    const { meta, byoc_trunks: trunks } = JSON.parse(body);
    expect([status, trunks[0].friendly_name]).toEqual([200, 'a']);
    expect(meta.url).toBe(`${https.url}/v1/ByocTrunks?PageSize=50&Page=0`);
    expect(trunks[0].url).toBe(`${https.url}/v1/ByocTrunks/${trunks[0].sid}`);
    expect((await ask(`${https.url}/v1/Nothing`)).status).toBe(404);
    expect((await ask(`${https.url}/healthz`)).status).toBe(200);
  });

  it('cuts off slow clients too', async () => {
    const { port } = await startHttps({ requestTimeoutMs: 200 });
    const socket = await opened(port);
    socket.write('GET /v1/Byoc');
    expect(await heardOn(socket)).toContain('"status":408');
  });

  it('outlives who speaks no TLS, who speaks an old one, and who leaves in the middle', async () => {
    const { https, port } = await startHttps();
    await new Promise((resolve) => {
      const stranger = connect({ port, host: '127.0.0.1' }, () => stranger.write('GET / HTTP/1.1\r\n\r\n'));
      stranger.on('error', () => {}).on('close', resolve);
    });
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(opened(port, old)).rejects.toThrow(/protocol version|handshake failure|no protocols/i);
    (await opened(port)).destroy();
    expect((await ask(`${https.url}/healthz`)).status).toBe(200);
  });

  it('shows a new certificate to who comes after it, and keeps the old one where the new one is none', async () => {
    const { https } = await startHttps();
    https.reload(renewed);
    expect((await ask(`${https.url}/healthz`, renewed.cert)).status).toBe(200);
    await expect(ask(`${https.url}/healthz`)).rejects.toThrow('self-signed certificate');
    expect(() => https.reload({ ...ours, key: renewed.key })).toThrow();
    expect((await ask(`${https.url}/healthz`, renewed.cert)).status).toBe(200);
  });

  it('is in use when its port is', async () => {
    const { port, api } = await startHttps();
    const again = listenHttps(api.server.server, { host: '127.0.0.1', port, tls: ours });
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE', port });
  });

  it('ends with the API, idle connections included', async () => {
    const { https, port, api } = await startHttps();
    const idle = await opened(port);
    idle.write(`GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n`);
    await new Promise((resolve) => idle.once('data', resolve));
    const closed = heardOn(idle);
    await Promise.all([https.close(), api.server.close()]);
    await closed;
    await expect(ask(`${https.url}/healthz`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
