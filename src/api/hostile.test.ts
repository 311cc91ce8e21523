// Strangers, mistakes and malice: everything is answered in Twilio's words, and nothing breaks.
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { OWNER, STRANGER, startApi } from '../../test/support/api-server.ts';
import { basic, twilioClient } from '../../test/support/twilio-client.ts';

const AUTH = `Authorization: ${basic(OWNER.sid, OWNER.token)}\r\n`;
const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n';

/** Everything the server says to these bytes until it closes, or until it has said one answer. */
function exchange(port: number, bytes: string | Buffer, { half = false } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString();
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(heard) : reject(error),
    );
    socket.write(bytes);
    if (half) socket.end();
  });
}

const request = (line: string, headers: string, body: string | Buffer = ''): Buffer =>
  Buffer.concat([
    Buffer.from(
      `${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`,
    ),
    Buffer.from(body),
  ]);

function parse(answer: string): {
  status: number;
  head: string;
  body: { code?: number; status?: number; message?: string };
} {
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body: JSON.parse(rest.join('\r\n\r\n') || '{}') };
}

describe('who is asking', () => {
  it.each([
    ['nobody', undefined],
    ['a wrong token', basic(OWNER.sid, 'wrong')],
    ['an empty token', basic(OWNER.sid, '')],
    ['an unknown account', basic(`AC${'9'.repeat(32)}`, OWNER.token)],
    ['an unknown account without token', basic(`AC${'9'.repeat(32)}`, '')],
    ['another’s token', basic(OWNER.sid, STRANGER.token)],
    ['a token with more behind it', basic(OWNER.sid, `${OWNER.token}x`)],
    ['no colon', `Basic ${Buffer.from(OWNER.sid).toString('base64')}`],
    ['Bearer', `Bearer ${OWNER.token}`],
    ['garbage', 'Basic ====\u00ff'],
  ])('%s is 401', async (_name, authorization) => {
    const { url } = await startApi();
    const response = await fetch(
      `${url}/v1/ByocTrunks`,
      authorization === undefined ? {} : { headers: { authorization } },
    );
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Basic realm="Twilio API"');
    expect(await response.json()).toEqual({
      code: 20003,
      message: 'Authenticate',
      more_info: 'https://www.twilio.com/docs/errors/20003',
      status: 401,
    });
  });

  it('is a RestException for the official client', async () => {
    const { url } = await startApi();
    const client = twilioClient(url, OWNER.sid, 'wrong');
    await expect(client.voice.v1.byocTrunks.list()).rejects.toMatchObject({
      status: 401,
      code: 20003,
      message: 'Authenticate',
    });
  });

  it('is not let into another account’s path', async () => {
    const { ask } = await startApi();
    expect((await ask(`/2010-04-01/Accounts/${STRANGER.sid}/Calls.json`)).status).toBe(401);
    expect((await ask('/2010-04-01/Accounts/ACx/Calls.json')).status).toBe(401);
  });
});

describe('accounts', () => {
  it('see themselves, without their token', async () => {
    const { client, ask } = await startApi();
    const own = await client.api.v2010.accounts(OWNER.sid).fetch();
    expect(own).toMatchObject({
      sid: OWNER.sid,
      ownerAccountSid: OWNER.sid,
      status: 'active',
      type: 'Full',
      authToken: null,
    });
    expect(own.uri).toBe(`/2010-04-01/Accounts/${OWNER.sid}.json`);
    expect((await client.api.v2010.accounts.list()).map(({ sid }) => sid)).toEqual([OWNER.sid]);
    expect(await client.api.v2010.accounts.list({ friendlyName: 'x' })).toEqual([]);
    expect((await client.api.v2010.accounts(OWNER.sid).update({ friendlyName: 'x' })).friendlyName).toBe('x');
    expect(await client.api.v2010.accounts.list({ friendlyName: 'x', status: 'active' })).toHaveLength(1);
    const text = await (await ask(`/2010-04-01/Accounts/${OWNER.sid}.json`)).text();
    expect(text).not.toContain(OWNER.token);
  });

  it('cannot close themselves, be seen by others, or be given a token', async () => {
    const { client, ask } = await startApi();
    await expect(client.api.v2010.accounts(OWNER.sid).update({ status: 'closed' })).rejects.toMatchObject({
      status: 400,
      code: 20001,
    });
    await expect(client.api.v2010.accounts(STRANGER.sid).fetch()).rejects.toMatchObject({ status: 404 });
    const smuggled = new URLSearchParams({ AuthToken: 'mine-from-now-on', OwnerAccountSid: STRANGER.sid });
    expect(
      (await ask(`/2010-04-01/Accounts/${OWNER.sid}.json`, { method: 'POST', body: smuggled })).status,
    ).toBe(200);
    expect((await ask('/v1/ByocTrunks')).status).toBe(200);
  });
});

describe('paths and verbs', () => {
  it.each([
    ['GET', '/', 404, 20404],
    ['GET', '/v1/Nothing', 404, 20404],
    ['GET', '/v1/connectionpolicies', 404, 20404],
    ['GET', '/v1/ConnectionPolicies/', 404, 20404],
    ['GET', '/v1/ConnectionPolicies/NYx', 404, 20404],
    ['GET', `/v1/ConnectionPolicies/NE${'0'.repeat(32)}`, 404, 20404],
    ['GET', `/v1/ConnectionPolicies/NY${'0'.repeat(32)}/Targets/x`, 404, 20404],
    ['GET', `/v1/ConnectionPolicies/${'x'.repeat(500)}`, 404, 20404],
    ['GET', '/v1/ConnectionPolicies/..%2f..%2fetc', 404, 20404],
    ['GET', "/v1/ConnectionPolicies/NY'%20or%201=1--", 404, 20404],
    ['PUT', '/v1/ConnectionPolicies', 405, 20004],
    ['PATCH', `/v1/ByocTrunks/BY${'0'.repeat(32)}`, 405, 20004],
    ['DELETE', '/v1/ByocTrunks', 405, 20004],
    ['GET', `/2010-04-01/Accounts/${OWNER.sid}/Calls`, 406, 20406],
    ['POST', `/2010-04-01/Accounts/${OWNER.sid}/Calls`, 406, 20406],
    ['GET', `/2010-04-01/Accounts/${OWNER.sid}/Calls.csv`, 404, 20404],
    ['GET', `/2010-04-01/Accounts/${OWNER.sid}/Messages.json`, 404, 20404],
    ['GET', `/v1/ConnectionPolicies/%zz`, 400, 20001],
    ['GET', `/v1/ConnectionPolicies/%ff`, 400, 20001],
    ['GET', '/v1/ConnectionPolicies?PageSize=%zz', 400, 20001],
    ['GET', '/v1/ConnectionPolicies?x=%00', 400, 20001],
  ])('%s %s is %i', async (method, path, status, code) => {
    const { port } = await startApi();
    const answer = parse(await exchange(port, request(`${method} ${path}`, AUTH)));
    expect([answer.status, answer.body.code, answer.body.status]).toEqual([status, code, status]);
  });

  it('names the verbs that are served', async () => {
    const { ask } = await startApi();
    expect((await ask('/v1/ByocTrunks', { method: 'PUT' })).headers.get('allow')).toBe('POST, GET');
  });

  it('takes .json on v1 too', async () => {
    const { ask } = await startApi();
    expect((await ask('/v1/ByocTrunks.json?PageSize=1')).status).toBe(200);
  });
});

describe('bodies', () => {
  it.each<[string, string, string | Buffer, [status: number, code: number]]>([
    ['broken percent-encoding', FORM, 'FriendlyName=%zz', [400, 20001]],
    ['percent-encoding that is no UTF-8', FORM, 'FriendlyName=%ff%fe', [400, 20001]],
    ['raw bytes that are no UTF-8', FORM, Buffer.from([0x46, 0x3d, 0xff, 0xfe]), [400, 20001]],
    ['an encoded NUL', FORM, 'FriendlyName=a%00b', [400, 20001]],
    ['a raw NUL', FORM, 'FriendlyName=a\0b', [400, 20001]],
    ['a lone surrogate', FORM, 'FriendlyName=%ed%a0%80', [400, 20001]],
    ['JSON', 'Content-Type: application/json\r\n', '{"FriendlyName":"x"}', [400, 20001]],
    ['no type', '', 'FriendlyName=x', [400, 20001]],
    ['a broken type', 'Content-Type: ;;;\r\n', 'FriendlyName=x', [400, 20001]],
    ['1001 parameters', FORM, 'a=1&'.repeat(1001), [400, 20001]],
    ['too much', FORM, `FriendlyName=${'x'.repeat(300_000)}`, [413, 20413]],
    ['a parameter given twice', FORM, 'FriendlyName=a&FriendlyName=b', [400, 20001]],
    ['__proto__', FORM, '__proto__=x&constructor=y', [201, 0]],
    ['a parameter without a value', FORM, 'FriendlyName', [201, 0]],
  ])('%s', async (_name, headers, body, expected) => {
    const { port, client } = await startApi();
    const answer = parse(await exchange(port, request('POST /v1/ConnectionPolicies', AUTH + headers, body)));
    expect([answer.status, answer.body.code ?? 0]).toEqual(expected);
    expect(await client.voice.v1.connectionPolicies.list()).toHaveLength(answer.status === 201 ? 1 : 0);
  });

  it('are not read from strangers', async () => {
    const { port } = await startApi();
    const head = `POST /v1/ConnectionPolicies HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${FORM}Content-Length: 200000\r\n\r\n`;
    expect(parse(await exchange(port, head)).status).toBe(401);
  });
});

describe('bytes that are no HTTP', () => {
  it.each([
    ['garbage', '\x16\x03\x01\x02\x00\x01\r\n\r\n', 400],
    ['a broken header', 'GET / HTTP/1.1\r\nHost: a\r\nX y\r\n\r\n', 400],
    [
      'two lengths',
      `POST /v1/ByocTrunks HTTP/1.1\r\nHost: a\r\n${AUTH}Content-Length: 1\r\nContent-Length: 2\r\n\r\na`,
      400,
    ],
    [
      'length and chunks',
      `POST /v1/ByocTrunks HTTP/1.1\r\nHost: a\r\n${AUTH}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['endless headers', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'a malformed Host',
      `GET /v1/ByocTrunks HTTP/1.1\r\nHost: a"><b>\r\nConnection: close\r\n${AUTH}\r\n`,
      400,
    ],
    [
      'a Host with a path',
      `GET /v1/ByocTrunks HTTP/1.1\r\nHost: evil.example/x?\r\nConnection: close\r\n${AUTH}\r\n`,
      400,
    ],
  ])('%s', async (_name, bytes, status) => {
    const { port, ask } = await startApi();
    const answer = parse(await exchange(port, Buffer.from(bytes, 'latin1')));
    expect([answer.status, answer.body.status]).toEqual([status, status]);
    expect((await ask('/healthz')).status).toBe(200);
  });

  it('a client that never finishes is cut off', async () => {
    const { port } = await startApi({ requestTimeoutMs: 200 });
    const body = await exchange(
      port,
      `POST /v1/ByocTrunks HTTP/1.1\r\nHost: a\r\n${AUTH}${FORM}Content-Length: 10\r\n\r\nF`,
    );
    expect(parse(body).status).toBe(408);
    expect(parse(await exchange(port, 'GET /v1/Byoc')).status).toBe(408);
  });

  it('a client that leaves in the middle breaks nothing', async () => {
    const { port, ask } = await startApi();
    await exchange(
      port,
      `POST /v1/ByocTrunks HTTP/1.1\r\nHost: a\r\n${AUTH}${FORM}Content-Length: 10\r\n\r\nF`,
      { half: true },
    );
    expect((await ask('/v1/ByocTrunks')).status).toBe(200);
  });
});

describe('every answer', () => {
  it.each(['/v1/ByocTrunks', '/v1/Nothing', '/v1/%zz', '/healthz'])(
    'of %s has the headers of the house',
    async (path) => {
      const { ask } = await startApi();
      const { headers } = await ask(path, { headers: { origin: 'https://evil.example' } });
      expect(headers.get('twilio-request-id')).toMatch(/^RQ[0-9a-f]{32}$/);
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('content-type')).toContain('application/json');
    },
  );

  it('to a preflight is 204', async () => {
    const { url } = await startApi();
    const response = await fetch(`${url}/v1/ByocTrunks`, {
      method: 'OPTIONS',
      headers: { origin: 'https://a.example' },
    });
    expect([response.status, response.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, POST, PATCH, PUT, DELETE, OPTIONS',
    ]);
  });

  it('has URLs by the Host header, or by the setting', async () => {
    const { port } = await startApi();
    const head = `POST /v1/ByocTrunks HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: close\r\n${AUTH}Content-Length: 0\r\n\r\n`;
    expect(await exchange(port, head)).toContain('"url":"http://[::1]:8080/v1/ByocTrunks/BY');
    const { client } = await startApi({ baseUrl: 'https://tandem.example/x' });
    expect((await client.voice.v1.byocTrunks.create()).url).toMatch(
      /^https:\/\/tandem\.example\/x\/v1\/ByocTrunks\/BY/,
    );
  });

  it('hides what went wrong inside', async () => {
    const { ask, store, calls } = await startApi();
    calls.place = () => Promise.reject(new Error('secret detail'));
    const body = new URLSearchParams({ To: 'sip:a.example', From: 'a', Twiml: '<Response/>' });
    const response = await ask(`/2010-04-01/Accounts/${OWNER.sid}/Calls.json`, { method: 'POST', body });
    expect([response.status, await response.json()]).toEqual([
      500,
      {
        code: 20500,
        message: 'An internal server error has occurred',
        more_info: 'https://www.twilio.com/docs/errors/20500',
        status: 500,
      },
    ]);
    await store.close();
    const closed = await ask('/v1/ByocTrunks');
    expect([closed.status, closed.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await ask('/readyz')).status).toBe(503);
  });
});
