// A network in memory: datagrams that get lost, overtake each other and come twice, as a seed says, in a clock's time.
import type { Clock } from '../../src/lib/clock.ts';
import type { Random } from '../../src/lib/random.ts';
import type { Endpoint } from '../../src/sip/index.ts';
import type { Receive, Transport } from '../../src/sip/transport/transport.ts';

export interface Weather {
  /** Share of datagrams that never come. */
  readonly loss: number;
  /** Share that comes twice. */
  readonly duplicates: number;
  /** Each takes up to so long: what was sent later may come first. */
  readonly maxDelayMs: number;
}

export const FAIR_WEATHER: Weather = { loss: 0, duplicates: 0, maxDelayMs: 0 };

export class MemoryLink {
  /** Start lines of everything sent, in order. */
  readonly sent: string[] = [];
  readonly octets: string[] = [];
  weather: Weather;
  /** Says for each datagram whether it is lost, before the weather does. */
  swallow: (octets: string) => boolean = () => false;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #receivers = new Map<string, { receive: Receive; transport: Transport }>();

  constructor(clock: Clock, random: Random, weather = FAIR_WEATHER) {
    this.#clock = clock;
    this.#random = random;
    this.weather = weather;
  }

  /** A transport at `address`, port 5060. */
  attach(address: string, receive: Receive): Transport {
    const local: Endpoint = { transport: 'udp', address, port: 5060 };
    const transport: Transport = {
      local,
      sentBy: `${address}:5060`,
      send: (octets, to) => this.#send(octets, local, to),
      hasFlow: () => true,
      close: async () => void this.#receivers.delete(address),
    };
    this.#receivers.set(address, { receive, transport });
    return transport;
  }

  #send(octets: string, from: Endpoint, to: Endpoint): void {
    this.sent.push(octets.slice(0, octets.indexOf('\r\n')));
    this.octets.push(octets);
    const { loss, duplicates, maxDelayMs } = this.weather;
    if (this.swallow(octets)) return;
    for (let copies = this.#random.fraction() < duplicates ? 2 : 1; copies > 0; copies--) {
      if (this.#random.fraction() < loss) continue;
      this.#clock.after(this.#random.fraction() * maxDelayMs, () => this.#arrive(octets, from, to));
    }
  }

  #arrive(octets: string, from: Endpoint, to: Endpoint): void {
    const there = this.#receivers.get(to.address);
    there?.receive(octets, { transport: there.transport, peer: from });
  }
}
