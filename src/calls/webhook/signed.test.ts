// What goes over the wire, held against the official validator: whatever the URL is like.
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import twilio from 'twilio';
import { afterAll, describe, expect, it } from 'vitest';
import { certificateFor } from '../../../test/support/certificates.ts';
import { startWebhookApp } from '../../../test/support/webhook-app.ts';
import { allowNetworks } from '../../lib/networks.ts';
import { createWebhookClient } from './client.ts';
import { encodeForm, type FormParameters, sign } from './signature.ts';

const TOKEN = 'token';
const PARAMETERS: FormParameters = [
  ['CallSid', 'CA1'],
  ['CallerName', 'Zoë & ✓'],
  ['Digits', ''],
];

/** Every name leads to this machine. */
const own = certificateFor('localhost', 'app.example');
const client = createWebhookClient(allowNetworks('private'), 'Tandem/test', {
  ca: own.cert,
  lookup: (_name, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
});
const app = await startWebhookApp();
const six = await startWebhookApp(undefined, '::1');
const secure = createSecureServer(own, (request, response) => {
  seen.push({ url: request.url ?? '', headers: request.headers });
  request.resume().on('end', () => response.writeHead(204).end());
});
const seen: { url: string; headers: NodeJS.Dict<string | string[]> }[] = [];
await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
const port = new URL(app.url).port;

afterAll(async () => {
  await client.close();
  await Promise.all([app.close(), six.close()]);
  secure.closeAllConnections();
  secure.close();
});

const asObject = (form: FormParameters): Record<string, string | string[]> =>
  Object.fromEntries(
    Array.from(
      Map.groupBy(form, ([name]) => name),
      ([name, pairs]) => {
        const values = pairs.map(([, value]) => value);
        return [name, values.length > 1 ? values : (values[0] as string)];
      },
    ),
  );

/** Sends it, and asks the validator as an app does: by the Host header and the path it sees. */
async function isAccepted(url: string, method: 'GET' | 'POST', form = PARAMETERS): Promise<boolean> {
  const { requests } = url.includes('[::1]') ? six : app;
  const parameters = encodeForm(form);
  const result = await client.send({ url, method, parameters, authToken: TOKEN, idempotencyToken: 'a' });
  if (result.kind === 'failure') throw new Error(`${url}: ${result.message}`);
  const { headers, path } = requests.at(-1) as (typeof requests)[number];
  expect(path).not.toContain('#');
  const signature = String(headers['x-twilio-signature']);
  const asSeen = `http://${headers.host}${path}`;
  const body = method === 'POST' ? asObject(form) : {};
  expect(twilio.validateRequest('another', signature, asSeen, body)).toBe(false);
  return twilio.validateRequest(TOKEN, signature, asSeen, body);
}

describe('the official validator accepts', () => {
  it.each([
    '/',
    '',
    '?',
    '/?',
    '?a=b',
    '/voice?q=1#rc=2&ct=1000',
    '/voice#section',
    '/caf%C3%A9?q=%e2%9c%93&p=a%20b+c',
    '/café/✓?q=ü&x=a b',
    "/it's(fine)!*?a='b'",
    '/a//b/../c/./d?x=//..',
    '/p?a=1&a=2&b&c=&=d',
    '/p?a=1&',
    '/p?next=https%3A%2F%2Fx.example%2F%3Fa%3D1%23f',
    '/%7Euser/%2e%2E/x',
    '/p;v=1,2?$a=@:/',
  ])('POST and GET of the path %j', async (path) => {
    expect(await isAccepted(`http://127.0.0.1:${port}${path}`, 'POST')).toBe(true);
    expect(await isAccepted(`http://127.0.0.1:${port}${path}`, 'GET')).toBe(true);
  });

  it.each([
    ['a name', `http://app.example:${port}/x`],
    ['a name in capitals', `HTTP://APP.Example:${port}/x`],
    ['a name beyond ASCII', `http://bücher.example:${port}/x`],
    ['user info', `http://us%40er:p%3Aass@app.example:${port}/x?a=b`],
    ['a user alone', `http://user@app.example:${port}/x`],
    ['IPv6', `http://[::1]:${new URL(six.url).port}/x?a=b`],
    ['IPv6 with user info', `http://u:p@[::1]:${new URL(six.url).port}/x`],
  ])('%s for a host', async (_name, url) => {
    expect(await isAccepted(url, 'POST')).toBe(true);
    expect(await isAccepted(url, 'GET')).toBe(true);
  });

  it('HTTPS on any port, with and without it in the URL that the app knows', async () => {
    const { port: tlsPort } = secure.address() as AddressInfo;
    const url = `https://u:p@app.example:${tlsPort}/x?a=b#ct=500`;
    const parameters = encodeForm(PARAMETERS);
    const sent = { url, method: 'POST', parameters, authToken: TOKEN, idempotencyToken: 'a' } as const;
    expect(await client.send(sent)).toMatchObject({ kind: 'answer' });
    const signature = String(seen.at(-1)?.headers['x-twilio-signature']);
    expect(seen.at(-1)?.url).toBe('/x?a=b');
    for (const host of [`app.example:${tlsPort}`, 'app.example', 'app.example:443']) {
      const known = `https://${host}/x?a=b`;
      expect(twilio.validateRequest(TOKEN, signature, known, asObject(PARAMETERS)), known).toBe(true);
    }
  });

  it('any form, names that come twice included, over POST and GET', async () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    // The validator's own sorting of names goes by UTF-16 units, as does ours.
    const name = word.filter((text) => text !== '__proto__');
    const form = fc.array(fc.tuple(name, fc.string({ unit: 'grapheme', maxLength: 20 })), { maxLength: 8 });
    const path = fc.webPath({ size: 'small' });
    const query = fc.option(fc.webQueryParameters({ size: 'small' }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        form,
        path,
        query,
        fc.constantFrom('GET', 'POST'),
        async (pairs, at, asked, method) => {
          const rest = asked === undefined ? '' : `?${asked}`;
          const url = `http://127.0.0.1:${port}${at.startsWith('/') ? at : `/${at}`}${rest}`;
          expect(await isAccepted(url, method as 'GET' | 'POST', pairs)).toBe(true);
        },
      ),
      { seed: 11, numRuns: 150 },
    );
  });
});

it('signs each value of a repeated name once, in order, as the validator reads them', () => {
  const form = [
    ['b', '2'],
    ['b', '1'],
    ['b', '2'],
    ['a', '3'],
  ] as const;
  const signature = sign(TOKEN, 'http://app.example/', form);
  expect(twilio.validateRequest(TOKEN, signature, 'http://app.example/', asObject(form))).toBe(true);
});
