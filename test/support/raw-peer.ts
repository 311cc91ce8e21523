// A peer for tests that is nothing but a socket: it says what it is told to, and keeps what it hears.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { type Endpoint, parseMessage, type SipMessage } from '../../src/sip/index.ts';

/** Lets the sockets work until `reached` is true. Real time only bounds a failing test. */
export async function until(reached: () => boolean, what = 'the awaited state'): Promise<void> {
  const deadline = performance.now() + 3000;
  while (!reached()) {
    if (performance.now() > deadline) throw new Error(`${what} was not reached`);
    await turn();
  }
}

export class RawPeer {
  readonly endpoint: Endpoint;
  /** Everything heard and not yet taken by `next`. */
  readonly heard: SipMessage[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.endpoint = { transport: 'udp', address: '127.0.0.1', port: socket.address().port };
    socket.on('message', (datagram) => this.heard.push(parseMessage(datagram.toString('latin1'))));
  }

  static async open(): Promise<RawPeer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new RawPeer(socket);
  }

  send(octets: string, to: Endpoint): void {
    this.#socket.send(Buffer.from(octets, 'latin1'), to.port, to.address);
  }

  /** Waits for the next message and takes it. `what` is a method or a status. */
  async next(what: string | number): Promise<SipMessage> {
    await until(() => this.heard.length > 0, `${what}`);
    const [message] = this.heard.splice(0, 1);
    if (!message || (message.status || message.method) !== what) {
      throw new Error(`${what} was expected, heard ${message?.method}${message?.status}`);
    }
    return message;
  }

  close(): void {
    this.#socket.close();
  }
}

export interface Reply {
  readonly tag?: string;
  readonly contact?: string;
  readonly headers?: string;
  readonly body?: string;
}

/** A response to `request` as a plain peer writes it. */
export function reply(
  request: SipMessage,
  status: number,
  { tag, contact, headers = '', body = '' }: Reply = {},
): string {
  const to = `${request.header('To')}${tag && !request.toTag ? `;tag=${tag}` : ''}`;
  return (
    `SIP/2.0 ${status} Whatever\r\nVia: ${request.header('Via')}\r\nFrom: ${request.header('From')}\r\nTo: ${to}\r\n` +
    `Call-ID: ${request.callId}\r\nCSeq: ${request.header('CSeq')}\r\n${contact ? `Contact: <${contact}>\r\n` : ''}` +
    `${headers}Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

export interface RequestOptions {
  readonly uri?: string;
  readonly branch: string;
  readonly callId?: string;
  readonly from?: string;
  readonly to?: string;
  readonly seq?: number;
  readonly contact?: string;
  readonly headers?: string;
  readonly body?: string;
}

/** A request as a plain peer writes it. */
export function request(method: string, peer: RawPeer, options: RequestOptions): string {
  const {
    uri = 'sip:tandem@127.0.0.1',
    branch,
    callId = 'call-1@peer',
    seq = 1,
    headers = '',
    body = '',
  } = options;
  const here = `127.0.0.1:${peer.endpoint.port}`;
  return (
    `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP ${here};branch=z9hG4bK${branch};rport\r\nMax-Forwards: 70\r\n` +
    `From: ${options.from ?? '<sip:peer@127.0.0.1>;tag=peer'}\r\nTo: ${options.to ?? '<sip:tandem@127.0.0.1>'}\r\n` +
    `Call-ID: ${callId}\r\nCSeq: ${seq} ${method}\r\nContact: <${options.contact ?? `sip:peer@${here}`}>\r\n${headers}` +
    `${body && 'Content-Type: application/sdp\r\n'}Content-Length: ${body.length}\r\n\r\n${body}`
  );
}
