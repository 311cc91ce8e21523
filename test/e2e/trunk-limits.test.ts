// What settings and the account's numbers allow a trunk's calls: how long, how many, as whom, to emergency services, and
// whose names they show.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Twilio } from 'twilio';
import { afterEach, describe, expect, it } from 'vitest';
import { listOf } from '../support/doors.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { NUMBER, OUTSIDE, requestOf, TrunkScene } from '../support/trunk-scene.ts';

const BUSY = { kind: 'refuse', status: 486 };

let scene: TrunkScene;
afterEach(({ task }) => scene.close(task.result?.state === 'fail'));

it('a call ends at its time limit, on both sides, with 32015', async () => {
  scene = await TrunkScene.open({ env: { TANDEM_TRUNK_CALL_S: '1' } });
  const carrier = await scene.peer();
  await scene.route('', carrier.uri);
  const pbx = await scene.callsOut();
  await pbx.answered;
  await carrier.event('ended');
  expect((await pbx.ended).by).toBe('remote');
  expect((await scene.ended()).status).toBe('completed');
  expect(await scene.notices()).toEqual(['32015']);
});

it('both sides of a call are asked to show that they are there, where the setting says so', async () => {
  scene = await TrunkScene.open({ env: { TANDEM_SESSION_EXPIRES_S: '300' } });
  const carrier = await scene.peer();
  await scene.route('', carrier.uri);
  const pbx = await scene.callsOut();
  const answer = await pbx.final;
  expect(answer.header('Session-Expires')).toMatch(/^300;refresher=/);
  expect(requestOf(carrier)?.header('Session-Expires')).toMatch(/^300/);
  pbx.hangUp();
  await scene.ended();
});

it('calls a second over a trunk are refused with 503 and 32001', async () => {
  scene = await TrunkScene.open({ env: { TANDEM_CALLS_PER_SECOND: '1' } });
  scene.hasRefused = true;
  const calls = await Promise.all(Array.from({ length: 8 }, () => scene.callsOut()));
  const told = await Promise.all(
    calls.map(async ({ final }) => {
      const response = await final;
      return `${response.status} ${response.reason} ${response.header('X-Twilio-Error')?.slice(0, 5)}`;
    }),
  );
  expect(told).toContain('503 Trunk CPS limit exceeded 32001');
  expect(told).toContain('503 Service Unavailable 32010');
});

it('calls at a time over a trunk, both ways, are refused to its PBX with 503 and 10004', async () => {
  scene = await TrunkScene.open({ env: { TANDEM_TRUNK_MAX_CALLS: '2' } });
  scene.hasRefused = true;
  const [carrier, pbx] = [await scene.peer(), await scene.peer()];
  await scene.route('', carrier.uri);
  await scene.urls(pbx.uri);
  const [out, into] = [await scene.callsOut(), await scene.callsIn()];
  await Promise.all([out.answered, into.answered]);
  const refused = await (await scene.callsOut()).final;
  expect([refused.status, refused.header('X-Twilio-Error')]).toEqual([503, expect.stringMatching(/^10004 /)]);
  // Another trunk of the account has a limit of its own.
  const other = await scene.callsOut({ uri: `sip:${OUTSIDE}@${await scene.anotherTrunk()}` });
  await other.answered;
  into.hangUp();
  await into.ended;
  await expect.poll(() => scene.exchange.counts().calls).toBe(2);
  const again = await scene.callsOut();
  await again.answered;
  for (const call of [out, other, again]) call.hangUp();
  await scene.exchange.quiet();
  scene.exchange.hurry();
  await expect
    .poll(() => listOf(scene.exchange, 'RejectedCalls'))
    .toMatchObject([{ reason: expect.stringContaining('TANDEM_TRUNK_MAX_CALLS') }]);
});

it('calls a second over a trunk may be fewer than its account’s', async () => {
  scene = await TrunkScene.open({
    env: { TANDEM_TRUNK_CALLS_PER_SECOND: '1', TANDEM_CALLS_PER_SECOND: '1000' },
  });
  scene.hasRefused = true;
  const calls = await Promise.all(Array.from({ length: 8 }, () => scene.callsOut()));
  const told = await Promise.all(
    calls.map(async ({ final }) => (await final).header('X-Twilio-Error')?.slice(0, 5)),
  );
  expect(told.filter((code) => code === '32001').length).toBeGreaterThan(4);
  expect(told).toContain('32010');
});

it('a PBX may call as any number where the setting says so', async () => {
  scene = await TrunkScene.open({ env: { TANDEM_TRUNK_CALLER_IDS: 'any' } });
  const carrier = await scene.peer(BUSY);
  await scene.route('', carrier.uri);
  const { final } = await scene.callsOut({ from: 'sip:+12025550199@pbx.example' });
  expect((await final).status).toBe(486);
  expect(requestOf(carrier)?.header('From')).toContain('sip:+12025550199@');
});

describe('an emergency number', () => {
  const uri = () => `sip:911@${scene.trunk.domainName}`;

  it('is called by the carrier of that very prefix, from a number that can be called back', async () => {
    scene = await TrunkScene.open({ env: { TANDEM_MAX_CALLS: '1' } });
    const { client } = scene.exchange;
    const [own] = await client.incomingPhoneNumbers.list({ phoneNumber: NUMBER });
    await client.incomingPhoneNumbers(String(own?.sid)).update({ emergencyStatus: 'Active' });
    const [carrier, service] = [await scene.peer(), await scene.peer()];
    await scene.route('', carrier.uri);
    const byoc = await scene.route('+911', service.uri);
    const first = await scene.callsOut();
    await first.answered;
    const second = await scene.callsOut({ uri: uri(), headers: [['Privacy', 'id']] });
    await second.answered;
    expect(requestOf(service)?.uri).toBe(service.uri.replace('sip:', 'sip:911@'));
    expect(requestOf(service)?.header('From')).toContain(`sip:${NUMBER}@`);
    const sid = await scene.sid();
    expect(await client.calls(sid).fetch()).toMatchObject({ to: '911', from: NUMBER });
    expect((await scene.exchange.trace(sid)).rule).toContain(byoc);
    for (const call of [first, second]) call.hangUp();
    await scene.exchange.quiet();
  });

  it('is refused with 403 and 32203 where nobody has seen to it', async () => {
    scene = await TrunkScene.open();
    scene.hasRefused = true;
    const carrier = await scene.peer();
    await scene.route('', carrier.uri);
    const response = await (await scene.callsOut({ uri: uri() })).final;
    expect([response.status, response.header('X-Twilio-Error')]).toEqual([
      403,
      '32203 SIP: Destination is blocked',
    ]);
    expect(carrier.invites()).toBe(0);
    scene.exchange.hurry();
    await expect
      .poll(() => listOf(scene.exchange, 'RejectedCalls'))
      .toMatchObject([{ error_code: 32_203, trunk_sid: scene.trunk.sid }]);
  });
});

it.each([
  ['found in the file', OUTSIDE, 'Ada Lovelace'],
  ['the carrier’s where the file has none', '+442079460001', 'As Shown'],
])('the PBX is shown a name that is %s', async (_case, number, name) => {
  const file = join(tempFolder(), 'names.csv');
  writeFileSync(file, `${OUTSIDE},Ada Lovelace\n`);
  scene = await TrunkScene.open({ trunk: { cnamLookupEnabled: true }, env: { TANDEM_CNAM_FILE: file } });
  const pbx = await scene.peer(BUSY);
  await scene.urls(pbx.uri);
  const from = `sip:${number}@carrier.example`;
  await (await scene.callsIn({ from, fromName: 'As Shown' })).final;
  for (const header of ['From', 'P-Asserted-Identity'])
    expect(requestOf(pbx)?.header(header)).toContain(`"${name}" <sip:${number}@`);
  expect(requestOf(pbx)?.header('Contact')).toMatch(new RegExp(`^"${name}" <sip:127\\.`));
  expect((await scene.ended()).callerName).toBe(name);
});

it('docs/trunks.md sets up a trunk whose calls go both ways', async () => {
  scene = await TrunkScene.open();
  const page = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/trunks.md'), 'utf8');
  const pbx = await scene.peer();
  const code = (/^```js setup\n(.*?)^```$/ms.exec(page)?.[1] ?? '')
    .replaceAll('sip:127.0.0.1:5070', pbx.uri)
    .replaceAll('+14155550100', '+14155550177');
  const Code = (async () => {}).constructor as new (
    parameter: string,
    body: string,
  ) => (client: Twilio) => Promise<void>;
  await new Code('client', code)(scene.exchange.client);
  await scene.route('', pbx.uri);
  const out = await scene.callsOut({
    uri: `sip:${OUTSIDE}@office.pstn.twilio.com`,
    from: 'sip:+14155550177@pbx.example',
  });
  const into = await scene.callsIn({ uri: `sip:+14155550177@${scene.domain}` });
  for (const call of [out, into]) {
    await call.answered;
    call.hangUp();
  }
  await scene.exchange.quiet();
});
