// What a running exchange gives to those it does not know: floods from one source, guessed passwords, guessed names.
import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { domainWith, listenerOf, PASSWORD, type TestDomain } from '../support/doors.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';

let exchange: Exchange;
let domain: TestDomain;
beforeAll(async () => {
  exchange = await startExchange();
  domain = await domainWith(exchange, ['alice', 'bobby']);
});
afterAll(() => exchange.stop());

/** A source of packets at an address of its own, which counts what comes back. */
class Source {
  readonly #socket: Socket;
  readonly #address: string;
  readonly #waiting = new Map<string, (answer: string) => void>();
  bytesOut = 0;
  bytesBack = 0;
  answers = 0;
  /** CSeqs that were answered. */
  readonly answered = new Set<string>();

  private constructor(socket: Socket, address: string) {
    this.#socket = socket;
    this.#address = address;
    socket.on('message', (datagram) => {
      this.bytesBack += datagram.length;
      this.answers++;
      const text = datagram.toString('latin1');
      const key = /^CSeq: (.*)$/m.exec(text)?.[1]?.trim() ?? '';
      this.answered.add(key);
      this.#waiting.get(key)?.(text);
      this.#waiting.delete(key);
    });
  }

  static async open(address: string): Promise<Source> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    onTestFinished(() => void socket.close());
    return new Source(socket, address);
  }

  request({ method, user, seq, authorization = '' }: Asked): string {
    const uri = `sip:${domain.name}`;
    const body = method === 'INVITE' ? ANSWER_SDP : '';
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 192.0.2.9:5060;rport;branch=z9hG4bK${this.#address}-${seq}`,
      'Max-Forwards: 70',
      `From: <sip:somebody@${domain.name}>;tag=1`,
      `To: <sip:${method === 'REGISTER' ? user : 'somebody'}@${domain.name}>`,
      `Call-ID: from-${this.#address}`,
      `CSeq: ${seq} ${method}`,
      `Contact: <sip:somebody@192.0.2.9>`,
      ...(authorization && [authorization]),
      ...(body && ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  }

  async send(text: string): Promise<void> {
    const { port, address } = listenerOf(exchange, 'udp');
    this.bytesOut += text.length;
    await new Promise((sent) => this.#socket.send(text, port, address, sent));
  }

  /** The answer to one request, sent again until it comes, as UDP may lose it. */
  async ask(asked: Asked): Promise<string> {
    const answer = new Promise<string>((resolve) =>
      this.#waiting.set(`${asked.seq} ${asked.method}`, resolve),
    );
    const again = setInterval(() => void this.send(this.request(asked)), 500);
    try {
      await this.send(this.request(asked));
      return await answer;
    } finally {
      clearInterval(again);
    }
  }

  /** Asks, and answers the challenge. */
  async authenticate(asked: Asked & { readonly password: string }): Promise<string> {
    return this.ask(await this.answerTo(asked));
  }

  /** The second request: that which carries the answer to a challenge. */
  async answerTo(asked: Asked & { readonly password: string }): Promise<Asked> {
    const challenged = await this.ask(asked);
    const nonce = /nonce="([^"]+)"/.exec(challenged)?.[1] ?? '';
    const seq = asked.seq + 1;
    return { ...asked, seq, authorization: authorize({ ...asked, nonce }) };
  }
}

interface Asked {
  readonly method: string;
  readonly user: string;
  readonly seq: number;
  readonly authorization?: string;
}

function authorize({
  method,
  user,
  password,
  nonce,
}: Asked & { readonly password: string; readonly nonce: string }): string {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const uri = `sip:${domain.name}`;
  const ha1 = md5(`${user}:sip.twilio.com:${password}`);
  const response = md5(`${ha1}:${nonce}:00000001:c:auth:${md5(`${method}:${uri}`)}`);
  return `Proxy-Authorization: Digest username="${user}", realm="sip.twilio.com", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"`;
}

const statusOf = (answer: string): string => answer.slice(8, 11);

describe.each(['REGISTER', 'INVITE'] as const)('a flood of %s from one source', (method) => {
  const PACKETS = 4000;
  /** A burst, and what the flood's own time adds: far fewer than came. */
  const MOST_ANSWERS = PACKETS / 4;
  const sources =
    method === 'REGISTER' ? (['127.0.2.1', '127.0.2.2'] as const) : (['127.0.2.3', '127.0.2.4'] as const);

  it('is answered a little, with less than it sent, and nobody else goes unanswered', async () => {
    const flood = await Source.open(sources[0]);
    const phone = await Source.open(sources[1]);
    const registered: string[] = [];
    for (let seq = 1; seq <= PACKETS; seq++) {
      await flood.send(flood.request({ method, user: `user-${seq % 7}`, seq }));
      if (seq % 20 === 0) await turn();
      if (seq % 400 > 0) continue;
      const answer = await phone.authenticate({
        method: 'REGISTER',
        user: 'alice',
        password: PASSWORD,
        seq: 10 * seq,
      });
      registered.push(statusOf(answer));
    }
    // 503 (32008) is for more than five in a second of one user, which a fast machine reaches.
    expect(registered.filter((status) => status !== '200' && status !== '503')).toEqual([]);
    expect(registered).toHaveLength(10);
    expect(flood.answers).toBeGreaterThan(0);
    expect(flood.answers).toBeLessThan(MOST_ANSWERS);
    expect(flood.bytesBack).toBeLessThan(flood.bytesOut / 2);
    expect(exchange.counts()).toMatchObject({ calls: 0, dialogs: 0 });
  });
});

/** Nobody takes these, so that the stack answers them by itself. */
describe.each([
  ['OPTIONS', '127.0.5.1'],
  ['MESSAGE', '127.0.5.2'],
  ['NONSENSE', '127.0.5.3'],
  ['BYE', '127.0.5.4'],
] as const)('a flood of %s', (method, address) => {
  const PACKETS = 2000;

  it('sends no more to whom it pretends to come from than it took to send', async () => {
    const flood = await Source.open(address);
    for (let seq = 1; seq <= PACKETS; seq++) {
      await flood.send(flood.request({ method, user: 'somebody', seq }));
      if (seq % 20 === 0) await turn();
    }
    await vi.waitFor(() => expect(flood.answers).toBeGreaterThan(0));
    expect(flood.answers).toBeLessThan(PACKETS / 4);
    expect(flood.bytesBack).toBeLessThan(flood.bytesOut);
  });
});

describe.each(['REGISTER', 'INVITE'] as const)('a guess by %s', (method) => {
  const sources =
    method === 'REGISTER'
      ? (['127.0.3.1', '127.0.3.2', '127.0.3.3', '127.0.3.4'] as const)
      : (['127.0.4.1', '127.0.4.2', '127.0.4.3', '127.0.4.4'] as const);

  it('is answered with the same octets whether there is such a user or not', async () => {
    const source = await Source.open(sources[0]);
    const known = await source.answerTo({ method, user: 'alice', password: 'wrong', seq: 1 });
    const unknown = await source.answerTo({ method, user: 'carol', password: 'wrong', seq: 3 });
    // The same request but for the user's name in the credentials; To is echoed, so it is the same too.
    const told = async (asked: Asked) =>
      (await source.ask(asked)).replace(/sip:(alice|carol)@/g, 'sip:user@');
    const one = await told({ ...known, seq: 5 });
    const other = (await told({ ...unknown, seq: 6 })).replaceAll(`${6} ${method}`, `${5} ${method}`);
    expect(statusOf(one)).toBe('403');
    expect(other.replace(/-6;/, '-5;').replace(/-6\r/, '-5\r')).toBe(one);
  });

  it('too often is not heard any more, known user or not, and locks out neither them elsewhere nor others', async () => {
    const heard = async (user: string, address: string) => {
      const source = await Source.open(address);
      const asked = await source.answerTo({ method, user, password: 'wrong', seq: 1 });
      const guesses = Array.from({ length: 12 }, (_, index) => 10 + index);
      for (const seq of guesses) await source.send(source.request({ ...asked, seq }));
      // Whoever shows who they are is heard at that very source: by then all guesses before have been judged.
      const right = await source.authenticate({
        method: 'REGISTER',
        user: 'bobby',
        password: PASSWORD,
        seq: 30,
      });
      expect(['200', '503']).toContain(statusOf(right));
      return guesses.filter((seq) => source.answered.has(`${seq} ${method}`)).length;
    };
    const ofKnown = await heard('alice', sources[1]);
    const ofUnknown = await heard('carol', sources[2]);
    // Five wrong ones are answered before the first wait of a second.
    expect(ofKnown).toBeLessThan(12);
    expect(ofUnknown).toBeLessThan(12);
    expect(Math.min(ofKnown, ofUnknown)).toBeGreaterThan(0);
    const elsewhere = await Source.open(sources[3]);
    const right = { method: 'REGISTER', user: 'alice', password: PASSWORD, seq: 100 } as const;
    expect(['200', '503']).toContain(statusOf(await elsewhere.authenticate(right)));
  });
});
