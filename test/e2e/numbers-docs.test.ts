// docs/numbers.md, cut out of the page and run: its set-up, the calls that it promises, and its commands.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Twilio } from 'twilio';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { explainCall } from '../../src/cli/explain-call.ts';
import { readConfig } from '../../src/config.ts';
import { listenerOf, PASSWORD } from '../support/doors.ts';
import { type Exchange, startExchange, type TestCarrier } from '../support/exchange.ts';
import { Softphone } from '../support/softphone.ts';
import { requestOf } from '../support/trunk-scene.ts';
import { startWebhookApp, type WebhookApp } from '../support/webhook-app.ts';

const PAGE = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/numbers.md'), 'utf8');
const EXAMPLES = [...PAGE.matchAll(/^```js \w+\n(.*?)^```$/gms)].map(([, code = '']) => code);
const COMMANDS = [...PAGE.matchAll(/^ {4}tandem explain (.*)$/gm)].map(([, args = '']) => args);
/** Where calls come from. */
const CARRIER = '127.0.0.2';
const OUTSIDE = '+14155550123';

let exchange: Exchange;
let app: WebhookApp;
let phone: Softphone;
let carrier: TestCarrier;
let pbx: TestCarrier;

beforeAll(async () => {
  [exchange, app, phone] = await Promise.all([
    startExchange(),
    startWebhookApp((_request, response) => {
      response.setHeader('content-type', 'text/xml').end('<Response><Reject/></Response>');
    }),
    Softphone.open(CARRIER),
  ]);
  const busy = { treatment: { kind: 'refuse', status: 486 } } as const;
  [carrier, pbx] = [await exchange.carrier(busy), await exchange.carrier(busy)];
  const Code = (async () => {}).constructor as new (
    parameter: string,
    body: string,
  ) => (client: Twilio) => Promise<void>;
  for (const example of EXAMPLES) await new Code('client', here(example))(exchange.client);
});
afterAll(async () => {
  await exchange.stop();
  await app.close();
  await phone.close();
});

/** The page's addresses are those of the test's peers. */
const here = (text: string): string =>
  text
    .replaceAll('http://127.0.0.1:3000', app.url)
    .replaceAll('sip:sbc.carrier.example', carrier.uri)
    .replaceAll('sip:pbx.example', pbx.uri)
    .replaceAll('203.0.113.20', CARRIER)
    .replaceAll('198.51.100.7', '127.0.0.1');

/** From the carrier, which knows the exchange's address alone. */
const comesIn = async (number: string): Promise<number> => {
  const destination = listenerOf(exchange, 'udp');
  const call = await phone.call({
    uri: `sip:${number}@${destination.address}`,
    from: `sip:${OUTSIDE}@carrier.example`,
    destination,
  });
  return (await call.final).status;
};

describe('docs/numbers.md', () => {
  it.each([
    ['+14155550100', '/sales'],
    ['+14155550199', '/any-number'],
  ])('brings a carrier’s call for %s to the app at %s', async (number, path) => {
    expect(await comesIn(number)).toBe(404);
    const asked = await app.received((request) => request.path === path);
    expect(asked.parameters).toMatchObject({ To: number, From: OUTSIDE });
  });

  it('brings a carrier’s call for the PBX’s number to the PBX', async () => {
    expect(await comesIn('+14155550101')).toBe(486);
    expect(requestOf(pbx)?.uri).toBe(pbx.uri.replace('sip:', 'sip:+14155550101@'));
  });

  it('brings calls of the API and of the PBX to the carrier', async () => {
    const placed = await exchange.client.calls.create({
      to: OUTSIDE,
      from: '+14155550100',
      twiml: '<Response/>',
    });
    expect((await exchange.ended(placed.sid)).status).toBe('busy');
    const call = await phone.call({
      uri: `sip:${OUTSIDE}@office.pstn.twilio.com`,
      from: 'sip:+14155550101@pbx.example',
      credentials: { username: 'pbx', password: PASSWORD },
      destination: listenerOf(exchange, 'udp'),
    });
    expect((await call.final).status).toBe(486);
    expect(carrier.invites()).toBe(2);
  });

  it('asks commands that find no fault', async () => {
    expect(COMMANDS).toHaveLength(4);
    for (const command of COMMANDS) expect(await explained(here(command))).not.toMatch(/✗|would end|refused/);
  });
});

async function explained(command: string): Promise<string> {
  const [to = '', ...words] = command.split(' ');
  const option = (name: string) => words[words.indexOf(name) + 1];
  const { accountSid, authToken } = exchange.account;
  const { port } = new URL(exchange.tandem.http);
  const config = readConfig({
    TANDEM_HTTP_PORT: port,
    TANDEM_ACCOUNT_SID: accountSid,
    TANDEM_AUTH_TOKEN: authToken,
  });
  const [sourceIp, username] = ['--source-ip', '--username'].map((name) =>
    words.includes(name) ? option(name) : undefined,
  );
  let out = '';
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  const from = words.includes('--from') ? String(option('--from')) : '+15550009999';
  const options = { to, from, ...(sourceIp && { sourceIp }), ...(username && { username }) };
  await explainCall(config, options).finally(() => stdout.mockRestore());
  expect(out).not.toBe('');
  return out;
}
