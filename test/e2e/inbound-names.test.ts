// Who calls, by name (CNAM), and how many of them at once.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { listOf } from '../support/doors.ts';
import { type Inbound, startInbound } from '../support/inbound.ts';
import { tempFolder } from '../support/temp-folder.ts';

const NUMBER = '+14155550100';
const LISTED = '+442079460000';

let inbound: Inbound;
afterEach(() => inbound.stop());

/** A carrier's domain, whose trunk looks names up where `cnamLookupEnabled`. */
async function carrierDomain(settings: Readonly<Record<string, string>>, cnamLookupEnabled = true) {
  inbound = await startInbound({ settings });
  const { exchange, app, domain } = inbound;
  const voiceUrl = `${app.url}/trunk`;
  const { sid } = await exchange.client.voice.v1.byocTrunks.create({ voiceUrl, cnamLookupEnabled });
  await exchange.client.sip.domains(domain.sid).update({ byocTrunkSid: sid });
}

const callFrom = (number: string) =>
  inbound.call({
    uri: `sip:${NUMBER}@${inbound.domain.name}`,
    from: `sip:${number}@carrier.example`,
    fromName: 'As Shown',
  });

function namesFile(): string {
  const path = join(tempFolder(), 'names.csv');
  writeFileSync(path, `${LISTED},Ada Lovelace\n`);
  return path;
}

it.each([
  ['found in the file', LISTED, true, 'Ada Lovelace'],
  ['shown by the carrier where the file has none', '+442079460001', true, 'As Shown'],
  ['not told where the trunk does not look names up', LISTED, false, undefined],
])('a name is %s', async (_case, from, looksUp, name) => {
  await carrierDomain({ TANDEM_CNAM_FILE: namesFile() }, looksUp);
  inbound.twiml['/trunk'] = '<Reject/>';
  await callFrom(from);
  const { parameters } = await inbound.asked('/trunk');
  expect(parameters['CallerName']).toBe(name);
  const ended = await inbound.exchange.ended(String(parameters['CallSid']));
  expect(ended.callerName).toBe(name ?? null);
});

it('calls that came in count towards TANDEM_MAX_CALLS, until they end', async () => {
  await carrierDomain({ TANDEM_MAX_CALLS: '1' });
  const { exchange, app, twiml } = inbound;
  twiml['/trunk'] = '<Pause length="1"/><Pause length="60"/>';
  const first = await callFrom(LISTED);
  const sid = await inbound.sidOf('/trunk');
  const second = await (await callFrom(LISTED)).final;
  expect([second.status, second.header('X-Twilio-Error')]).toEqual([503, expect.stringContaining('10004')]);
  const order = { to: 'sip:someone@127.0.0.1:9', from: NUMBER, url: app.url };
  await expect(exchange.client.calls.create(order)).rejects.toMatchObject({ code: 10004 });
  await exchange.client.calls(sid).update({ status: 'completed' });
  await first.final;
  await exchange.ended(sid);
  twiml['/trunk'] = '<Reject/>';
  expect((await (await callFrom(LISTED)).final).status).toBe(404);
  await expect
    .poll(() => listOf(exchange, 'RejectedCalls', '?ErrorCode=10004'), { timeout: 12_000 })
    .toMatchObject([{ status: 503 }]);
});
