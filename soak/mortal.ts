// A SIP peer that answers every call, dies without a word, and comes back to the same place.
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import { createUserAgent, type SipUserAgent } from '../src/sip/index.ts';
import { BODY } from './trunk-party.ts';

export class Mortal {
  readonly #port: number;
  #agent: SipUserAgent | undefined;

  private constructor(agent: SipUserAgent) {
    this.#agent = agent;
    this.#port = agent.listening[0]?.port ?? 0;
  }

  static async open(): Promise<Mortal> {
    return new Mortal(await answering(0));
  }

  get uri(): string {
    return `sip:127.0.0.1:${this.#port}`;
  }

  /** Nobody hears of it, those in its calls neither. */
  async die(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.close();
  }

  async comeBack(): Promise<void> {
    this.#agent ??= await answering(this.#port);
  }
}

async function answering(port: number): Promise<SipUserAgent> {
  const world = { clock: systemClock, random: systemRandom(), log: silentLog };
  const agent = await createUserAgent({ ...world, listen: [{ host: '127.0.0.1', port }] });
  agent.onInvite((invite) => {
    invite.progress(180);
    invite.accept(BODY).handle({ ended() {}, offered: () => BODY });
  });
  return agent;
}
