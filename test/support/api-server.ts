// The REST API on a real socket and a real store, with calls that a test plays itself.
import type { AddressInfo } from 'node:net';
import type twilio from 'twilio';
import { onTestFinished } from 'vitest';
import { type Api, type ApiOptions, createApi } from '../../src/api/index.ts';
import {
  type CallControl,
  type CallOrder,
  type ModifyResult,
  RecordingFiles,
} from '../../src/calls/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import {
  account,
  call,
  callEvent,
  callNotification,
  newRow,
  type Row,
  recording,
  registration,
  rejectedCall,
} from '../../src/resources/index.ts';
import type { RouteTrace } from '../../src/routing/index.ts';
import { type OutboxRow, openStore, type Store } from '../../src/store/index.ts';
import { tempFolder } from './temp-folder.ts';
import { testDatabase } from './test-database.ts';
import { basic, twilioClient } from './twilio-client.ts';

export const OWNER = { sid: `AC${'1'.repeat(32)}`, token: 'token-of-the-owner' };
export const STRANGER = { sid: `AC${'2'.repeat(32)}`, token: 'token-of-a-stranger' };

const world = { clock: systemClock, random: systemRandom() };

const RECORDED = { source: 'OutboundAPI', channels: 2, status: 'completed', duration: 4 } as const;

/** Stores what it is asked for, with an event, a notification and a recording, and does nothing more. */
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

  isEmergency(): boolean {
    return false;
  }

  judgeNumber() {
    return { kind: 'no-emergency' } as const;
  }

  async place(order: CallOrder): Promise<Row<typeof call>> {
    this.orders.push(order);
    const { accountSid, to, from } = order;
    const row = newRow(call, { accountSid, to, from, direction: 'outbound-api' }, world);
    const below = { accountSid, callSid: row.sid };
    const event = newRow(callEvent, { ...below, request: '{}', response: '{}' }, world);
    const fault = { log: 1, errorCode: '12200', messageText: 'a fault', messageDate: world.clock.now() };
    const notice = newRow(callNotification, { ...below, ...fault }, world);
    const records = [
      { definition: callEvent, row: event },
      { definition: callNotification, row: notice },
      { definition: recording, row: newRow(recording, { ...below, ...RECORDED }, world) },
    ];
    await this.#store.journal.commit({ insert: row, records });
    return row;
  }

  async change(...change: Parameters<CallControl['change']>): Promise<ModifyResult> {
    this.changes.push(change);
    return this.result;
  }

  startRecording(): never {
    throw new Error('the engine records; test/e2e asks it');
  }

  async changeRecording(): Promise<'not-live'> {
    return 'not-live';
  }

  explain(): never {
    throw new Error('the engine explains; test/e2e asks it');
  }

  liveTrace(): RouteTrace | undefined {
    return this.trace;
  }
}

/** A device that registered with the owner, and a call that was refused. */
function comers() {
  const source = {
    accountSid: OWNER.sid,
    sourceIp: '192.0.2.1',
    sourcePort: 5060,
    transport: 'udp',
  } as const;
  const bound = {
    aor: 'sip:bob@a.sip.twilio.com',
    username: 'bob',
    contact: 'sip:bob@192.0.2.1',
    contactKey: 'c',
  };
  const domain = { domain: 'a.sip.twilio.com', domainSid: `SD${'1'.repeat(32)}` };
  const asked = { sipCallId: 'a', cseq: 1, expiresAt: world.clock.now() };
  const told = { method: 'INVITE', reason: 'nobody knows it', lastRejectedAt: world.clock.now() } as const;
  return [
    {
      definition: registration,
      row: newRow(registration, { ...source, ...bound, ...domain, ...asked }, world),
    },
    { definition: rejectedCall, row: newRow(rejectedCall, { ...source, ...domain, ...told }, world) },
  ];
}

/** A status callback that was delivered. */
const TOLD: OutboxRow = {
  id: 'told',
  callSid: `CA${'1'.repeat(32)}`,
  accountSid: OWNER.sid,
  sequence: 0,
  url: 'https://user:secret@app.example/told',
  method: 'POST',
  parameters: 'CallStatus=completed&Digits=1234',
  attempts: 0,
};

export interface ApiServer {
  readonly server: Api;
  readonly url: string;
  readonly port: number;
  readonly store: Store;
  readonly calls: FakeCalls;
  /** Where the sound of recordings is looked for; nothing is there. */
  readonly recordings: RecordingFiles;
  readonly client: twilio.Twilio;
  readonly stranger: twilio.Twilio;
  /** Without the official client: a path and fetch's options, the owner's credentials added. */
  ask(path: string, options?: RequestInit): Promise<Response>;
}

/** On the engine of the vitest project; closed when the test is over. */
export async function startApi(
  config: ApiOptions['config'] = {},
  changes: Partial<Pick<ApiOptions, 'log' | 'counts' | 'health' | 'callbacks'>> = {},
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
  await store.journal.commit({ records: comers(), outbox: [TOLD] });
  await store.journal.tried(TOLD.id, { status: 'delivered', attempts: 1, nextAttemptAt: null });
  const calls = new FakeCalls(store);
  const recordings = new RecordingFiles(tempFolder());
  const server = await createApi({ store, calls, recordings, config, log: silentLog, ...world, ...changes });
  await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await server.close();
    await store.close();
  });
  const { port } = server.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const authorization = basic(OWNER.sid, OWNER.token);
  return {
    server,
    url,
    port,
    store,
    calls,
    recordings,
    client: twilioClient(url, OWNER.sid, OWNER.token),
    stranger: twilioClient(url, STRANGER.sid, STRANGER.token),
    ask: (path, options = {}) =>
      fetch(url + path, { ...options, headers: { authorization, ...options.headers } }),
  };
}
