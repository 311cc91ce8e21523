// A callee that keeps no state: it rings and answers every call at once, and agrees to everything else.
import { createSocket } from 'node:dgram';

export interface StatelessUas {
  /** `sip:127.0.0.1:port` */
  readonly uri: string;
  close(): Promise<void>;
}

const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';

/** @param heard told of every request but ACKs. */
export async function startStatelessUas(
  heard: (method: string, callSid: string) => void = () => {},
): Promise<StatelessUas> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  socket.on('message', (datagram, from) => {
    const text = datagram.toString('latin1');
    const method = text.slice(0, text.indexOf(' '));
    if (method === 'ACK' || method === 'SIP/2.0') return;
    heard(method, header(text, 'X-Twilio-CallSid'));
    const to = header(text, 'To');
    const same = ['Via', 'From', 'Call-ID', 'CSeq']
      .map((name) => `${name}: ${header(text, name)}\r\n`)
      .join('');
    const answer = (line: string, body = '') => {
      const tagged = to.includes(';tag=') ? to : `${to};tag=uas`;
      const rest = `Contact: <sip:127.0.0.1:${port}>\r\nContent-Type: application/sdp\r\n`;
      const length = `Content-Length: ${body.length}\r\n`;
      socket.send(
        `SIP/2.0 ${line}\r\n${same}To: ${tagged}\r\n${rest}${length}\r\n${body}`,
        from.port,
        from.address,
      );
    };
    if (method !== 'INVITE') return answer('200 OK');
    answer('180 Ringing');
    answer('200 OK', SDP);
  });
  return {
    uri: `sip:127.0.0.1:${port}`,
    close: () => new Promise<void>((done) => socket.close(() => done())),
  };
}

function header(text: string, name: string): string {
  const start = text.indexOf(`\r\n${name}: `) + name.length + 4;
  return text.slice(start, text.indexOf('\r\n', start));
}
