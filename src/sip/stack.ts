// What UAC, UAS and dialogs share: the layer below, the dialogs, and the headers we put into everything.
import { isIP } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Roster } from '../lib/roster.ts';
import type { Dialog, Endpoint, HeaderField, InviteHandlers } from './agent.ts';
import type { SessionTimerSettings } from './dialog/session-interval.ts';
import { type Refusal, SUPPORTED } from './message/check.ts';
import type { SipMessage } from './message/message.ts';
import { formatNameAddr } from './message/name-addr.ts';
import { headerLines, type ResponseParts, serializeResponse } from './message/serialize.ts';
import { SipSyntaxError } from './message/syntax-error.ts';
import { parseUri } from './message/uri.ts';
import { MAGIC_COOKIE, viaPrefix } from './message/via.ts';
import type { Timers } from './timers.ts';
import type { Alarms } from './transaction/alarms.ts';
import type { TransactionLayer } from './transaction/layer.ts';
import type { Flow, Transport } from './transport/transport.ts';

/** A dialog as the inbound side sees it. */
export interface InboundDialog extends Dialog {
  /** `early` until the 2xx; `ended` while its BYE waits for an answer. */
  readonly standing: 'early' | 'confirmed' | 'ended';
  /** A request inside the dialog, ACK excepted; not a retransmission. */
  receive(request: SipMessage, flow: Flow): void;
  /** Whether an ACK is that of a 2xx of ours which waits for it. */
  acknowledged(ack: SipMessage): boolean;
  /** Who is told of further 2xx to our INVITE. */
  told: Pick<InviteHandlers, 'late'> | undefined;
  /** A 2xx to our INVITE whose transaction is gone. */
  answeredAgain(response: SipMessage): void;
  dispose(): void;
}

export interface Stack {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly timers: Timers;
  readonly alarms: Alarms;
  readonly layer: TransactionLayer;
  readonly dialogs: Roster<InboundDialog>;
  /** The socket that carries what goes there. */
  readonly transportTo: (destination: Endpoint) => Transport | undefined;
  /** User-Agent and Server. */
  readonly product: string;
  /** The Allow header: the methods taken, by us or by the layer above. */
  allow: string;
  /** Made anew when `allow` grows. */
  lines: FixedLines;
  readonly sessionTimer: SessionTimerSettings;
  /** Whether an address that a peer names may be sent to. */
  readonly reachable: (address: string) => boolean;
}

export const newTag = (random: Random): string => random.hex(8);

/**
 * 96 random bits: nobody who has not seen the request can make a response to it. Joined, so that it is one string: the
 * transaction keeps it long.
 */
export const newBranch = (random: Random): string => [MAGIC_COOKIE, random.hex(12)].join('');

export const viaOf = (transport: Transport, branch: string): string =>
  viaPrefix(transport.local.transport, transport.sentBy) + branch;

export const contactOf = ({ local, sentBy }: Transport, name?: string): string =>
  formatNameAddr(
    local.transport === 'udp' ? `sip:${sentBy}` : `sip:${sentBy};transport=${local.transport}`,
    name,
  );

/** Headers of every request of ours but the ones that its kind brings. */
export const requestHeaders = (stack: Pick<Stack, 'product'>): HeaderField[] => [
  ['Max-Forwards', '70'],
  ['User-Agent', stack.product],
];

/** Headers that tell the peer what we can: in responses to INVITE and OPTIONS. */
export const capabilities = (stack: Pick<Stack, 'product' | 'allow'>): HeaderField[] => [
  ['Allow', stack.allow],
  ['Supported', SUPPORTED],
  ['Server', stack.product],
];

/** The same in an INVITE or UPDATE of ours. */
export const requestCapabilities = (stack: Pick<Stack, 'allow'>, supported = SUPPORTED): HeaderField[] => [
  ['Allow', stack.allow],
  ['Supported', supported],
];

/** The headers above as lines: they are the same in thousands of messages. */
export interface FixedLines {
  /** `requestHeaders`. */
  readonly request: string;
  /** `requestCapabilities`. */
  readonly offer: string;
  /** `capabilities`. */
  readonly answer: string;
}

export const fixedLines = (names: Pick<Stack, 'product' | 'allow'>): FixedLines => ({
  request: headerLines(requestHeaders(names)),
  offer: headerLines(requestCapabilities(names)),
  answer: headerLines(capabilities(names)),
});

/** The octets of a response to `request`. */
export const responseOctets = (request: SipMessage, flow: Flow, reply: ResponseParts): string =>
  serializeResponse(request, flow.peer, reply);

/** Answers a request and forgets it. An ACK is never answered. */
export function replyStatelessly(request: SipMessage, flow: Flow, reply: ResponseParts): void {
  if (request.method === 'ACK') return;
  flow.transport.send(responseOctets(request, flow, reply), flow.peer);
}

/** For what is in the way of something that will be over soon (RFC 3261 §14.2, RFC 3311 §5.2). */
export const retrySoon = ({ random }: Stack): Refusal => ({
  status: 500,
  headers: [['Retry-After', `${Math.floor(random.fraction() * 11)}`]],
});

/** A refusal as a reply. */
export const refusing = (refusal: Refusal, toTag: string): ResponseParts => ({ ...refusal, toTag });

/**
 * Where a request inside a dialog goes: to the next hop when that is an address of the flow's own kind which may
 * be sent to. A host name is the peer's free choice and would have to be looked up while a call hangs on it, and
 * another transport is not ours to open: then the place the dialog's messages came from is the better word. So it is
 * with TLS: a certificate vouches for a name, not for the address in a Contact.
 */
export function dialogDestination(stack: Stack, nextHop: string, flow: Flow): Endpoint {
  try {
    const { peer } = flow;
    const { scheme, host, port = 5060, params } = parseUri(nextHop);
    const named = params.get('transport')?.toLowerCase();
    const transport = named ?? 'udp';
    const isOurKind = scheme === 'sip' && transport !== 'tls' && transport === peer.transport;
    const isOurFamily = host === peer.address || (isIP(host) !== 0 && isIP(host) === isIP(peer.address));
    if (!isOurFamily || !isOurKind || !stack.reachable(host)) return peer;
    const mayUseTcp = named === undefined && peer.mayUseTcp === true;
    return { transport: peer.transport, address: host, port, ...(mayUseTcp && { mayUseTcp }) };
  } catch (error) {
    if (error instanceof SipSyntaxError) return flow.peer;
    throw error;
  }
}
