// Pools of connections, one for each way to connect that overrides ask for.
import { Agent } from 'undici';
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

  get(overrides: Pick<Overrides, 'connectMs' | 'sni'>): Agent {
    const key = `${overrides.connectMs} ${overrides.sni}`;
    const agent =
      this.#agents.get(key) ??
      new Agent({ connect: guardedConnector(this.#parts, overrides), pipelining: 1, allowH2: false });
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
