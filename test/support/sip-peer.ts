// A SIP peer under the test's hand: sees every datagram, and answers what the test writes, right or wrong.
import { createSocket, type RemoteInfo } from 'node:dgram';

export interface Datagram {
  readonly text: string;
  /** Method of a request, status code of a response. */
  readonly what: string;
  readonly from: RemoteInfo;
}

export interface SipPeer {
  /** `sip:127.0.0.1:port` */
  readonly uri: string;
  readonly received: readonly Datagram[];
  /** Resolves with the first datagram, past or future, of this method or status. */
  next(what: string): Promise<Datagram>;
  send(text: string, to: { readonly port: number; readonly address: string }): void;
  /** Answers `request`; the To header gets a tag where it has none. */
  respond(
    request: Datagram,
    status: string,
    options?: { readonly body?: string; readonly tag?: string },
  ): void;
  close(): Promise<void>;
}

/** The whole value of a header; the first where there are several. */
export function headerOf({ text }: Datagram, name: string): string {
  const [, value = ''] = new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(text) ?? [];
  return value;
}

export const ANSWER_SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';

export async function startSipPeer(): Promise<SipPeer> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  const received: Datagram[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (octets, from) => {
    const text = octets.toString('latin1');
    const [first = '', second = ''] = text.split(' ', 2);
    received.push({ text, what: first.startsWith('SIP/') ? second : first, from });
    for (const look of waiting) look();
  });
  const send: SipPeer['send'] = (text, to) => socket.send(Buffer.from(text, 'latin1'), to.port, to.address);
  return {
    uri: `sip:127.0.0.1:${port}`,
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
    send,
    respond(request, status, { body = '', tag = 'peer' } = {}) {
      const copied = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headerOf(request, name)}`);
      const to = headerOf(request, 'To');
      const lines = [
        `SIP/2.0 ${status}`,
        ...copied,
        `To: ${to.includes(';tag=') ? to : `${to};tag=${tag}`}`,
        `Contact: <sip:127.0.0.1:${port}>`,
        ...(body ? ['Content-Type: application/sdp'] : []),
        `Content-Length: ${body.length}`,
      ];
      send(`${lines.join('\r\n')}\r\n\r\n${body}`, request.from);
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
