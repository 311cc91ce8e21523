// From a target's 503 to the INVITE at the next one, as the wire sees it: an exchange, and two UASs of one socket each.
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../src/config.ts';
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import { startTandem } from '../src/tandem.ts';

const WARM_UP = 200;
const CALLS = 1000;

const header = (text: string, name: string): string => {
  const start = text.indexOf(`\r\n${name}: `) + name.length + 4;
  return text.slice(start, text.indexOf('\r\n', start));
};

/** Refuses every call, and says when an INVITE came and when the refusal left, on `performance.now()`. */
async function startRefusing(status: string, seen: (callMs: number) => void) {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.on('message', (datagram, from) => {
    const text = datagram.toString('latin1');
    if (!text.startsWith('INVITE')) return;
    const same = ['Via', 'From', 'Call-ID', 'CSeq']
      .map((name) => `${name}: ${header(text, name)}\r\n`)
      .join('');
    const message = `SIP/2.0 ${status}\r\n${same}To: ${header(text, 'To')};tag=uas\r\nContent-Length: 0\r\n\r\n`;
    seen(performance.now());
    socket.send(message, from.port, from.address);
  });
  const { port } = socket.address();
  return { uri: `sip:127.0.0.1:${port}`, close: () => void socket.close() };
}

export async function measure() {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  opened.defer(() => rmSync(folder, { recursive: true }));
  const config = readConfig({
    TANDEM_DATA: folder,
    TANDEM_HTTP_PORT: '0',
    TANDEM_SIP_PORT: '0',
    // Else the first target would soon be tried last.
    TANDEM_HEALTH_FAILURES: '0',
  });
  let refusedMs = 0;
  let arrived = (_ms: number): void => {};
  const first = await startRefusing('503 Service Unavailable', (nowMs) => (refusedMs = nowMs));
  const second = await startRefusing('486 Busy Here', (nowMs) => arrived(nowMs - refusedMs));
  opened.defer(() => [first, second].forEach((each) => each.close()));
  const tandem = await startTandem(config, { clock: systemClock, random: systemRandom(), log: silentLog });
  opened.defer(() => tandem.stop(0));
  const { accountSid, authToken } = tandem.account;
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  const post = async (path: string, form: Record<string, string>): Promise<string> => {
    const options = { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) };
    const response = await fetch(tandem.http + path, options);
    if (response.status !== 201) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { sid: string }).sid;
  };
  const policy = await post('/v1/ConnectionPolicies', {});
  for (const [priority, { uri }] of [first, second].entries()) {
    await post(`/v1/ConnectionPolicies/${policy}/Targets`, { Target: uri, Priority: String(priority) });
  }
  const order = {
    To: '+15550001234',
    From: '+15550009999',
    Byoc: await post('/v1/ByocTrunks', { ConnectionPolicySid: policy }),
    Twiml: '<Response/>',
  };
  const times: number[] = [];
  for (let call = 0; call < WARM_UP + CALLS; call++) {
    const time = new Promise<number>((resolve) => (arrived = resolve));
    await post(`/2010-04-01/Accounts/${accountSid}/Calls.json`, order);
    times.push(await time);
  }
  const sorted = times.slice(WARM_UP).toSorted((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(3));
  return { calls: CALLS, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(0.9999) };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure())}\n`);
