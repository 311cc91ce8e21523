// The wall clock is set while calls are up: none ends of it, and none gets longer or shorter.
import { expect, it, onTestFinished } from 'vitest';
import { startExchange } from '../support/exchange.ts';

const DAY_MS = 86_400_000;

it.each([
  ['forward', DAY_MS],
  ['back', -DAY_MS],
])(
  'a day %s',
  async (_where, byMs) => {
    const exchange = await startExchange({ TANDEM_CALLS_PER_SECOND: '5' });
    onTestFinished(() => exchange.stop());
    const { client } = exchange;
    const carrier = await exchange.carrier({ holdMs: 60_000 });
    const byoc = await exchange.trunkTo(carrier.uri);
    // Longer than what is left of the test, far shorter than a day.
    const sid = await exchange.place(byoc, { timeLimit: 3600 });
    await exchange.reached(sid, 'in-progress');
    exchange.setClock(byMs);
    await client.calls(sid).update({ timeLimit: 3601 });
    // Calls get their turn as before.
    const others = await Promise.all(Array.from({ length: 3 }, () => exchange.place(byoc)));
    for (const other of others) await exchange.reached(other, 'in-progress');
    const { duration, startTime, endTime } = await client.calls(sid).update({ status: 'completed' });
    expect(Number(duration)).toBeGreaterThanOrEqual(0);
    expect(Number(duration)).toBeLessThan(3600);
    const lasted = endTime.getTime() - startTime.getTime();
    expect(lasted).toBeGreaterThanOrEqual(0);
    expect(lasted).toBeLessThan(3_600_000);
    for (const other of others) expect((await client.calls(other).fetch()).status).toBe('in-progress');
  },
  120_000,
);
