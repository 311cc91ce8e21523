// Many calls through the REST API: placed as fast as the exchange ends them, each followed to its end by its callback.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import type { Tandem } from '../../src/tandem.ts';

type Form = Readonly<Record<string, string | readonly string[]>>;

const FINAL: readonly string[] = ['completed', 'busy', 'failed', 'no-answer', 'canceled'];

export interface CallLoad {
  /** A trunk over a policy with these targets; resolves with its sid. */
  trunkTo(targets: readonly Form[]): Promise<string>;
  /** Places so many calls and waits for each to end; resolves with how many ended in each status. */
  place(
    count: number,
    of: {
      /** The form of a call; who calls and what is said to the callee are given. */
      readonly order: (number: number) => Form;
      readonly ended?: (done: number, sid: string) => void;
      /** No more are placed from then on. */
      readonly isOver?: () => boolean;
    },
  ): Promise<Record<string, number>>;
  get(path: string): Promise<string>;
  close(): Promise<void>;
}

/** @param parallel how many calls are under way at once. */
export async function startCallLoad(tandem: Tandem, parallel: number): Promise<CallLoad> {
  const app = await startApp();
  const api = new Api(tandem, parallel);
  return {
    async trunkTo(targets) {
      const policy = await api.post('/v1/ConnectionPolicies', {});
      for (const target of targets) await api.post(`/v1/ConnectionPolicies/${policy}/Targets`, target);
      return api.post('/v1/ByocTrunks', { ConnectionPolicySid: policy });
    },
    async place(count, { order, ended, isOver = () => false }) {
      const statuses: Record<string, number> = {};
      let [placed, done] = [0, 0];
      const placeInTurn = async (): Promise<void> => {
        while (placed < count && !isOver()) {
          const sid = await api.post(`/2010-04-01/Accounts/${tandem.account.accountSid}/Calls.json`, {
            From: '+15550009999',
            Twiml: '<Response><Hangup/></Response>',
            StatusCallback: app.url,
            ...order(placed++),
          });
          const status = await app.ended(sid);
          statuses[status] = (statuses[status] ?? 0) + 1;
          done += 1;
          ended?.(done, sid);
        }
      };
      await Promise.all(Array.from({ length: parallel }, placeInTurn));
      return statuses;
    },
    get: (path) => api.get(path),
    close: async () => {
      await api.close();
      app.close();
    },
  };
}

class Api {
  readonly #pool: Pool;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ http, account }: Tandem, parallel: number) {
    this.#pool = new Pool(http, { connections: parallel });
    const { accountSid, authToken } = account;
    this.#headers = {
      authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
  }

  /** Resolves with the sid of what was created. */
  async post(path: string, form: Form): Promise<string> {
    const pairs = Object.entries(form).flatMap(([name, values]) =>
      [values].flat().map((value): [string, string] => [name, String(value)]),
    );
    const body = new URLSearchParams(pairs).toString();
    const response = await this.#pool.request({ path, method: 'POST', headers: this.#headers, body });
    const text = await response.body.text();
    if (response.statusCode !== 201) throw new Error(`${path}: ${response.statusCode} ${text}`);
    return (JSON.parse(text) as { sid: string }).sid;
  }

  async get(path: string): Promise<string> {
    const response = await this.#pool.request({ path, method: 'GET', headers: this.#headers });
    return response.body.text();
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** Takes the status callbacks that tell of calls' ends. */
async function startApp() {
  const waiting = new Map<string, (status: string) => void>();
  /** Told before anybody asked. */
  const early = new Map<string, string>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      response.writeHead(204).end();
      const form = new URLSearchParams(body);
      const [sid, status] = [form.get('CallSid') ?? '', form.get('CallStatus') ?? ''];
      if (!FINAL.includes(status)) return;
      const tell = waiting.get(sid);
      if (tell) tell(status);
      else early.set(sid, status);
      waiting.delete(sid);
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ended`,
    ended: (sid: string): Promise<string> => {
      const told = early.get(sid);
      early.delete(sid);
      return told === undefined ? new Promise((resolve) => waiting.set(sid, resolve)) : Promise.resolve(told);
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
