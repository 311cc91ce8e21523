// Calls to emergency services, by <Dial> and over the API: only where somebody has seen to it that they arrive and can be
// called back.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Inbound, startInbound } from '../support/inbound.ts';

const CALL_BACK = '+14155550100';

let inbound: Inbound;
beforeEach(async () => {
  inbound = await startInbound();
  inbound.twiml['/voice'] = '<Dial><Number>911</Number></Dial>';
});
afterEach(() => inbound.stop());

/** A trunk to a carrier that answers, chosen for numbers that begin with `prefix`. */
async function routed(prefix: string) {
  const { exchange } = inbound;
  const carrier = await exchange.carrier();
  const trunk = await exchange.trunkTo(carrier.uri);
  const made = await exchange.ours('CarrierRoutes', { Prefix: prefix, ByocTrunkSid: trunk });
  expect(made.status).toBe(201);
  return { trunk, carrier };
}

/** The domain may call emergency services, and is called back at a number of its own. */
async function enable(): Promise<void> {
  const { exchange, domain } = inbound;
  const { sid } = await exchange.client.incomingPhoneNumbers.create({ phoneNumber: CALL_BACK });
  await exchange.client.sip
    .domains(domain.sid)
    .update({ emergencyCallingEnabled: true, emergencyCallerSid: sid });
}

/** The number to call back is the account's. */
async function own(emergencyStatus: 'Active' | 'Inactive'): Promise<void> {
  await inbound.exchange.client.incomingPhoneNumbers.create({ phoneNumber: CALL_BACK, emergencyStatus });
}

/** The call of the Dial's callee, once it has ended. */
async function dialled() {
  const { exchange } = inbound;
  await inbound.call();
  const parentCallSid = await inbound.sidOf();
  await exchange.ended(parentCallSid);
  const [child] = await exchange.client.calls.list({ parentCallSid });
  return exchange.ended(String(child?.sid));
}

it('goes out by the carrier of that very prefix, with the number to call back', async () => {
  const { trunk, carrier } = await routed('+911');
  await enable();
  const child = dialled();
  await carrier.event('answered');
  carrier.hangUp();
  expect(await child).toMatchObject({ status: 'completed', to: '911', from: CALL_BACK });
  expect((await inbound.exchange.trace((await child).sid)).rule).toContain(trunk);
});

it.each([
  ['the domain may not', '+911', false, /EmergencyCallingEnabled is off/],
  ['only a route for every number is there', '', true, /no CarrierRoute has the prefix \+911/],
])('is refused with 13225 where %s', async (_case, prefix, isEnabled, why) => {
  await routed(prefix);
  if (isEnabled) await enable();
  const child = await dialled();
  expect(child.status).toBe('failed');
  const [notification] = await inbound.exchange.client.calls(child.sid).notifications.list();
  expect(notification).toMatchObject({ errorCode: '13225', messageText: expect.stringMatching(why) });
});

describe('over the API', () => {
  const TWIML = '<Response><Pause length="60"/></Response>';
  const place = (order: object = {}) =>
    inbound.exchange.client.calls.create({ to: '911', from: CALL_BACK, twiml: TWIML, ...order });

  it.each([
    ['no number of the account', '+911', undefined, /the caller \+14155550100 is no number of the account/],
    ['a number whose EmergencyStatus is not Active', '+911', 'Inactive', /EmergencyStatus Active/],
    [
      'a number, where only a route for every number is there',
      '',
      'Active',
      /no CarrierRoute has the prefix/,
    ],
  ] as const)(
    'from %s it is refused with 21216, whatever trunk is named',
    async (_case, prefix, status, why) => {
      const { trunk, carrier } = await routed(prefix);
      if (status) await own(status);
      for (const order of [{}, { byoc: trunk }, { to: '+911' }])
        await expect(place(order)).rejects.toMatchObject({
          status: 400,
          code: 21_216,
          message: expect.stringMatching(why),
        });
      expect(carrier.invites()).toBe(0);
    },
  );

  it('goes out past every limit by the carrier of that very prefix, as the number to call back', async () => {
    await inbound.stop();
    inbound = await startInbound({ settings: { TANDEM_MAX_CALLS: '1' } });
    const { exchange } = inbound;
    const { carrier } = await routed('+911');
    const other = await exchange.trunkTo((await exchange.carrier()).uri);
    await own('Active');
    await exchange.place(other);
    await expect(place({ to: '+14155550123', byoc: other })).rejects.toMatchObject({ code: 10_004 });
    const { sid, to, from } = await place({ byoc: other, callerId: '+14155559999' });
    expect([to, from]).toEqual(['911', CALL_BACK]);
    const { call } = await carrier.event('answered');
    expect([call.to, call.from]).toEqual(['911', expect.stringContaining(`sip:${CALL_BACK}@`)]);
    carrier.hangUp();
    expect((await exchange.ended(sid)).status).toBe('completed');
  });
});
