// The database goes away while calls are up: they go on, the API says 503, and nothing of them is lost.
import { expect, it } from 'vitest';
import { cuttable } from '../support/cuttable.ts';
import { startExchange } from '../support/exchange.ts';
import { testDatabase } from '../support/test-database.ts';

it('a call outlives its database', async () => {
  const way = await cuttable(await testDatabase());
  const exchange = await startExchange({ TANDEM_DATABASE: way.database.database });
  try {
    const { client } = exchange;
    const carrier = await exchange.carrier();
    const policy = await client.voice.v1.connectionPolicies.create();
    await client.voice.v1.connectionPolicies(policy.sid).targets.create({ target: carrier.uri });
    const trunk = await client.voice.v1.byocTrunks.create({ connectionPolicySid: policy.sid });
    const order = {
      to: '+15550001234',
      from: '+15550009999',
      byoc: trunk.sid,
      twiml: '<Response><Pause length="1"/></Response>',
    };
    const { sid } = await client.calls.create(order);
    await exchange.reached(sid, 'in-progress');

    way.cut();
    const away = { status: 503, code: 20503 };
    await expect(client.calls.create(order)).rejects.toMatchObject(away);
    await expect(client.voice.v1.byocTrunks(trunk.sid).fetch()).rejects.toMatchObject(away);
    await expect(client.voice.v1.byocTrunks.create()).rejects.toMatchObject(away);
    await expect(client.calls(sid).fetch()).rejects.toMatchObject(away);
    expect((await fetch(`${exchange.tandem.http}/readyz`)).status).toBe(503);
    expect(exchange.counts().calls).toBe(1);
    await carrier.event('ended');

    way.mend();
    await exchange.quiet();
    expect(await client.calls(sid).fetch()).toMatchObject({ status: 'completed', duration: '1' });
    expect((await exchange.trace(sid)).events.at(-1)?.text).toContain('completed');
    await client.voice.v1.byocTrunks.create();
  } finally {
    await exchange.stop();
  }
});
