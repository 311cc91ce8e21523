// SHA-256 digests (RFC 7616, RFC 8760) as another implementation computes them: curl answers the exchange's challenges.
// Debian's SIPp and baresip know MD5 alone.
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { domainWith, listenerOf, PASSWORD, type TestDomain } from '../support/doors.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { RawPeer, request } from '../support/raw-peer.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';
import { isInstalled } from './program.ts';

interface Asked {
  readonly method: string;
  readonly uri: string;
  readonly password: string;
}

/** The Authorization that curl sends for a challenge: over HTTP, with SIP's method and URI. */
async function answerOf(challenge: string, { method, uri, password }: Asked): Promise<string> {
  const answer = Promise.withResolvers<string>();
  const server = createServer((socket) => {
    socket.on('data', (octets) => {
      const given = /^Authorization: (.*?)\r$/im.exec(octets.toString('latin1'))?.[1];
      const head = given === undefined ? `401 Who are you\r\nWWW-Authenticate: ${challenge}` : '200 OK';
      if (given !== undefined) answer.resolve(given);
      socket.write(`HTTP/1.1 ${head}\r\nContent-Length: 0\r\n\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const user = ['--digest', '--user', `alice:${password}`];
  const target = ['--request', method, '--request-target', uri, `http://127.0.0.1:${port}/`];
  await promisify(execFile)('curl', ['--silent', '--show-error', '--noproxy', '*', ...user, ...target]);
  server.close();
  return answer.promise;
}

let exchange: Exchange;
let domain: TestDomain;
let peer: RawPeer;

beforeEach(async () => {
  exchange = await startExchange({ TANDEM_DIGEST_ALGORITHMS: 'SHA-256' });
  domain = await domainWith(exchange, ['alice']);
  await exchange.client.sip.domains(domain.sid).update({ voiceUrl: 'http://127.0.0.1:9/voice' });
  peer = await RawPeer.open();
});
afterEach(async () => {
  peer.close();
  await exchange.stop();
});

/** Asks, is challenged, and asks again with curl's answer. @returns the challenge, and the first status after it. */
async function ask(method: 'REGISTER' | 'INVITE', password: string) {
  const uri = `sip:${method === 'INVITE' ? '1000@' : ''}${domain.name}`;
  const aor = `<sip:alice@${domain.name}>`;
  const say = (seq: number, headers = ''): void => {
    const body = method === 'INVITE' ? ANSWER_SDP : '';
    const given = { uri, branch: `${method}${seq}`, seq, from: `${aor};tag=a`, to: aor, headers, body };
    peer.send(request(method, peer, given), listenerOf(exchange, 'udp'));
  };
  say(1);
  const challenge = (await peer.next(407)).header('Proxy-Authenticate') ?? '';
  say(2, `Proxy-Authorization: ${await answerOf(challenge, { method, uri, password })}\r\n`);
  await expect.poll(() => peer.heard.length).toBeGreaterThan(0);
  return { challenge, status: peer.heard[0]?.status };
}

describe.skipIf(!isInstalled('curl', 'curl'))('a SHA-256 digest by curl', () => {
  it.each([
    ['REGISTER', PASSWORD, 200],
    ['REGISTER', 'wrong', 403],
    ['INVITE', PASSWORD, 100],
    ['INVITE', 'wrong', 403],
  ] as const)('%s with %s is answered %i', async (method, password, expected) => {
    const { challenge, status } = await ask(method, password);
    expect(challenge).toMatch(/^Digest realm="sip\.twilio\.com",.*algorithm=SHA-256/);
    expect(status).toBe(expected);
  });
});
