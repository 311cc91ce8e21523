// Status callbacks of real calls, from the call to the app and to the list of webhooks.
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { twilioClient } from '../support/twilio-client.ts';
import { type Answer, startWebhookApp, type WebhookApp } from '../support/webhook-app.ts';

interface Webhook {
  readonly sid: string;
  readonly status: string;
  readonly sequence_number: number;
  readonly request_parameters: Record<string, string>;
  readonly attempts: number;
  readonly response_status: number | null;
  readonly response_body: string | null;
  readonly error_code: number | null;
}

const EVENTS = ['initiated', 'ringing', 'answered', 'completed'];
const ANSWERED = '+15550001234';
const FROM = '+15550009999';

let exchange: Exchange;
let byoc: string;
let answer: Answer;
let app: WebhookApp;

const taken: Answer = (_request, response) => void response.writeHead(204).end();

beforeAll(async () => {
  exchange = await startExchange({ TANDEM_CALLBACK_RETRIES: '0' });
  const carrier = await exchange.carrier({ ringMs: 0 });
  byoc = await exchange.trunkTo(carrier.uri);
});

afterAll(() => exchange.stop());

beforeEach(async () => {
  answer = taken;
  const started = await startWebhookApp((request, response) => answer(request, response));
  app = started;
  onTestFinished(() => started.close());
});

const order = (path = '/') => ({
  to: ANSWERED,
  from: FROM,
  byoc,
  twiml: '<Response><Hangup/></Response>',
  statusCallback: app.url + path,
  statusCallbackEvent: EVENTS,
});

const ask = async <T>(path: string, form?: Record<string, string>): Promise<T> =>
  (await exchange.ours(`Webhooks${path}`, form)).body;

const listed = async (callSid: string): Promise<readonly Webhook[]> =>
  (await ask<{ webhooks: Webhook[] }>(`?CallSid=${callSid}`)).webhooks.toReversed();

describe('status callbacks', () => {
  it('are sent in order and listed, with what the app answered; what failed is sent again on request', async () => {
    answer = ({ parameters }, response) =>
      void response.writeHead(parameters.CallStatus === 'completed' ? 503 : 200).end('so be it');
    const { sid } = await exchange.client.calls.create(order());
    await exchange.ended(sid);
    await exchange.quiet();
    expect(app.requests.map(({ parameters }) => Number(parameters.SequenceNumber))).toEqual([0, 1, 2, 3]);
    const before = await listed(sid);
    expect(before).toMatchObject([
      { status: 'delivered', response_status: 200, response_body: 'so be it', error_code: null },
      { status: 'delivered', request_parameters: { CallStatus: 'ringing' } },
      { status: 'delivered', request_parameters: { CallStatus: 'in-progress' } },
      { status: 'failed', attempts: 1, response_status: 503, error_code: 11200 },
    ]);

    answer = taken;
    expect(await ask('/Replay', { CallSid: sid })).toEqual({ replayed: 1, more: false });
    await app.received(
      ({ parameters }) => app.requests.length === 5 && parameters.CallStatus === 'completed',
    );
    await expect.poll(async () => (await listed(sid)).at(-1)?.status).toBe('delivered');
    const [, , , first, again] = app.requests;
    expect(again?.parameters).toEqual(first?.parameters);
    const token = 'i-twilio-idempotency-token';
    expect(again?.headers[token]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    expect(again?.headers[token]).toBe(first?.headers[token]);

    await ask(`/${before[1]?.sid}/Replay`, {});
    await app.received(() => app.requests.length === 6);
    expect(app.requests[5]?.parameters.CallStatus).toBe('ringing');
  });

  it('of an app that hangs hold up neither its calls nor another account’s callbacks to the same host', async () => {
    answer = (request, response) => {
      if (request.path !== '/hangs') taken(request, response);
    };
    const { client } = exchange;
    const calls = await Promise.all(Array.from({ length: 20 }, () => client.calls.create(order('/hangs'))));
    for (const { sid } of calls) expect(await exchange.ended(sid)).toMatchObject({ status: 'completed' });
    await expect.poll(() => app.requests.length).toBe(16);

    const other = await client.api.v2010.accounts.create({ friendlyName: 'another' });
    const theirs = twilioClient(exchange.tandem.http, other.sid, other.authToken);
    const carrier = await exchange.carrier({ ringMs: 0 });
    const policy = await theirs.voice.v1.connectionPolicies.create();
    await theirs.voice.v1.connectionPolicies(policy.sid).targets.create({ target: carrier.uri });
    const trunk = await theirs.voice.v1.byocTrunks.create({ connectionPolicySid: policy.sid });
    const { sid } = await theirs.calls.create({ ...order('/fine'), byoc: trunk.sid });
    await app.received(
      ({ parameters }) => parameters.CallSid === sid && parameters.CallStatus === 'completed',
    );
    expect(app.requests.filter(({ path }) => path === '/hangs')).toHaveLength(16);
    const waiting = await ask<{ webhooks: Webhook[] }>('?Status=queued&PageSize=100');
    expect(waiting.webhooks.length).toBeGreaterThan(16);
  });
});
