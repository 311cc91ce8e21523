// The database goes away while calls are up: they go on, the API says 503, and nothing of them is lost.
import { expect, it } from 'vitest';
import { cuttable } from '../support/cuttable.ts';
import { CALL, startExchange } from '../support/exchange.ts';
import { testDatabase } from '../support/test-database.ts';
import { startWebhookApp } from '../support/webhook-app.ts';

/** Until the carrier hangs up. */
const LONG = '<Response><Pause length="60"/></Response>';

it('a call outlives its database', async () => {
  const way = await cuttable(await testDatabase());
  const exchange = await startExchange({ TANDEM_DATABASE: way.database.database });
  try {
    const { client } = exchange;
    const carrier = await exchange.carrier();
    const order = {
      ...CALL,
      byoc: await exchange.trunkTo(carrier.uri),
      twiml: LONG,
    };
    const { sid } = await client.calls.create(order);
    await exchange.reached(sid, 'in-progress');

    way.cut();
    const away = { status: 503, code: 20503 };
    await expect(client.calls.create(order)).rejects.toMatchObject(away);
    await expect(client.voice.v1.byocTrunks(order.byoc).fetch()).rejects.toMatchObject(away);
    await expect(client.voice.v1.byocTrunks.create()).rejects.toMatchObject(away);
    await expect(client.calls(sid).fetch()).rejects.toMatchObject(away);
    expect((await fetch(`${exchange.tandem.http}/readyz`)).status).toBe(503);
    expect(exchange.counts().calls).toBe(1);
    carrier.hangUp();
    await carrier.event('ended');

    way.mend();
    await exchange.quiet();
    expect(await client.calls(sid).fetch()).toMatchObject({
      status: 'completed',
      duration: expect.any(String),
    });
    expect((await exchange.trace(sid)).events.at(-1)?.text).toContain('completed');
    await client.voice.v1.byocTrunks.create();
  } finally {
    await exchange.stop();
  }
});

it('calls under way end, and their callbacks arrive in order, when their database comes back', async () => {
  const way = await cuttable(await testDatabase());
  const exchange = await startExchange({ TANDEM_DATABASE: way.database.database });
  const app = await startWebhookApp();
  try {
    const { client } = exchange;
    const carrier = await exchange.carrier({ ringMs: 0 });
    const byoc = await exchange.trunkTo(carrier.uri);
    const calls = await Promise.all(
      Array.from({ length: 30 }, () =>
        client.calls.create({
          ...CALL,
          byoc,
          twiml: LONG,
          statusCallback: app.url,
          statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
        }),
      ),
    );
    for (const { sid } of calls) await exchange.reached(sid, 'in-progress');
    way.cut();
    carrier.hangUp();
    await expect.poll(() => exchange.tandem.counts().dialogs, { timeout: 15_000 }).toBe(0);
    const ends = () => app.requests.filter(({ parameters }) => parameters.CallStatus === 'completed');
    expect(ends()).toEqual([]);
    way.mend();
    await exchange.quiet();
    for (const { sid } of calls) {
      expect(await client.calls(sid).fetch()).toMatchObject({ status: 'completed' });
      const told = app.requests.filter(({ parameters }) => parameters.CallSid === sid);
      expect(told.map(({ parameters }) => parameters.SequenceNumber)).toEqual(['0', '1', '2', '3']);
    }
  } finally {
    await app.close();
    await exchange.stop();
  }
}, 60_000);
