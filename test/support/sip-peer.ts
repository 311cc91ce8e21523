// A SIP peer under the test's hand: sees every message, and answers what the test writes, right or wrong.
import { createSocket } from 'node:dgram';
import { certificateFor } from './certificates.ts';
import { listenOverStreams } from './stream-peer.ts';

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** A message as it came, whatever carried it. */
export interface Datagram {
  readonly text: string;
  /** Method of a request, status code of a response. */
  readonly what: string;
  readonly from: Place;
}

export interface SipPeer {
  /** `sip:127.0.0.1:port`, with the transport where it is not UDP. */
  readonly uri: string;
  readonly received: readonly Datagram[];
  /** Resolves with the first message, past or future, of this method or status. */
  next(what: string): Promise<Datagram>;
  /** Over a stream: by the connection that came from there. */
  send(text: string, to: Place): void;
  /** Answers `request`, by the connection it came by. */
  respond(request: Datagram, status: string, options?: Answer): void;
  /** What `respond` sends: the To header gets a tag where it has none. */
  response(request: Datagram, status: string, options?: Answer): string;
  /** Ends the connections that are there, and takes others. */
  disconnect(): void;
  close(): Promise<void>;
}

export interface Answer {
  readonly body?: string;
  /** `peer` unless given. */
  readonly tag?: string;
}

/** Sends and receives for a peer. */
export interface Wire {
  readonly port: number;
  send(text: string, to: Place): void;
  disconnect(): void;
  close(): Promise<void>;
}

/** What peers over TLS show; whoever calls one trusts it. */
export const PEER_CERTIFICATE = certificateFor('127.0.0.1');

/** The whole value of a header; the first where there are several. */
export function headerOf({ text }: Datagram, name: string): string {
  const [, value = ''] = new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(text) ?? [];
  return value;
}

export const ANSWER_SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';

export async function startSipPeer(transport: 'udp' | 'tcp' | 'tls' = 'udp'): Promise<SipPeer> {
  const received: Datagram[] = [];
  const waiting = new Set<() => void>();
  const receive = (text: string, from: Place) => {
    const [first = '', second = ''] = text.split(' ', 2);
    received.push({ text, what: first.startsWith('SIP/') ? second : first, from });
    for (const look of waiting) look();
  };
  const wire = await (transport === 'udp'
    ? bindUdp(receive)
    : listenOverStreams(receive, transport === 'tls' ? PEER_CERTIFICATE : undefined));
  const uri = `sip:127.0.0.1:${wire.port}${transport === 'udp' ? '' : `;transport=${transport}`}`;
  const response: SipPeer['response'] = (request, status, options) =>
    responseTo(request, uri, status, options);
  return {
    uri,
    received,
    next: (what) =>
      new Promise((resolve) => {
        const look = () => {
          const found = received.find((datagram) => datagram.what === what);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    send: wire.send,
    respond: (request, status, options) => wire.send(response(request, status, options), request.from),
    response,
    disconnect: wire.disconnect,
    close: wire.close,
  };
}

function responseTo(
  request: Datagram,
  contact: string,
  status: string,
  { body = '', tag = 'peer' }: Answer = {},
): string {
  const copied = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headerOf(request, name)}`);
  const to = headerOf(request, 'To');
  const lines = [
    `SIP/2.0 ${status}`,
    ...copied,
    `To: ${to.includes(';tag=') ? to : `${to};tag=${tag}`}`,
    `Contact: <${contact}>`,
    ...(body ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

async function bindUdp(receive: (text: string, from: Place) => void): Promise<Wire> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.on('message', (octets, from) => receive(octets.toString('latin1'), from));
  return {
    port: socket.address().port,
    send: (text, to) => socket.send(Buffer.from(text, 'latin1'), to.port, to.address),
    disconnect() {},
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
