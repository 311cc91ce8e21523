// The REST API on a real socket and a real store, with calls that a test plays itself.
import type { AddressInfo } from 'node:net';
import type twilio from 'twilio';
import { onTestFinished } from 'vitest';
import { type ApiOptions, createApi } from '../../src/api/index.ts';
import type { CallControl, CallOrder, ModifyResult } from '../../src/calls/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { account, call, newRow, type Row } from '../../src/resources/index.ts';
import type { RouteTrace } from '../../src/routing/index.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { testDatabase } from './test-database.ts';
import { twilioClient } from './twilio-client.ts';

export const OWNER = { sid: `AC${'1'.repeat(32)}`, token: 'token-of-the-owner' };
export const STRANGER = { sid: `AC${'2'.repeat(32)}`, token: 'token-of-a-stranger' };

const world = { clock: systemClock, random: systemRandom() };

/** Stores what it is asked for and does nothing more. */
export class FakeCalls implements CallControl {
  accepting = true;
  readonly orders: CallOrder[] = [];
  readonly changes: unknown[] = [];
  result: ModifyResult = 'done';
  trace: RouteTrace | undefined;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async place(order: CallOrder): Promise<Row<typeof call>> {
    this.orders.push(order);
    const { accountSid, to, from } = order;
    const row = newRow(call, { accountSid, to, from, direction: 'outbound-api' }, world);
    await this.#store.journal.commit({ insert: row });
    return row;
  }

  async end(...change: Parameters<CallControl['end']>): Promise<ModifyResult> {
    this.changes.push(change);
    return this.result;
  }

  async redirect(...change: Parameters<CallControl['redirect']>): Promise<ModifyResult> {
    this.changes.push(change);
    return this.result;
  }

  explain(): never {
    throw new Error('the engine explains; test/e2e asks it');
  }

  liveTrace(): RouteTrace | undefined {
    return this.trace;
  }
}

export interface ApiServer {
  readonly url: string;
  readonly port: number;
  readonly store: Store;
  readonly calls: FakeCalls;
  readonly client: twilio.Twilio;
  readonly stranger: twilio.Twilio;
  /** Without the official client: a path and fetch's options, the owner's credentials added. */
  ask(path: string, options?: RequestInit): Promise<Response>;
}

/** On the engine of the vitest project; closed when the test is over. */
export async function startApi(
  config: ApiOptions['config'] = {},
  changes: Partial<Pick<ApiOptions, 'log' | 'counts'>> = {},
): Promise<ApiServer> {
  const store = await openStore({
    ...(await testDatabase()),
    key: Buffer.alloc(32),
    log: silentLog,
    ...world,
  });
  for (const { sid, token } of [OWNER, STRANGER]) {
    await store.insert(account, newRow(account, { sid, accountSid: sid, authToken: token }, world));
  }
  const calls = new FakeCalls(store);
  const server = await createApi({ store, calls, config, log: silentLog, ...world, ...changes });
  await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await server.close();
    await store.close();
  });
  const { port } = server.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const authorization = basic(OWNER.sid, OWNER.token);
  return {
    url,
    port,
    store,
    calls,
    client: twilioClient(url, OWNER.sid, OWNER.token),
    stranger: twilioClient(url, STRANGER.sid, STRANGER.token),
    ask: (path, options = {}) =>
      fetch(url + path, { ...options, headers: { authorization, ...options.headers } }),
  };
}

export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
