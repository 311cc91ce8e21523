// SIPp as the carrier: its built-in UAS, and scenarios that refuse, ring out, hang up, and lose packets.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { hasSipp, type Sipp, startSipp } from './sipp.ts';

const COPIED = '[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\n[last_CSeq:]\n';
const CONTACT = 'Contact: <sip:[local_ip]:[local_port]>\n';
const SDP = `Content-Type: application/sdp\nContent-Length: [len]\n
v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 8\na=rtpmap:8 PCMA/8000\n`;

const send = (status: string, rest: string, options = ''): string =>
  `<send${options}><![CDATA[\nSIP/2.0 ${status}\n${COPIED}${rest}\n]]></send>`;
const scenario = (...steps: readonly string[]): string =>
  `<?xml version="1.0"?><scenario name="carrier">${steps.join('')}</scenario>`;
const recv = (request: string): string => `<recv request="${request}"/>`;
const NO_BODY = `${CONTACT}Content-Length: 0\n`;

const SCENARIOS = {
  refuses: (status: string) => scenario(recv('INVITE'), send(status, NO_BODY), recv('ACK')),
  rings: scenario(
    recv('INVITE'),
    send('180 Ringing', NO_BODY),
    recv('CANCEL'),
    send('200 OK', 'Content-Length: 0\n'),
    `<send><![CDATA[\nSIP/2.0 487 Request Terminated\n[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\nCSeq: 1 INVITE\nContent-Length: 0\n\n]]></send>`,
    recv('ACK'),
  ),
  hangsUp: scenario(
    `<recv request="INVITE" rrs="true"><action>
       <ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>
       <ereg regexp=".*" search_in="hdr" header="To:" assign_to="callee"/>
     </action></recv>`,
    send('180 Ringing', NO_BODY),
    send('200 OK', CONTACT + SDP, ' retrans="500"'),
    recv('ACK'),
    '<pause milliseconds="300"/>',
    `<send retrans="500"><![CDATA[\nBYE [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom: [$callee];tag=[call_number]\nTo: [$caller]\n[last_Call-ID:]\nCSeq: 1 BYE\nMax-Forwards: 70\nContent-Length: 0\n\n]]></send>`,
    '<recv response="200"/>',
  ),
};

describe.skipIf(!hasSipp)('a call to SIPp', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-scenarios-'));
  let exchange: Exchange;
  const running: Sipp[] = [];

  beforeEach(async () => {
    exchange = await startExchange();
  });

  afterEach(async () => {
    for (const sipp of running.splice(0)) sipp.stop();
    await exchange.stop();
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  async function carrier(xml: string | undefined, ...args: string[]): Promise<Sipp> {
    const path = join(folder, `${running.length}.xml`);
    if (xml !== undefined) writeFileSync(path, xml);
    const sipp = await startSipp([
      ...(xml === undefined ? ['-sn', 'uas'] : ['-sf', path]),
      '-m',
      '1',
      ...args,
    ]);
    running.push(sipp);
    return sipp;
  }

  async function call(targets: readonly Sipp[], timeout = 20): Promise<string> {
    const byoc = await exchange.trunkTo(...targets.map(({ port }) => `sip:127.0.0.1:${port}`));
    return exchange.place(byoc, { twiml: '<Response><Pause length="1"/></Response>', timeout });
  }

  it('is answered and hung up by the exchange', async () => {
    const sipp = await carrier(undefined);
    const sid = await call([sipp]);
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(await sipp.exit, sipp.output()).toBe(0);
  });

  it('goes from one that answers 503 to one that answers', async () => {
    const dead = await carrier(SCENARIOS.refuses('503 Service Unavailable'));
    const alive = await carrier(undefined);
    const sid = await call([dead, alive]);
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(await dead.exit, dead.output()).toBe(0);
    expect(await alive.exit, alive.output()).toBe(0);
  });

  it.each([
    ['486 Busy Here', 'busy'],
    ['603 Decline', 'failed'],
    ['404 Not Found', 'failed'],
  ])('ends on %s as %s', async (status, callStatus) => {
    const sipp = await carrier(SCENARIOS.refuses(status));
    expect((await exchange.ended(await call([sipp]))).status).toBe(callStatus);
    expect(await sipp.exit, sipp.output()).toBe(0);
  });

  it('is canceled when nobody answers', async () => {
    const sipp = await carrier(SCENARIOS.rings);
    expect((await exchange.ended(await call([sipp], 1))).status).toBe('no-answer');
    expect(await sipp.exit, sipp.output()).toBe(0);
  });

  it('is hung up by SIPp', async () => {
    const sipp = await carrier(SCENARIOS.hangsUp);
    const sid = await call([sipp]);
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(await sipp.exit, sipp.output()).toBe(0);
    expect((await exchange.trace(sid)).events.map(({ text }) => text)).toContain(
      'completed: the callee hung up',
    );
  });

  it('survives a lossy line', async () => {
    const sipp = await carrier(undefined, '-lost', '10');
    expect((await exchange.ended(await call([sipp]))).status).toBe('completed');
    expect(await sipp.exit, sipp.output()).toBe(0);
  });
});
