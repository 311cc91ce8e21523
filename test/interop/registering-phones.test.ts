// baresip registers at a running exchange and calls over it, by every transport.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateFor } from '../support/certificates.ts';
import { domainWith, listenerOf, listOf, PASSWORD, type TestDomain } from '../support/doors.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { hasBaresip, startBaresip } from './baresip.ts';

describe.skipIf(!hasBaresip)('baresip at the exchange', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-phones-'));
  const certificate = certificateFor('127.0.0.1');
  let exchange: Exchange;
  let domain: TestDomain;

  beforeAll(async () => {
    const files = { TANDEM_TLS_CERT: join(folder, 'cert.pem'), TANDEM_TLS_KEY: join(folder, 'key.pem') };
    writeFileSync(files.TANDEM_TLS_CERT, certificate.cert);
    writeFileSync(files.TANDEM_TLS_KEY, certificate.key);
    exchange = await startExchange(files);
    domain = await domainWith(exchange, ['phone']);
  });
  afterAll(async () => {
    await exchange.stop();
    rmSync(folder, { recursive: true });
  });

  const registrations = () => listOf(exchange, 'Registrations', `?DomainSid=${domain.sid}`);

  it.each(['udp', 'tcp', 'tls'] as const)(
    'registers over %s, calls, and unregisters as it ends',
    async (transport) => {
      const phone = await startBaresip({
        registrar: listenerOf(exchange, transport).port,
        transport,
        password: PASSWORD,
        ca: certificate.cert,
        domain: domain.name,
        intervalS: 900,
      });
      const patience = { timeout: 15_000 };
      try {
        await expect.poll(registrations, patience).toMatchObject([
          {
            aor: `sip:phone@${domain.name}`,
            transport,
            source_ip: '127.0.0.1',
            user_agent: expect.stringContaining('baresip'),
          },
        ]);
        await phone.command('dial', `sip:+14155550100@${domain.name}`);
        const refused = async () =>
          (await listOf(exchange, 'RejectedCalls', `?DomainSid=${domain.sid}`)).filter(
            (row) => row.transport === transport,
          );
        // It proved who it is and offered audio: only the one who would answer is missing.
        await expect.poll(refused, patience).toMatchObject([
          {
            status: 404,
            error_code: null,
            reason: expect.stringContaining('has no VoiceUrl'),
            to: expect.stringContaining(`sip:+14155550100@${domain.name}`),
          },
        ]);
      } finally {
        await phone.stop();
      }
      await expect.poll(registrations, patience).toEqual([]);
    },
  );
});
