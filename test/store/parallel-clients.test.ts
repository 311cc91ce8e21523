// Two hundred clients at once, on either engine: nothing is lost, nothing dangles, nobody sees a 500.
import { expect, it } from 'vitest';
import { seededRandom } from '../../src/lib/random.ts';
import { byocTrunk, connectionPolicy, connectionPolicyTarget } from '../../src/resources/index.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

const CLIENTS = 200;
const STEPS = 6;

type Json = { readonly sid: string } & Record<string, unknown>;

interface Reply {
  readonly status: number;
  readonly body: Json | undefined;
}

/** A client of its own memory: what it was told exists. */
class Client {
  readonly statuses: number[] = [];
  readonly policies = new Set<string>();
  readonly trunks = new Map<string, string>();
  readonly #ask: ApiServer['ask'];
  readonly #fraction: () => number;

  constructor({ ask }: ApiServer, seed: number) {
    this.#ask = ask;
    this.#fraction = seededRandom(seed).fraction;
  }

  /** @param shared policies that every client uses and deletes. */
  async step(shared: readonly string[]): Promise<void> {
    const chance = this.#fraction();
    const [own] = this.policies;
    const sharedSid = shared[Math.floor(this.#fraction() * shared.length)] as string;
    if (chance < 0.3 || own === undefined) return this.#createPolicy();
    if (chance < 0.5) return this.#createTrunk(own);
    if (chance < 0.65)
      return void (await this.#post(`/v1/ConnectionPolicies/${sharedSid}/Targets`, {
        Target: 'sip:a.example',
      }));
    if (chance < 0.75) return void (await this.#post('/v1/ByocTrunks', { ConnectionPolicySid: sharedSid }));
    if (chance < 0.8) return void (await this.#send('DELETE', `/v1/ConnectionPolicies/${sharedSid}`));
    const [trunk] = this.trunks.keys();
    if (trunk !== undefined) return this.#deleteTrunk(trunk);
    return this.#deletePolicy(own);
  }

  async #createPolicy(): Promise<void> {
    const { status, body } = await this.#post('/v1/ConnectionPolicies', { FriendlyName: 'x' });
    if (status === 201 && body) this.policies.add(body.sid);
  }

  async #createTrunk(policy: string): Promise<void> {
    const { status, body } = await this.#post('/v1/ByocTrunks', { ConnectionPolicySid: policy });
    if (status === 201 && body) this.trunks.set(body.sid, policy);
  }

  async #deleteTrunk(sid: string): Promise<void> {
    const { status } = await this.#send('DELETE', `/v1/ByocTrunks/${sid}`);
    expect(status).toBe(204);
    this.trunks.delete(sid);
  }

  async #deletePolicy(sid: string): Promise<void> {
    const { status } = await this.#send('DELETE', `/v1/ConnectionPolicies/${sid}`);
    expect(status).toBe(204);
    this.policies.delete(sid);
  }

  #post(path: string, form: Record<string, string>): Promise<Reply> {
    return this.#send('POST', path, new URLSearchParams(form));
  }

  async #send(method: string, path: string, body?: URLSearchParams): Promise<Reply> {
    const response = await this.#ask(path, { method, ...(body && { body }) });
    const text = await response.text();
    this.statuses.push(response.status);
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as Json) };
  }
}

it('two hundred clients create and delete at once', async () => {
  const server = await startApi();
  const { client, store } = server;
  const shared = await Promise.all(
    Array.from({ length: 5 }, async () => (await client.voice.v1.connectionPolicies.create()).sid),
  );
  const clients = Array.from({ length: CLIENTS }, (_, seed) => new Client(server, seed));
  await Promise.all(
    clients.map(async (each) => {
      for (let step = 0; step < STEPS; step++) await each.step(shared);
    }),
  );

  const statuses = new Set(clients.flatMap((each) => each.statuses));
  expect([...statuses].filter((status) => ![201, 204, 400, 404].includes(status))).toEqual([]);

  const policies = new Set((await client.voice.v1.connectionPolicies.list()).map(({ sid }) => sid));
  const trunks = new Map(
    (await client.voice.v1.byocTrunks.list()).map((each) => [each.sid, each.connectionPolicySid]),
  );
  for (const each of clients) {
    expect([...each.policies].filter((sid) => !policies.has(sid))).toEqual([]);
    for (const [sid, policy] of each.trunks) expect(trunks.get(sid)).toBe(policy);
  }
  expect([...trunks.values()].filter((sid) => sid !== null && !policies.has(sid))).toEqual([]);

  for (const definition of [connectionPolicy, connectionPolicyTarget, byocTrunk]) {
    const { rows } = await store.list(definition, { limit: 5000 });
    expect(store.directory.all(definition).length).toBe(rows.length);
    for (const row of rows) expect(store.directory.find(definition, row.sid)).toEqual(row);
  }
  for (const sid of shared) {
    expect(store.directory.children(connectionPolicyTarget, sid).length).toBeLessThanOrEqual(10);
  }
}, 60_000);
