// Throws mutated packets at an exchange, over UDP and TCP and from many sources: nobody's budget ends what is tried.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket as TcpSocket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Random } from '../../src/lib/random.ts';
import type { Endpoint } from '../../src/sip/index.ts';
import { mutate, tortureMessages } from '../sip/fuzz.ts';

/** Has users, who must show their passwords, and a web application. */
export const DOMAIN = 'soak.sip.twilio.com';
/** Lets in everybody on this machine, and has no web application. */
export const OPEN_DOMAIN = 'open.sip.twilio.com';

const SOURCES = 40;
/** Packets that are sent before the exchange gets its turn. */
export const BATCH = 20;
/** Every so many batches go over TCP. */
const TCP_EVERY = 5;
const MAX_DATAGRAM = 65_000;

export const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n';

/** What phones and carriers send here, before it is mutated. */
function plainMessages(nonce: string): readonly string[] {
  const request = (method: string, uri: string, headers: readonly string[] = [], body = '') =>
    [
      `${method} ${uri} SIP/2.0`,
      'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK4711;rport',
      'Max-Forwards: 70',
      'From: "Bob" <sip:bob@elsewhere.example>;tag=88',
      `To: <${uri}>`,
      'Call-ID: 1234567890@soak',
      `CSeq: 7 ${method}`,
      'Contact: <sip:bob@127.0.0.1:5070;transport=udp>;+sip.instance="<urn:uuid:1>";reg-id=1',
      ...headers,
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  const digest = `Digest username="alice", realm="sip.twilio.com", nonce="${nonce}", uri="sip:${DOMAIN}", response="${'0'.repeat(32)}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"`;
  const sdp = ['Content-Type: application/sdp'];
  const home = `sip:${DOMAIN}`;
  return [
    request('REGISTER', home, ['Expires: 600']),
    request('REGISTER', home, ['Expires: 600', `Proxy-Authorization: ${digest}`]),
    request('INVITE', `sip:100@${DOMAIN}`, sdp, SDP),
    request('INVITE', `sip:100@${DOMAIN}`, [...sdp, `Proxy-Authorization: ${digest}`], SDP),
    request('INVITE', `sip:+14155550100@${OPEN_DOMAIN}`, [...sdp, 'X-Route-Id: 7', 'Supported: timer'], SDP),
    request('INVITE', `sip:100@${OPEN_DOMAIN}`, [...sdp, 'Session-Expires: 1800', 'Privacy: id'], SDP),
    request('OPTIONS', home),
    request('CANCEL', `sip:100@${OPEN_DOMAIN}`),
    request('ACK', `sip:100@${OPEN_DOMAIN}`),
    request('BYE', `sip:100@${OPEN_DOMAIN}`).replace('To: <', 'To: <sip:x@y>;tag=1, <'),
    request('REFER', `sip:100@${OPEN_DOMAIN}`, ['Refer-To: <sip:carol@example.com?Replaces=a%40b>']),
    request('SUBSCRIBE', home, ['Event: presence']),
    `SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: 9\r\nCSeq: 1 INVITE\r\nContact: <sip:c@127.0.0.1>\r\nContent-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`,
  ];
}

/** The nonce of a challenge, so that what is mutated can be a wrong answer to it. */
async function askForNonce(to: Endpoint): Promise<string> {
  const socket = createSocket('udp4');
  const [first = ''] = plainMessages('');
  socket.send(first, to.port, to.address);
  const [answer] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return /nonce="([^"]+)"/.exec(answer.toString('latin1'))?.[1] ?? '';
}

export class PacketFuzzer {
  readonly #to: Endpoint;
  readonly #messages: readonly string[];
  readonly #random: Random;
  readonly #sockets: Socket[] = [];
  readonly #connections = new Map<string, TcpSocket>();
  sent = 0;
  overTcp = 0;
  answers = 0;

  private constructor(to: Endpoint, messages: readonly string[], random: Random) {
    this.#to = to;
    this.#messages = messages;
    this.#random = random;
  }

  static async open(to: Endpoint, random: Random): Promise<PacketFuzzer> {
    const messages = [...tortureMessages()];
    // As many as of the others.
    const plain = plainMessages(await askForNonce(to));
    while (messages.length < 2 * tortureMessages().length) messages.push(...plain);
    const fuzzer = new PacketFuzzer(to, messages, random);
    for (let index = 1; index <= SOURCES; index++) {
      const socket = createSocket('udp4');
      socket.bind(0, `127.0.1.${index}`);
      await once(socket, 'listening');
      socket.on('message', () => fuzzer.answers++);
      socket.on('error', () => {});
      fuzzer.#sockets.push(socket);
    }
    return fuzzer;
  }

  /** Sends a batch, and lets the exchange take it. */
  async batch(): Promise<void> {
    const number = this.sent / BATCH;
    const source = number % SOURCES;
    const packets = Array.from({ length: BATCH }, () =>
      Buffer.from(mutate(this.#messages, this.#random), 'latin1').subarray(0, MAX_DATAGRAM),
    );
    this.sent += BATCH;
    if (number % TCP_EVERY === 0) await this.#overTcp(packets, `127.0.1.${source + 1}`);
    else await this.#overUdp(packets, this.#sockets[source] as Socket);
  }

  async #overUdp(packets: readonly Buffer[], socket: Socket): Promise<void> {
    for (const packet of packets) {
      await new Promise((sent) => socket.send(packet, this.#to.port, this.#to.address, sent));
    }
    await turn();
  }

  /** On until the exchange hangs up, as it does after what has no frame. */
  async #overTcp(packets: readonly Buffer[], localAddress: string): Promise<void> {
    this.overTcp += packets.length;
    for (const packet of packets) {
      const connection = this.#connections.get(localAddress) ?? (await this.#connect(localAddress));
      await new Promise((written) => connection.write(packet, written));
      await turn();
    }
  }

  async #connect(localAddress: string): Promise<TcpSocket> {
    const { port, address: host } = this.#to;
    const connection = connect({ port, host, localAddress });
    connection.on('data', () => {});
    connection.on('error', () => {});
    connection.on('close', () => this.#connections.delete(localAddress));
    this.#connections.set(localAddress, connection);
    await once(connection, 'connect');
    return connection;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.destroy();
    await Promise.all(this.#sockets.map((socket) => new Promise<void>((done) => socket.close(() => done()))));
  }
}
