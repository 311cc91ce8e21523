// The built-in carrier: listens for SIP calls and treats each by the number it dials.
import { isIPv6 } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { MediaEngine } from '../media/index.ts';
import {
  createUserAgent,
  type Endpoint,
  parseUri,
  type RequestView,
  type ServerInvite,
  type ServerRequest,
  type TlsOptions,
  type TransportName,
  type UserAgent,
} from '../sip/index.ts';
import { type Behaviour, behaviourOf, type Treatment, treatmentOf } from './behaviours.ts';
import { type CallEvent, CarrierCall, type CarrierTimes } from './carrier-call.ts';

export interface CarrierCallView {
  /** The Call-ID. */
  readonly id: string;
  /** The number dialled: user part of the Request-URI. */
  readonly to: string;
  /** The From header. */
  readonly from: string;
  readonly behaviour: Behaviour;
}

/** A call that is ignored has `invite` only. */
export type CarrierEvent = { readonly call: CarrierCallView } & (
  | { readonly type: 'invite'; readonly request: RequestView }
  | CallEvent
);

/** By default a call rings for 1 s, a slow one is silent for 5 s before, and what comes later comes after 1 s. */
export interface CarrierOptions extends Partial<CarrierTimes> {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** UDP without it; TLS needs `tls`. */
  readonly transport?: TransportName;
  readonly tls?: TlsOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Not closed with the carrier. */
  readonly media: MediaEngine;
  /** The same for every number. */
  readonly always?: Behaviour;
  /** The same for every number, and none of those that have a name. */
  readonly treatment?: Treatment;
  /** How much of what is heard is kept of each call. Default 10 s. */
  readonly captureMs?: number;
  readonly onEvent?: (event: CarrierEvent) => void;
}

export interface Carrier {
  /** `ip:port`, IPv6 in brackets. */
  readonly address: string;
  /** `sip:ip:port`, with the transport where it is not UDP. */
  readonly uri: string;
  /** Calls that ring or are answered. */
  calls(): readonly (CarrierCallView & { readonly answered: boolean })[];
  /**
   * What a call heard, 8 kHz; also of the latest calls that are over.
   * Rejects with RangeError for a call that it does not know.
   */
  captured(id: string): Promise<Int16Array>;
  /** Hangs up by BYE, or refuses a call that rings with 480. A call that is over or unknown is left alone. */
  hangUp(id: string): void;
  /** Hangs up every call and stops listening. */
  close(): Promise<void>;
}

/** Calls that are over and whose sound is kept. */
const MAX_REMEMBERED = 32;
const MAX_IGNORED = 1000;

/** @throws {Error} of the system (`EADDRINUSE` …) when it cannot listen. */
export async function startCarrier(options: CarrierOptions): Promise<Carrier> {
  const { host, port, transport = 'udp', tls, clock, random, log } = options;
  const calls = new CarrierCalls(options);
  const agent = await createUserAgent({
    clock,
    random,
    log,
    listen: [{ host, port, transport }],
    ...(tls && { tls }),
    product: 'Tandem carrier',
    ignore: (request) => calls.ignores(request),
  });
  agent.onInvite((invite) => calls.take(invite));
  if (calls.refusesOptions) agent.onRequest('OPTIONS', (request) => calls.refuseOptions(request));
  return {
    address: addressOf(agent),
    uri: `sip:${addressOf(agent)}${transport === 'udp' ? '' : `;transport=${transport}`}`,
    calls: () => calls.live(),
    captured: (id) => calls.captured(id),
    hangUp: (id) => calls.hangUp(id),
    close: async () => {
      calls.hangUpAll();
      await agent.close();
    },
  };
}

class CarrierCalls {
  readonly #options: CarrierOptions;
  readonly #live = new Map<string, { readonly view: CarrierCallView; readonly call: CarrierCall }>();
  readonly #over = new Map<string, CarrierCall>();
  /** Call-IDs that were ignored: their retransmissions are no news. */
  readonly #ignored = new Set<string>();

  constructor(options: CarrierOptions) {
    this.#options = options;
  }

  ignores(request: RequestView): boolean {
    const call = this.#view(request);
    if (this.#treatment(call).kind !== 'ignore') return false;
    if (this.#ignored.has(call.id)) return true;
    if (this.#ignored.size >= MAX_IGNORED) this.#ignored.clear();
    this.#ignored.add(call.id);
    this.#options.onEvent?.({ type: 'invite', call, request });
    return true;
  }

  take(invite: ServerInvite): void {
    const view = this.#view(invite.request);
    const { clock, log, media, captureMs = 10_000, onEvent } = this.#options;
    const { ringMs = 1000, slowMs = 5000, holdMs = 1000 } = this.#options;
    const call = new CarrierCall({
      id: view.id,
      treatment: this.#treatment(view),
      invite,
      clock,
      log,
      media,
      captureMs,
      times: { ringMs, slowMs, holdMs },
      tell: (event) => {
        if (call.state === 'over') this.#remember(view.id, call);
        onEvent?.({ ...event, call: view });
      },
    });
    this.#live.set(view.id, { view, call });
    onEvent?.({ type: 'invite', call: view, request: invite.request });
    call.start();
  }

  live(): ReturnType<Carrier['calls']> {
    return [...this.#live.values()].map(({ view, call }) => ({
      ...view,
      answered: call.state === 'answered',
    }));
  }

  captured(id: string): Promise<Int16Array> {
    const call = this.#live.get(id)?.call ?? this.#over.get(id);
    return call ? call.captured() : Promise.reject(new RangeError(`the carrier knows no call "${id}"`));
  }

  hangUp(id: string): void {
    this.#live.get(id)?.call.hangUp();
  }

  hangUpAll(): void {
    for (const { call } of this.#live.values()) call.hangUp();
  }

  #treatment({ behaviour }: CarrierCallView): Treatment {
    return this.#options.treatment ?? treatmentOf(behaviour);
  }

  /** Out of service or silent towards every call is so towards every OPTIONS too. */
  get refusesOptions(): boolean {
    const usual = this.#usual;
    return usual.kind === 'ignore' || (usual.kind === 'refuse' && usual.status === 503);
  }

  refuseOptions(request: ServerRequest): void {
    if (this.#usual.kind === 'refuse') request.respond(503);
  }

  get #usual(): Treatment {
    return this.#options.treatment ?? treatmentOf(this.#options.always ?? 'echo');
  }

  #remember(id: string, call: CarrierCall): void {
    this.#live.delete(id);
    this.#over.set(id, call);
    const [oldest] = this.#over.keys();
    if (this.#over.size > MAX_REMEMBERED && oldest !== undefined) this.#over.delete(oldest);
  }

  #view(request: RequestView): CarrierCallView {
    // A user part may carry parameters of its own: `+15550486;phone-context=…` (RFC 3261 §19.1.6).
    const to = (parseUri(request.uri).user ?? '').split(';', 1)[0] as string;
    return {
      id: request.header('Call-ID') ?? '',
      to,
      from: request.header('From') ?? '',
      behaviour: this.#options.always ?? behaviourOf(to),
    };
  }
}

function addressOf(agent: UserAgent): string {
  const { address, port } = agent.listening[0] as Endpoint;
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
