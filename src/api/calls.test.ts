// Calls through the official client: what is ordered from the engine, and what is refused first.
import { describe, expect, it } from 'vitest';
import { type ApiServer, OWNER, startApi } from '../../test/support/api-server.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { call, newRow, type Row } from '../resources/index.ts';
import type { RouteTrace } from '../routing/index.ts';

const TWIML = '<Response/>';
const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => ({}),
    ({ status, code, message }: Record<string, unknown>) => ({ status, code, message }),
  );

const world = { clock: systemClock, random: systemRandom() };

async function stored(
  { store }: ApiServer,
  values: Partial<Row<typeof call>> = {},
): Promise<Row<typeof call>> {
  const row = newRow(
    call,
    { accountSid: OWNER.sid, to: '+14155550123', from: '+14155550100', direction: 'outbound-api', ...values },
    world,
  );
  await store.journal.commit({ insert: row });
  return row;
}

describe('placing a call', () => {
  it('by an application takes its webhooks and none of the call’s own', async () => {
    const { client, calls, stranger } = await startApi();
    const app = await client.applications.create({
      voiceUrl: 'https://app.example/voice',
      voiceMethod: 'GET',
      statusCallback: 'https://app.example/status',
    });
    const ends = { to: 'sip:a@b.example', from: 'a' };
    const own = { url: 'https://own.example/', fallbackUrl: 'https://own.example/', twiml: TWIML };
    await client.calls.create({ ...ends, ...own, applicationSid: app.sid });
    expect(calls.orders[0]).toMatchObject({
      twiml: { url: 'https://app.example/voice', method: 'GET' },
      statusCallback: { url: 'https://app.example/status', method: 'POST' },
    });
    expect(calls.orders[0]).not.toHaveProperty('fallback');
    const silent = await client.applications.create();
    expect(await failed(client.calls.create({ ...ends, ...own, applicationSid: silent.sid }))).toMatchObject({
      code: 21205,
    });
    expect(await failed(stranger.calls.create({ ...ends, ...own, applicationSid: app.sid }))).toMatchObject({
      code: 21218,
    });
  });

  it('orders it and answers with its record', async () => {
    const { client, calls } = await startApi();
    const trunk = await client.voice.v1.byocTrunks.create();
    const placed = await client.calls.create({
      to: '+1 (415) 555-0123',
      from: '+14155550100',
      byoc: trunk.sid,
      url: 'https://a.example/twiml',
      method: 'GET',
      fallbackUrl: 'https://a.example/fallback',
      statusCallback: 'https://a.example/status',
      statusCallbackEvent: ['answered', 'initiated'],
      timeout: 7,
      timeLimit: 90,
    });
    expect(calls.orders).toEqual([
      {
        accountSid: OWNER.sid,
        to: '+14155550123',
        from: '+14155550100',
        byoc: trunk.sid,
        twiml: { url: 'https://a.example/twiml', method: 'GET' },
        fallback: { url: 'https://a.example/fallback', method: 'POST' },
        statusCallback: {
          url: 'https://a.example/status',
          method: 'POST',
          events: ['initiated', 'answered'],
        },
        timeoutS: 7,
        timeLimitS: 90,
        warnings: [],
      },
    ]);
    expect(placed).toMatchObject({
      accountSid: OWNER.sid,
      status: 'queued',
      direction: 'outbound-api',
      to: '+14155550123',
      toFormatted: '(415) 555-0123',
      fromFormatted: '(415) 555-0100',
      apiVersion: '2010-04-01',
      duration: null,
      startTime: null,
      price: null,
      priceUnit: 'USD',
      queueTime: '0',
      uri: `/2010-04-01/Accounts/${OWNER.sid}/Calls/${placed.sid}.json`,
    });
    expect(placed.subresourceUris.events).toBe(
      `/2010-04-01/Accounts/${OWNER.sid}/Calls/${placed.sid}/Events.json`,
    );
    expect(placed.dateCreated).toBeInstanceOf(Date);
    expect((await client.calls(placed.sid).fetch()).toJSON()).toEqual(placed.toJSON());
  });

  it('has defaults', async () => {
    const { client, calls } = await startApi();
    await client.calls.create({
      to: 'sip:bob@a.example?x-a=1&x-b=2',
      from: 'alice',
      twiml: TWIML,
      statusCallback: 'http://a.example',
    });
    expect(calls.orders[0]).toEqual({
      accountSid: OWNER.sid,
      to: 'sip:bob@a.example?x-a=1&x-b=2',
      from: 'alice',
      twiml: { twiml: TWIML },
      statusCallback: { url: 'http://a.example', method: 'POST', events: ['completed'] },
      timeoutS: 60,
      timeLimitS: 14_400,
      warnings: [],
    });
  });

  it('says what it does not act on, without values', async () => {
    const { client, calls } = await startApi();
    await client.calls.create({
      to: 'sip:bob@a.example',
      from: 'alice',
      url: 'https://a.example',
      twiml: TWIML,
      byoc: 'BY1',
      record: true,
      sendDigits: '1234#',
      sipAuthUsername: 'bob',
      sipAuthPassword: 's3cret',
    });
    expect(calls.orders[0]?.twiml).toEqual({ url: 'https://a.example', method: 'POST' });
    expect(calls.orders[0]?.warnings).toEqual([
      { code: 32019, text: 'Twiml was ignored because Url is given' },
      { text: 'Byoc was ignored because To is not a phone number' },
    ]);
  });

  it.each([
    ['To missing', { To: undefined }, 21201],
    ['To empty', { To: '' }, 21201],
    ['To no number', { To: '4155550123' }, 21211],
    ['To too long', { To: `+${'1'.repeat(16)}` }, 21211],
    ['To client', { To: 'client:bob' }, 21211],
    ['To sips of nobody', { To: 'sips:bob@' }, 21211],
    ['To with a line break', { To: 'sip:bob@a.example\r\nX: y' }, 21211],
    ['To twice', { To: ['sip:a.example', 'sip:b.example'] }, 21211],
    ['From missing', { From: undefined }, 21213],
    ['From bad', { From: 'al ice' }, 21212],
    ['no TwiML', { Twiml: undefined }, 21205],
    ['bad Url', { Url: 'a.example' }, 21205],
    ['bad Method', { Method: 'PUT' }, 21209],
    ['bad FallbackMethod', { FallbackMethod: 'HEAD' }, 21209],
    ['long Twiml', { Twiml: 'x'.repeat(4001) }, 32018],
    ['ApplicationSid', { ApplicationSid: `AP${'0'.repeat(32)}` }, 21218],
    ['Timeout 0', { Timeout: '0' }, 21208],
    ['Timeout 601', { Timeout: '601' }, 21208],
    ['TimeLimit x', { TimeLimit: 'x' }, 20001],
    ['StatusCallbackEvent', { StatusCallbackEvent: 'busy' }, 20001],
    ['StatusCallback with underscore', { StatusCallback: 'http://a_b.example' }, 20001],
    ['a number without Byoc', { To: '+14155550123', From: '+1' }, 21214],
    ['a number from a name', { To: '+14155550123' }, 21212],
    ['an unknown Byoc', { To: '+14155550123', From: '+1', Byoc: `BY${'0'.repeat(32)}` }, 20001],
  ])('refuses %s', async (_name, changes, code) => {
    const { ask, calls } = await startApi();
    const form = new URLSearchParams();
    for (const [name, values] of Object.entries({
      To: 'sip:a.example',
      From: 'alice',
      Twiml: TWIML,
      ...changes,
    })) {
      for (const value of [values].flat()) if (value !== undefined) form.append(name, value);
    }
    const response = await ask(`/2010-04-01/Accounts/${OWNER.sid}/Calls.json`, {
      method: 'POST',
      body: form,
    });
    expect(await response.json()).toMatchObject({
      status: 400,
      code,
      more_info: `https://www.twilio.com/docs/errors/${code}`,
    });
    expect(calls.orders).toEqual([]);
  });

  it('refuses another account’s trunk', async () => {
    const { client, stranger } = await startApi();
    const { sid } = await stranger.voice.v1.byocTrunks.create();
    expect(
      await failed(client.calls.create({ to: '+14155550123', from: '+1', byoc: sid, twiml: TWIML })),
    ).toMatchObject({ code: 20001 });
  });

  it('is refused while draining, and the node is not ready then', async () => {
    const { ask, calls } = await startApi();
    expect((await ask('/readyz')).status).toBe(200);
    calls.accepting = false;
    const response = await ask(`/2010-04-01/Accounts/${OWNER.sid}/Calls.json`, {
      method: 'POST',
      body: new URLSearchParams(),
    });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.json()).toMatchObject({ code: 20503 });
    expect([(await ask('/readyz')).status, (await ask('/healthz')).status]).toEqual([503, 200]);
  });
});

describe('reading calls', () => {
  it('filters by ends, status, parent and times', async () => {
    const server = await startApi();
    const at = (text: string) => Date.parse(text);
    const early = await stored(server, {
      startTime: at('2026-03-01T10:00:00.500Z'),
      status: 'completed',
      duration: 4,
    });
    const late = await stored(server, {
      startTime: at('2026-03-02T00:00:00Z'),
      parentCallSid: early.sid,
      from: 'sip:a@b.example',
    });
    await stored(server);
    const sids = async (filter: object) => (await server.client.calls.list(filter)).map(({ sid }) => sid);
    expect(await sids({ status: 'completed' })).toEqual([early.sid]);
    expect(await sids({ from: 'sip:a@b.example' })).toEqual([late.sid]);
    expect(await sids({ parentCallSid: early.sid })).toEqual([late.sid]);
    expect(await sids({ startTime: new Date('2026-03-01T10:00:00Z') })).toEqual([early.sid]);
    expect(await sids({ startTimeAfter: new Date('2026-03-01T10:00:01Z') })).toEqual([late.sid]);
    expect(await sids({ startTimeBefore: new Date('2026-03-01T10:00:00Z') })).toEqual([early.sid]);
    const path = `/2010-04-01/Accounts/${OWNER.sid}/Calls.json`;
    const found = async (query: string) => {
      const { calls } = (await (await server.ask(`${path}?${query}`)).json()) as {
        calls?: { sid: string }[];
      };
      return calls?.map(({ sid }) => sid);
    };
    expect(await found('StartTime=2026-03-01')).toEqual([early.sid]);
    expect(await found('StartTime>=2026-03-02')).toEqual([late.sid]);
    expect(await found('StartTime<=2026-03-02')).toEqual([late.sid, early.sid]);
    expect(await found('Status=sleeping')).toBeUndefined();
    expect(await found('StartTime=soon')).toBeUndefined();
    expect((await server.client.calls(early.sid).fetch()).duration).toBe('4');
  });

  it('shows nothing of other accounts', async () => {
    const server = await startApi();
    const { sid } = await stored(server);
    expect(await failed(server.stranger.calls(sid).fetch())).toMatchObject({ status: 404, code: 20404 });
    expect(await failed(server.stranger.calls(sid).remove())).toMatchObject({ status: 404 });
    expect(await failed(server.stranger.calls(sid).update({ status: 'completed' }))).toMatchObject({
      status: 404,
    });
    expect(await server.stranger.calls.list()).toEqual([]);
    expect(server.calls.changes).toEqual([]);
  });
});

describe('changing a call', () => {
  it('ends and redirects it', async () => {
    const server = await startApi();
    const { sid } = await stored(server, { status: 'in-progress' });
    const context = server.client.calls(sid);
    await context.update({ status: 'canceled' });
    await context.update({ status: 'completed', url: 'https://a.example' });
    await context.update({ url: 'https://a.example', method: 'GET' });
    expect((await context.update({ twiml: TWIML })).sid).toBe(sid);
    await context.update({ url: 'https://a.example', twiml: TWIML });
    await context.update();
    expect(server.calls.changes).toEqual([
      [sid, { status: 'canceled' }],
      [sid, { status: 'completed', twiml: { url: 'https://a.example', method: 'POST' } }],
      [sid, { twiml: { url: 'https://a.example', method: 'GET' } }],
      [sid, { twiml: { twiml: TWIML } }],
      [
        sid,
        {
          twiml: { url: 'https://a.example', method: 'POST' },
          warnings: [{ code: 32019, text: 'Twiml was ignored because Url is given' }],
        },
      ],
    ]);
  });

  it('refuses what cannot be done any more, or not at all', async () => {
    const server = await startApi();
    const { sid } = await stored(server, { status: 'completed' });
    const context = server.client.calls(sid);
    server.calls.result = 'not-live';
    expect(await failed(context.update({ twiml: TWIML }))).toEqual({
      status: 400,
      code: 21220,
      message: 'Call is not in-progress. Cannot redirect.',
    });
    expect(await failed(context.update({ status: 'completed' }))).toMatchObject({ code: 21220 });
    expect(await failed(context.update({ status: 'busy' as never }))).toMatchObject({ code: 20001 });
    expect(await failed(context.update({ twiml: 'x'.repeat(4001) }))).toMatchObject({ code: 32018 });
    expect(await failed(context.update({ timeLimit: 5 }))).toMatchObject({ code: 21220 });
    expect(
      await failed(server.client.calls(`CA${'0'.repeat(32)}`).update({ status: 'completed' })),
    ).toMatchObject({ status: 404 });
  });

  it('deletes only what has finished', async () => {
    const server = await startApi();
    const live = await stored(server, { status: 'ringing' });
    const done = await stored(server, { status: 'busy' });
    expect(await failed(server.client.calls(live.sid).remove())).toMatchObject({ status: 400, code: 20009 });
    expect(await server.client.calls(done.sid).remove()).toBe(true);
    expect((await server.client.calls.list()).map(({ sid }) => sid)).toEqual([live.sid]);
  });
});

describe('route traces', () => {
  it('come from the engine while a call is live, from the store afterwards', async () => {
    const server = await startApi();
    const { sid } = await stored(server);
    const path = `/tandem/v1/Calls/${sid}/RouteTrace`;
    expect((await server.ask(path)).status).toBe(404);
    const trace: RouteTrace = { rule: 'by trunk', targets: [], attempts: [], events: [] };
    trace.attempts.push({
      number: 1,
      targetSid: null,
      uri: 'sip:a.example',
      reason: 'first',
      destination: 'udp:192.0.2.1:5060',
      startedAtMs: Date.UTC(2026, 0, 1),
      answers: [{ atMs: Date.UTC(2026, 0, 1) + 1, status: 503, reason: 'No' }],
      endedAtMs: null,
      result: 'under way',
      why: null,
    });
    const shown = {
      call_sid: sid,
      account_sid: OWNER.sid,
      url: server.url + path,
      rule: 'by trunk',
      targets: [],
      events: [],
      attempts: [
        {
          number: 1,
          target_sid: null,
          uri: 'sip:a.example',
          reason: 'first',
          destination: 'udp:192.0.2.1:5060',
          started_at: '2026-01-01T00:00:00.000Z',
          answers: [{ at: '2026-01-01T00:00:00.001Z', status: 503, reason: 'No' }],
          ended_at: null,
          result: 'under way',
          why: null,
        },
      ],
    };
    server.calls.trace = trace;
    expect(await (await server.ask(path)).json()).toEqual(shown);
    server.calls.trace = undefined;
    await server.store.journal.commit({
      trace: { callSid: sid, toJson: () => JSON.stringify({ ...trace, rule: 'stored' }) },
    });
    expect(await (await server.ask(path)).json()).toEqual({ ...shown, rule: 'stored' });
    expect((await server.ask(`/tandem/v1/Calls/CA${'0'.repeat(32)}/RouteTrace`)).status).toBe(404);
  });
});
