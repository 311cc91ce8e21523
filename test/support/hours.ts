// A clock that stands still until it is told, and SIP peers on it: time goes on from timer to timer, and only while nobody
// waits for an answer. Worker threads (store, media) and HTTP keep the real time.
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { BODY } from '../../soak/trunk-party.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { listenAll } from '../../src/sip/transport/listen.ts';
import { createUserAgentOver, type SipUserAgent } from '../../src/sip/user-agent.ts';
import { FakeClock } from './fake-clock.ts';

const PATIENCE_MS = 2000;

/** Everybody's time, and who waits for an answer: it stands still meanwhile. */
export class Hours {
  readonly clock = new FakeClock();
  readonly #startMs = this.clock.now();
  #waiting = 0;

  /** Milliseconds from the start. */
  get passedMs(): number {
    return this.clock.now() - this.#startMs;
  }

  async answer<T>(promise: Promise<T>): Promise<T> {
    this.#waiting += 1;
    return promise.finally(() => (this.#waiting -= 1));
  }

  async passTo(ms: number): Promise<void> {
    await this.#calm();
    while (this.passedMs < ms) {
      const leftMs = ms - this.passedMs;
      const { nextMs = Number.POSITIVE_INFINITY } = this.clock;
      this.clock.advance(Math.min(leftMs, Math.max(0, nextMs - this.clock.now())));
      await this.#calm();
    }
  }

  /** Datagrams within a process are there at once, and read in the next turns; for those who wait for workers it takes time. */
  async #calm(): Promise<void> {
    for (let turns = 0; turns < 8; turns++) await turn();
    for (let ms = 0; this.#waiting > 0 && ms < PATIENCE_MS; ms++) await sleep(1);
  }
}

/** A SIP peer on that time, which answers every call and counts what it hears. */
export class Peer {
  readonly agent: SipUserAgent;
  /** Calls that were answered here and are over: when, and by whom. */
  readonly ended: { readonly atMs: number; readonly by: string }[] = [];
  readonly #heard: Set<string>;

  private constructor(agent: SipUserAgent, heard: Set<string>) {
    this.agent = agent;
    this.#heard = heard;
  }

  /** @param hangsUp calls for such a user, after a while */
  static async open(
    hours: Hours,
    hangsUp?: { readonly user: string; readonly afterMs: number },
  ): Promise<Peer> {
    const heard = new Set<string>();
    const { clock } = hours;
    const world = { clock, random: systemRandom(), log: silentLog };
    const agent = await createUserAgentOver(world, (receive) =>
      listenAll({
        ...world,
        listen: [{ host: '127.0.0.1', port: 0 }],
        receive: (octets, flow) => {
          heard.add(nameOf(octets));
          receive(octets, flow);
        },
      }),
    );
    const peer = new Peer(agent, heard);
    agent.onInvite((invite) => {
      const dialog = invite.accept(BODY);
      const ended = (by: string): void => void peer.ended.push({ atMs: hours.passedMs, by });
      dialog.handle({ ended, offered: () => BODY });
      if (hangsUp && invite.request.uri.includes(`${hangsUp.user}@`))
        clock.after(hangsUp.afterMs, () => dialog.bye());
    });
    return peer;
  }

  get uri(): string {
    return `sip:127.0.0.1:${this.agent.listening[0]?.port}`;
  }

  /** How many requests, or responses to requests, of this method came; those that came again count once. */
  count(what: 'OPTIONS' | 'UPDATE' | '200 UPDATE'): number {
    return [...this.#heard].filter((each) => each.startsWith(`${what} `)).length;
  }
}

/** Method, or status and method, Call-ID and number of a message. */
function nameOf(octets: string): string {
  const [first = '', second = ''] = octets.split(' ', 2);
  const [, number = '', method = ''] = /^CSeq: (\d+) (\w+)/im.exec(octets) ?? [];
  const callId = /^Call-ID: (.*)\r$/im.exec(octets)?.[1];
  return `${first === 'SIP/2.0' ? `${second} ${method}` : first} ${number} ${callId}`;
}
