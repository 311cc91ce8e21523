// SIPp over TCP: as the carrier that the exchange calls, and as the caller of our own carrier.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { hasSipp, type Sipp, startSipp } from './sipp.ts';

describe.skipIf(!hasSipp)('SIPp over TCP', () => {
  let exchange: Exchange;
  let sipp: Sipp | undefined;

  beforeEach(async () => {
    exchange = await startExchange();
  });

  afterEach(async () => {
    sipp?.stop();
    await exchange.stop();
  });

  it('is called, answers, and is hung up', async () => {
    sipp = await startSipp(['-sn', 'uas', '-t', 't1', '-m', '1'], 'tcp');
    const { sid } = await exchange.client.calls.create({
      to: `sip:bob@127.0.0.1:${sipp.port};transport=tcp`,
      from: '+15550009999',
      twiml: '<Response><Pause length="1"/></Response>',
    });
    expect((await exchange.ended(sid)).status).toBe('completed');
  });

  it.each(['t1', 'tn'])('calls, one connection or one per call (%s)', async (mode) => {
    const carrier = await exchange.carrier({ transport: 'tcp' });
    const [, place = ''] = /^sip:([^;]+)/.exec(carrier.uri) ?? [];
    const calls = [
      '-sn',
      'uac',
      '-s',
      '+15550001234',
      '-m',
      '20',
      '-r',
      '20',
      '-d',
      '200',
      '-max_socket',
      '1000',
    ];
    sipp = await startSipp([...calls, '-t', mode, place], 'nowhere');
    expect(await sipp.exit, sipp.output()).toBe(0);
    expect(carrier.invites()).toBe(20);
  });
});
