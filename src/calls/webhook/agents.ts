// Pools of connections, one for each way to connect that overrides ask for.
import { Agent, type buildConnector, Pool } from 'undici';
import { Connection } from './connection.ts';
import { type ConnectorParts, guardedConnector } from './connector.ts';
import type { Overrides } from './overrides.ts';

/** Nearly everybody uses the default; who varies them at will shall not fill the memory with pools. */
const MAX_AGENTS = 16;

export class WebhookAgents {
  readonly #parts: ConnectorParts;
  readonly #agents = new Map<string, Agent>();

  constructor(parts: ConnectorParts) {
    this.#parts = parts;
  }

  /** @param kept connections are used again; otherwise every request has one of its own. */
  get(overrides: Pick<Overrides, 'connectMs' | 'sni'>, kept: boolean): Agent {
    const key = `${overrides.connectMs} ${overrides.sni} ${kept}`;
    const agent = this.#agents.get(key) ?? newAgent(guardedConnector(this.#parts, overrides), kept);
    // The one that was used last comes last.
    this.#agents.delete(key);
    this.#agents.set(key, agent);
    const [oldest] = this.#agents;
    if (this.#agents.size > MAX_AGENTS && oldest) {
      this.#agents.delete(oldest[0]);
      // What is under way comes to its end.
      void oldest[1].close().catch(() => {});
    }
    return agent;
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#agents.values(), (agent) => agent.destroy()));
  }
}

const newAgent = (connect: buildConnector.connector, kept: boolean): Agent =>
  new Agent({
    connect,
    allowH2: false,
    // Undici's way of saying that a connection is for one request.
    pipelining: kept ? 1 : 0,
    factory: (origin, options) =>
      new Pool(origin, { ...options, factory: (host, given) => new Connection(host, given) }),
  });
