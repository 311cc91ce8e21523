// TLS: whose certificate is taken for whose, which versions are spoken, and certificates that are replaced.
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificateFor } from '../../../test/support/certificates.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { until } from '../../../test/support/raw-peer.ts';
import { certificateName, openStreamPeer } from '../../../test/support/stream-peer.ts';
import { silentLog } from '../../lib/log.ts';
import type { Endpoint } from './endpoint.ts';
import { STREAM_LIMITS } from './stream-connection.ts';
import { listenTls, type TlsOptions, type TlsTransport } from './tls.ts';

let clock: FakeClock;
let opened: { close(): unknown }[];

beforeEach(() => {
  clock = new FakeClock();
  opened = [];
});

afterEach(async () => {
  await Promise.all(opened.map((each) => each.close()));
});

interface Station {
  readonly transport: TlsTransport;
  readonly local: Endpoint;
  readonly heard: string[];
  /** Where each of them came from. */
  readonly ports: number[];
}

async function open(tls: TlsOptions): Promise<Station> {
  const heard: string[] = [];
  const ports: number[] = [];
  const transport = await listenTls({
    host: '127.0.0.1',
    port: 0,
    clock,
    log: silentLog,
    receive: (octets, { peer }) => {
      heard.push(octets);
      ports.push(peer.port);
    },
    tls,
  });
  opened.push(transport);
  return { transport, heard, ports, local: transport.local };
}

const MESSAGE = 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n';
const other = certificateFor('other.example');

describe('the peer that is called', () => {
  const served = certificateFor('sip.example', '127.0.0.1');

  it.each([
    [
      'is taken when its certificate is for the domain called',
      { host: 'sip.example' },
      served.cert,
      undefined,
    ],
    ['is taken for its address when the certificate says so', {}, served.cert, undefined],
    [
      'is refused for another name',
      { host: 'a.example' },
      served.cert,
      /not for a\.example but for sip\.example/,
    ],
    ['is refused for a name below', { host: 'x.sip.example' }, served.cert, /not for x\.sip\.example/],
    ['is refused when nobody trusts its certificate', { host: 'sip.example' }, other.cert, /self-signed/],
    ['is refused without any CA of ours', { host: 'sip.example' }, undefined, /self-signed/],
    [
      'is taken in spite of its name by who does not ask',
      { host: 'a.example', insecure: true },
      served.cert,
      undefined,
    ],
    ['is taken untrusted by who does not ask', { host: 'sip.example', insecure: true }, undefined, undefined],
  ])('%s', async (_, ask, ca, refusal) => {
    const callee = await open(served);
    const caller = await open({ ...other, ca });
    const refused: string[] = [];
    caller.transport.send(MESSAGE, { ...callee.local, ...ask }, ({ message }) => refused.push(message));
    await until(() => callee.heard.length + refused.length > 0);
    expect(callee.heard).toEqual(refusal ? [] : [MESSAGE]);
    if (refusal) expect(refused).toEqual([expect.stringMatching(refusal)]);
  });

  it('is not spoken to over a connection on which less was asked', async () => {
    const callee = await open(served);
    const caller = await open(other);
    const refused: string[] = [];
    const to = { ...callee.local, host: 'sip.example' };
    caller.transport.send(MESSAGE, { ...to, insecure: true });
    await until(() => callee.heard.length === 1);
    caller.transport.send(MESSAGE, to, ({ message }) => refused.push(message));
    await until(() => refused.length === 1);
    expect(callee.heard).toHaveLength(1);
  });

  it('has one connection for those who check and another for those who do not', async () => {
    const callee = await open(served);
    const caller = await open({ ...other, ca: served.cert });
    const to = { ...callee.local, host: 'sip.example' };
    for (const insecure of [false, true, false, true]) caller.transport.send(MESSAGE, { ...to, insecure });
    await until(() => callee.heard.length === 4);
    expect(new Set(callee.ports).size).toBe(2);
  });
});

describe('a peer that calls', () => {
  const OLD_CIPHERS = 'DEFAULT@SECLEVEL=0';

  it.each([
    ['TLSv1.1', false],
    ['TLSv1.2', true],
    ['TLSv1.3', true],
  ] as const)('with %s is taken: %s', async (version, taken) => {
    const callee = await open(other);
    const attempt = openStreamPeer(callee.local, {
      minVersion: version === 'TLSv1.1' ? 'TLSv1' : version,
      maxVersion: version,
      ciphers: OLD_CIPHERS,
    });
    const outcome = await attempt.then(
      (peer) => {
        opened.push(peer);
        return true;
      },
      () => false,
    );
    expect(outcome).toBe(taken);
  });

  it.each(['says nothing', 'speaks clear SIP'])('and %s is left', async (what) => {
    const callee = await open(other);
    const socket = connect(callee.local.port, '127.0.0.1');
    let isClosed = false;
    socket.on('error', () => {}).on('close', () => (isClosed = true));
    socket.resume();
    await until(() => clock.pending === 1);
    if (what === 'says nothing') clock.advance(STREAM_LIMITS.openingMs);
    else socket.write(MESSAGE);
    await until(() => isClosed);
    await until(() => clock.pending === 0);
    expect(callee.heard).toEqual([]);
  });
});

describe('a certificate that is replaced', () => {
  it('is shown to new connections, and the old ones go on', async () => {
    const callee = await open(certificateFor('old.example'));
    const before = await openStreamPeer(callee.local);
    callee.transport.reload(certificateFor('new.example'));
    const after = await openStreamPeer(callee.local);
    opened.push(before, after);
    expect([before, after].map(certificateName)).toEqual(['old.example', 'new.example']);
    for (const peer of [before, after]) peer.write(MESSAGE);
    await until(() => callee.heard.length === 2);
  });

  it.each([
    ['no certificate', { cert: 'nonsense', key: other.key }],
    ["another certificate's key", { cert: other.cert, key: certificateFor('x').key }],
  ])('by %s stays', async (_, broken) => {
    const callee = await open(certificateFor('old.example'));
    expect(() => callee.transport.reload(broken)).toThrow();
    const peer = await openStreamPeer(callee.local);
    opened.push(peer);
    expect(certificateName(peer)).toBe('old.example');
  });

  it('and a start with a broken one fails, nothing left open', async () => {
    await expect(open({ cert: other.cert, key: certificateFor('x').key })).rejects.toThrow(/key/i);
    await expect(open({ ...other, ca: 'nonsense' })).rejects.toThrow();
  });
});
