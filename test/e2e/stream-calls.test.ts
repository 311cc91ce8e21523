// Calls over TCP and TLS, end to end: the exchange, and the built-in carrier that listens there.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/sip/index.ts';
import { certificateFor } from '../support/certificates.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { certificateName, openStreamPeer } from '../support/stream-peer.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ANSWERED = '<Response><Pause length="1"/></Response>';
const LONG = '<Response><Pause length="60"/></Response>';
const trusted = certificateFor('127.0.0.1', 'localhost');
const stranger = certificateFor('stranger.example');

let exchange: Exchange;

afterEach(() => exchange.stop());

const call = (byoc: string, twiml = ANSWERED): Promise<string> => exchange.place(byoc, { twiml });

/** Starts an exchange that trusts `trusted`. */
async function startTrusting(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  const ca = join(tempFolder(), 'ca.pem');
  writeFileSync(ca, trusted.cert);
  exchange = await startExchange({ TANDEM_SIP_CA: ca, ...settings });
}

const tlsPlace = (): Endpoint => {
  const [, address = '', port] = /^(.*):(\d+)$/.exec(exchange.tandem.sips ?? '') ?? [];
  return { transport: 'tls', address, port: Number(port) };
};

describe('a call', () => {
  it.each(['tcp', 'tls'] as const)('goes over %s, and is hung up by either side', async (transport) => {
    await startTrusting();
    const carrier = await exchange.carrier({ transport, tls: trusted });
    expect(carrier.uri).toMatch(new RegExp(`^sip:127\\.0\\.0\\.1:\\d+;transport=${transport}$`));
    const byoc = await exchange.trunkTo(carrier.uri);
    const sid = await call(byoc);
    expect((await exchange.ended(sid)).status).toBe('completed');
    const { call: heard } = await carrier.event('ended');
    expect(heard.to).toBe('+15550001234');

    const hangsUp = await exchange.carrier({ transport, tls: trusted, always: 'hang-up' });
    const second = await call(await exchange.trunkTo(hangsUp.uri), LONG);
    expect((await exchange.ended(second)).status).toBe('completed');
  });

  it('finds a TLS carrier by its name', async () => {
    await startTrusting();
    const carrier = await exchange.carrier({ transport: 'tls', tls: trusted });
    const sid = await call(await exchange.trunkTo(carrier.uri.replace('127.0.0.1', 'localhost')));
    expect((await exchange.ended(sid)).status).toBe('completed');
  });

  it('goes on from a carrier with a certificate for somebody else, and from a closed port, and says so', async () => {
    await startTrusting();
    const other = await exchange.carrier({ transport: 'tls', tls: stranger });
    const carrier = await exchange.carrier({ transport: 'tcp' });
    const sid = await call(await exchange.trunkTo(other.uri, 'sip:127.0.0.1:9;transport=tcp', carrier.uri));
    expect((await exchange.ended(sid)).status).toBe('completed');
    const { attempts } = await exchange.trace(sid);
    expect(attempts.map(({ why }) => why)).toEqual([
      expect.stringMatching(/self-signed/),
      expect.stringMatching(/ECONNREFUSED/),
      '200 OK',
    ]);
    expect(other.invites()).toBe(0);
  });
});

describe('the certificate', () => {
  it('is made at the first start, and is the same at the next', async () => {
    const TANDEM_DATA = tempFolder();
    exchange = await startExchange({ TANDEM_DATA });
    const first = await openStreamPeer(tlsPlace());
    const shown = first.socket as TLSSocket;
    const { fingerprint256, subjectaltname } = shown.getPeerCertificate();
    const twilio = ['api', 'voice', 'trunking'].map((product) => `DNS:${product}.twilio.com`);
    expect(subjectaltname).toBe(['IP Address:127.0.0.1', 'DNS:localhost', ...twilio].join(', '));
    first.close();
    await exchange.stop();
    exchange = await startExchange({ TANDEM_DATA });
    const second = await openStreamPeer(tlsPlace());
    expect((second.socket as TLSSocket).getPeerCertificate().fingerprint256).toBe(fingerprint256);
    second.close();
  });

  it('is replaced when its files change, while a call over TLS is up', async () => {
    const folder = tempFolder();
    const [TANDEM_TLS_CERT, TANDEM_TLS_KEY] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const write = (name: string) => {
      const { cert, key } = certificateFor(name);
      writeFileSync(TANDEM_TLS_CERT, cert);
      writeFileSync(TANDEM_TLS_KEY, key);
    };
    write('old.example');
    await startTrusting({ TANDEM_TLS_CERT, TANDEM_TLS_KEY });
    const carrier = await exchange.carrier({ transport: 'tls', tls: trusted });
    const sid = await call(await exchange.trunkTo(carrier.uri), LONG);
    await exchange.reached(sid, 'in-progress');
    const before = await openStreamPeer(tlsPlace());
    expect(certificateName(before)).toBe('old.example');

    write('new.example');
    let shown: unknown;
    while (shown !== 'new.example') {
      const peer = await openStreamPeer(tlsPlace());
      shown = certificateName(peer);
      peer.close();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    before.write('\r\n\r\n');
    while (before.heard() !== '\r\n') await new Promise(setImmediate);
    before.close();
    expect((await exchange.client.calls(sid).fetch()).status).toBe('in-progress');
  });

  it('that cannot be made leaves TLS off', async () => {
    const TANDEM_DATA = tempFolder();
    mkdirSync(TANDEM_DATA, { recursive: true });
    writeFileSync(join(TANDEM_DATA, 'tls'), 'in the way');
    exchange = await startExchange({ TANDEM_DATA });
    expect(exchange.tandem.sips).toBeUndefined();
    const carrier = await exchange.carrier({ transport: 'tcp' });
    expect((await exchange.ended(await call(await exchange.trunkTo(carrier.uri)))).status).toBe('completed');
  });
});
