// The other side of the API-call benchmark: a bare UAS, a web app that takes callbacks, and a client that places calls.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

export interface CallPeers {
  readonly sipPort: number;
  readonly callbackUrl: string;
  /**
   * Places `count` calls, `parallel` at once: the next one when another has sent its last callback. Resolves when all
   * have. Callbacks that pile up for a host are shed, which is another bench.
   */
  run(
    api: {
      readonly url: string;
      readonly authorization: string;
      readonly path: string;
      readonly form: string;
    },
    load: { readonly count: number; readonly parallel: number },
  ): Promise<void>;
  close(): Promise<void>;
}

const header = (text: string, name: string): string => {
  const start = text.indexOf(`\r\n${name}: `) + name.length + 4;
  return text.slice(start, text.indexOf('\r\n', start));
};

/** Rings, answers and takes the BYE of any call; keeps no state and no media. */
async function startUas() {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n`;
  socket.on('message', (datagram, from) => {
    const text = datagram.toString('latin1');
    const method = text.slice(0, text.indexOf(' '));
    if (method === 'ACK') return;
    const to = header(text, 'To');
    const same = ['Via', 'From', 'Call-ID', 'CSeq']
      .map((name) => `${name}: ${header(text, name)}\r\n`)
      .join('');
    const answer = (status: string, body: string) => {
      const tagged = to.includes(';tag=') ? to : `${to};tag=uas`;
      const contact = `Contact: <sip:127.0.0.1:${port}>\r\nContent-Type: application/sdp\r\n`;
      const message = `SIP/2.0 ${status}\r\n${same}To: ${tagged}\r\n${contact}Content-Length: ${body.length}\r\n\r\n${body}`;
      socket.send(message, from.port, from.address);
    };
    if (method === 'INVITE') answer('180 Ringing', '');
    answer('200 OK', method === 'INVITE' ? sdp : '');
  });
  return { port, close: () => new Promise<void>((resolve) => socket.close(() => resolve())) };
}

export async function startCallPeers(): Promise<CallPeers> {
  const uas = await startUas();
  const ended = new Set<string>();
  const onEnd = new Map<string, () => void>();
  const end = (sid: string): void => {
    const waiting = onEnd.get(sid);
    if (!waiting) return void ended.add(sid);
    onEnd.delete(sid);
    waiting();
  };
  const app = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      response.writeHead(204).end();
      if (/CallStatus=(failed|busy|no-answer)/.test(body)) throw new Error(`a call failed: ${body}`);
      if (!body.includes('CallStatus=completed')) return;
      end(/CallSid=(CA\w+)/.exec(body)?.[1] ?? '');
    });
  });
  app.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const callbackUrl = `http://127.0.0.1:${(app.address() as AddressInfo).port}/status`;
  return {
    sipPort: uas.port,
    callbackUrl,
    async run({ url, authorization, path, form }, { count, parallel }) {
      const pool = new Pool(url, { connections: parallel });
      let placed = 0;
      const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
      const place = async (): Promise<void> => {
        while (placed < count) {
          placed += 1;
          const { statusCode, body } = await pool.request({ path, method: 'POST', headers, body: form });
          const text = await body.text();
          if (statusCode !== 201) throw new Error(`${statusCode}: ${text}`);
          const { sid } = JSON.parse(text) as { sid: string };
          if (!ended.delete(sid)) await new Promise<void>((resolve) => onEnd.set(sid, resolve));
        }
      };
      await Promise.all(Array.from({ length: parallel }, place));
      await pool.close();
    },
    async close() {
      await uas.close();
      await new Promise((resolve) => {
        app.close(resolve);
        app.closeAllConnections();
      });
    },
  };
}
