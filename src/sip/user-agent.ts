// The API of the stack: binds the sockets, composes the layers, and shows each incoming message its place.
import { isIPv6 } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { isLoopback } from '../lib/networks.ts';
import type { Random } from '../lib/random.ts';
import type {
  AgentCounts,
  ClientInvite,
  Endpoint,
  InviteHandlers,
  InviteOptions,
  ServerInvite,
  UserAgent,
} from './agent.ts';
import { Inbound, type InboundOptions } from './inbound.ts';
import type { InboundDialog, Stack } from './stack.ts';
import { TransactionLayer } from './transaction/layer.ts';
import { RFC_TIMERS } from './transaction/timers.ts';
import type { Transport } from './transport/transport.ts';
import { listenUdp } from './transport/udp.ts';
import { sendInvite } from './uac.ts';

export interface UserAgentOptions extends InboundOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Port 0 takes any free one. An IPv6 host takes IPv6 only. */
  readonly listen: readonly { readonly host: string; readonly port: number }[];
  /** Address in Via and Contact; the listening host without one. */
  readonly advertise?: string;
  /** User-Agent and Server header. */
  readonly product?: string;
  /**
   * Whether requests inside a dialog may go to an address that the peer's Contact or Record-Route names; the flow's
   * own source is taken otherwise. All may without it.
   */
  readonly reachable?: (address: string) => boolean;
}

export interface SipUserAgent extends UserAgent {
  /** Datagrams that led to nothing: garbage, and responses nobody waits for. */
  readonly dropped: number;
}

/** @throws {Error} of the system (`EADDRINUSE` …) when it cannot listen somewhere; nothing is left open then. */
export async function createUserAgent(options: UserAgentOptions): Promise<SipUserAgent> {
  const stack: Stack = {
    clock: options.clock,
    random: options.random,
    log: options.log,
    timers: RFC_TIMERS,
    layer: new TransactionLayer(options.clock, RFC_TIMERS),
    dialogs: new Map<string, InboundDialog>(),
    product: options.product ?? 'Tandem',
    reachable: options.reachable ?? (() => true),
  };
  const inbound = new Inbound(stack, options);
  return new Agent(stack, inbound, await listenAll(options, inbound));
}

async function listenAll(options: UserAgentOptions, inbound: Inbound): Promise<readonly Transport[]> {
  const { listen, advertise, log } = options;
  const opening = listen.map(({ host, port }) =>
    listenUdp({ host, port, advertise, log, receive: inbound.receive }),
  );
  const opened = await Promise.allSettled(opening);
  const transports = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const refused = opened.find((result) => result.status === 'rejected');
  if (!refused) return transports;
  await Promise.all(transports.map((transport) => transport.close()));
  throw refused.reason;
}

class Agent implements SipUserAgent {
  readonly #stack: Stack;
  readonly #inbound: Inbound;
  readonly #transports: readonly Transport[];

  constructor(stack: Stack, inbound: Inbound, transports: readonly Transport[]) {
    this.#stack = stack;
    this.#inbound = inbound;
    this.#transports = transports;
  }

  get listening(): readonly Endpoint[] {
    return this.#transports.map((transport) => transport.local);
  }

  get dropped(): number {
    return this.#inbound.dropped;
  }

  invite(options: InviteOptions, handlers: InviteHandlers): ClientInvite {
    const transport = this.#transportTo(options.destination);
    if (transport) return sendInvite(this.#stack, transport, options, handlers);
    return failLater(this.#stack, options.destination, handlers);
  }

  onInvite(handler: (invite: ServerInvite) => void): void {
    this.#inbound.onInvite = handler;
  }

  counts(): AgentCounts {
    return { transactions: this.#stack.layer.size, dialogs: this.#stack.dialogs.size };
  }

  async close(): Promise<void> {
    this.#stack.layer.dispose();
    for (const dialog of this.#stack.dialogs.values()) dialog.dispose();
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }

  /** A socket of the destination's kind; among several, the one that shares its being loopback or not. */
  #transportTo(destination: Endpoint): Transport | undefined {
    const fitting = this.#transports.filter(
      ({ local }) =>
        local.transport === destination.transport && isIPv6(local.address) === isIPv6(destination.address),
    );
    const near = isLoopback(destination.address);
    return fitting.find(({ local }) => isLoopback(local.address) === near) ?? fitting[0];
  }
}

/** An INVITE that no socket can carry fails as if the network had refused it: after `invite` has returned. */
function failLater({ clock, random }: Stack, destination: Endpoint, handlers: InviteHandlers): ClientInvite {
  const message = `no ${destination.transport} socket towards ${destination.address}`;
  const timer = clock.after(0, () => handlers.failed({ kind: 'transport', message }));
  return { callId: random.hex(16), cancel: () => clock.cancel(timer) };
}
