// The API of the stack: binds the sockets, composes the layers, and shows each incoming message its place.
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { Roster } from '../lib/roster.ts';
import type {
  AgentCounts,
  ClientInvite,
  Dialog,
  DialogIdentity,
  Endpoint,
  HeaderField,
  InviteHandlers,
  InviteOptions,
  RequestOptions,
  RequestOutcome,
  ServerInvite,
  ServerRequest,
  UserAgent,
} from './agent.ts';
import { boundaryOf, guardedClock } from './boundary.ts';
import { endLost } from './dialog/lost-dialog.ts';
import { dialogNamed } from './dialog/replaced.ts';
import type { SessionTimerSettings } from './dialog/session-interval.ts';
import { Inbound, type InboundOptions } from './inbound.ts';
import { isLarge, sendLargeInvite, sendLargeRequest } from './large-request.ts';
import { ALLOWED_METHODS, methodRefusal } from './message/check.ts';
import type { Replaces } from './message/refer.ts';
import { sendOutOfDialog } from './out-of-dialog.ts';
import { fixedLines, type InboundDialog, type Stack } from './stack.ts';
import { RFC_TIMERS } from './timers.ts';
import { type AlarmCounts, Alarms } from './transaction/alarms.ts';
import { TransactionLayer } from './transaction/layer.ts';
import { type ListenPlace, listenAll } from './transport/listen.ts';
import { transportTo } from './transport/select.ts';
import type { StreamLimits } from './transport/stream-connection.ts';
import type { TlsOptions, TlsTransport } from './transport/tls.ts';
import type { Receive, Transport } from './transport/transport.ts';
import { sendInvite } from './uac.ts';

export interface UserAgentOptions extends InboundOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly listen: readonly ListenPlace[];
  /** Our certificate, and whom we trust; needed to speak TLS. */
  readonly tls?: TlsOptions;
  /** Of TCP and TLS connections. */
  readonly streamLimits?: Partial<StreamLimits>;
  /** Address in Via and Contact; the listening host without one. */
  readonly advertise?: string;
  /** User-Agent and Server header. */
  readonly product?: string;
  /** Methods inside dialogs that `DialogHandlers.requested` takes; others are refused by 405. */
  readonly dialogMethods?: readonly ('INFO' | 'REFER' | 'MESSAGE')[];
  /** Without it sessions are refreshed only where the peer asks for it. */
  readonly sessionTimer?: SessionTimerSettings;
  /**
   * Whether requests inside a dialog may go to an address that the peer's Contact or Record-Route names; the flow's
   * own source is taken otherwise. All may without it.
   */
  readonly reachable?: (address: string) => boolean;
}

export interface SipUserAgent extends UserAgent {
  /** Datagrams that led to nothing: garbage, and responses nobody waits for. */
  readonly dropped: number;
  /** The timers that transactions have set. */
  timers(): AlarmCounts;
  /**
   * New TLS connections show this certificate and, where `ca` is given, trust that; those that are up stay.
   * @throws {Error} of OpenSSL when one is none, or the key is another one's; everything stays as it was then.
   */
  reloadTls(tls: TlsOptions): void;
}

/** @throws {Error} of the system (`EADDRINUSE` …) when it cannot listen somewhere; nothing is left open then. */
export const createUserAgent = (options: UserAgentOptions): Promise<SipUserAgent> =>
  createUserAgentOver(options, (receive, clock) => listenAll({ ...options, clock, receive }));

/** The same over transports of the caller's own. */
export async function createUserAgentOver(
  options: Omit<UserAgentOptions, 'listen'>,
  open: (receive: Receive, clock: Clock) => Promise<readonly Transport[]>,
): Promise<SipUserAgent> {
  const boundary = boundaryOf(options.log);
  const clock = guardedClock(options.clock, boundary);
  const alarms = new Alarms(clock, boundary);
  const transports: Transport[] = [];
  const product = options.product ?? 'Tandem';
  const allow = [ALLOWED_METHODS, ...(options.dialogMethods ?? [])].join(', ');
  const stack: Stack = {
    clock,
    random: options.random,
    log: options.log,
    timers: RFC_TIMERS,
    alarms,
    layer: new TransactionLayer(alarms, RFC_TIMERS, boundary),
    dialogs: new Roster<InboundDialog>(),
    transportTo: (destination) => transportTo(transports, destination),
    product,
    allow,
    lines: fixedLines({ product, allow }),
    sessionTimer: options.sessionTimer ?? {},
    reachable: options.reachable ?? (() => true),
  };
  const inbound = new Inbound(stack, options);
  transports.push(...(await open(inbound.receive, clock)));
  return new Agent(stack, inbound, transports);
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
    const { destination } = options;
    const transport = this.#stack.transportTo(destination);
    if (!transport) return failLater(this.#stack, destination, handlers);
    if (!destination.mayUseTcp || !isLarge(options))
      return sendInvite(this.#stack, transport, options, handlers);
    const byStream: InviteOptions = { ...options, destination: { ...destination, transport: 'tcp' } };
    const stream = this.#stack.transportTo(byStream.destination);
    if (!stream) return sendInvite(this.#stack, transport, options, handlers);
    return sendLargeInvite(
      (each) => sendInvite(this.#stack, stream, byStream, each),
      (each) => sendInvite(this.#stack, transport, options, each),
      handlers,
    );
  }

  reloadTls(tls: TlsOptions): void {
    for (const transport of this.#transports) if (isTls(transport)) transport.reload(tls);
  }

  onInvite(handler: (invite: ServerInvite) => void): void {
    this.#inbound.onInvite = handler;
  }

  request(options: RequestOptions, done: (outcome: RequestOutcome) => void): void {
    const { destination } = options;
    const transport = this.#stack.transportTo(destination);
    if (!transport) {
      this.#stack.clock.after(0, () => done(unreachable(destination)));
      return;
    }
    const byStream: RequestOptions = { ...options, destination: { ...destination, transport: 'tcp' } };
    const stream = destination.mayUseTcp && isLarge(options) && this.#stack.transportTo(byStream.destination);
    if (!stream) return sendOutOfDialog(this.#stack, transport, options, done);
    sendLargeRequest(
      (each) => sendOutOfDialog(this.#stack, stream, byStream, each),
      (each) => sendOutOfDialog(this.#stack, transport, options, each),
      done,
    );
  }

  endLost(
    dialog: DialogIdentity,
    headers: readonly HeaderField[],
    done: (outcome: RequestOutcome) => void,
  ): void {
    const transport = this.#stack.transportTo(dialog.peer);
    if (transport) endLost(this.#stack, transport, dialog, { headers, done });
    else this.#stack.clock.after(0, () => done(unreachable(dialog.peer)));
  }

  onRequest(method: string, handler: (request: ServerRequest) => void): void {
    this.#inbound.onRequest.set(method, handler);
    if (!methodRefusal(method, this.#stack.allow)) return;
    this.#stack.allow += `, ${method}`;
    this.#stack.lines = fixedLines(this.#stack);
  }

  answersStrangers(mayAnswer: (received: Endpoint) => boolean): void {
    this.#inbound.mayAnswer = mayAnswer;
  }

  dialogOf(replaces: Replaces): Dialog | undefined {
    const named = dialogNamed(replaces, this.#stack.dialogs);
    return named?.standing === 'confirmed' ? named : undefined;
  }

  hasFlow(to: Endpoint): boolean {
    return this.#stack.transportTo(to)?.hasFlow(to) ?? false;
  }

  counts(): AgentCounts {
    return { transactions: this.#stack.layer.size, dialogs: this.#stack.dialogs.size };
  }

  timers(): AlarmCounts {
    return this.#stack.alarms.counts();
  }

  async close(): Promise<void> {
    this.#inbound.close();
    this.#stack.layer.dispose();
    for (const dialog of this.#stack.dialogs.values()) dialog.dispose();
    this.#stack.alarms.close();
    // A datagram leaves in the next turn only, and a closed socket loses it.
    await turn();
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }
}

const isTls = (transport: Transport): transport is TlsTransport => transport.local.transport === 'tls';

const unreachable = ({ transport, address }: Endpoint): RequestOutcome => ({
  kind: 'transport',
  message: `no ${transport} socket towards ${address}`,
});

/** An INVITE that no socket can carry fails as if the network had refused it: after `invite` has returned. */
function failLater({ clock, random }: Stack, destination: Endpoint, handlers: InviteHandlers): ClientInvite {
  const timer = clock.after(0, () => handlers.failed(unreachable(destination)));
  return { callId: random.hex(16), cancel: () => clock.cancel(timer) };
}
