// What bounds the calls that come in: how many a second, and the countries that a trunk's account may call.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call, listenerOf, listOf, openPhone } from '../support/doors.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';

let exchange: Exchange;
/** SID of an access control list of this machine. */
let ipAccessControlListSid: string;
beforeAll(async () => {
  exchange = await startExchange({
    TANDEM_CALLS_PER_SECOND: '1',
    TANDEM_EMERGENCY_NUMBERS: '110',
    TANDEM_TOLLFRAUD_PREFIXES: '+37163',
  });
  const { ipAccessControlLists } = exchange.client.sip;
  ipAccessControlListSid = (await ipAccessControlLists.create({ friendlyName: 'here' })).sid;
  const { ipAddresses } = ipAccessControlLists(ipAccessControlListSid);
  await ipAddresses.create({ friendlyName: 'here', ipAddress: '127.0.0.1' });
});
afterAll(() => exchange.stop());

async function domainNamed(
  domainName: string,
  settings: { readonly emergencyCallingEnabled?: boolean } = {},
): Promise<void> {
  const { sid } = await exchange.client.sip.domains.create({ domainName, ...settings });
  await exchange.client.sip
    .domains(sid)
    .auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid });
}

async function trunkNamed(domainName: string): Promise<void> {
  const { sid } = await exchange.client.trunking.v1.trunks.create({ domainName });
  await exchange.client.trunking.v1.trunks(sid).ipAccessControlLists.create({ ipAccessControlListSid });
}

/** So many calls at once; what each is told: status and code. */
async function told(uri: string, count = 1): Promise<readonly string[]> {
  const phone = await openPhone();
  const options = {
    uri,
    from: 'sip:+14155550100@pbx.example',
    destination: listenerOf(exchange, 'udp'),
    body: { contentType: 'application/sdp', content: ANSWER_SDP },
  };
  const responses = await Promise.all(Array.from({ length: count }, () => call(phone, options)));
  return responses
    .map((each) => `${each.status} ${Number.parseInt(each.header('X-Twilio-Error') ?? '', 10)}`)
    .toSorted();
}

const limited = (answers: readonly string[], answer: string): number =>
  answers.filter((each) => each === answer).length;

it('calls a second are counted for each domain’s account, but for emergencies', async () => {
  await domainNamed('paced.sip.twilio.com', { emergencyCallingEnabled: true });
  const answers = await told('sip:100@paced.sip.twilio.com', 20);
  // One, and as many more as the test took seconds.
  expect(limited(answers, '503 32013')).toBeGreaterThan(10);
  expect(limited(answers, '503 32013')).toBeLessThan(20);
  const emergencies = await told('sip:110@paced.sip.twilio.com', 20);
  expect(limited(emergencies, '503 32013')).toBe(0);
  const kept = () => listOf(exchange, 'RejectedCalls', '?ErrorCode=32013');
  await expect
    .poll(kept, { timeout: 10_000 })
    .toMatchObject([{ status: 503, reason: expect.stringContaining('TANDEM_CALLS_PER_SECOND') }]);
});

it('calls a second are counted for each trunk', async () => {
  await trunkNamed('paced.pstn.twilio.com');
  const answers = await told('sip:nobody@paced.pstn.twilio.com', 20);
  const refused = limited(answers, '503 32001') + limited(answers, '503 32012');
  expect(refused).toBeGreaterThan(10);
});

it('countries and toll fraud are what DialingPermissions say', async () => {
  const { client } = exchange;
  await trunkNamed('geo.pstn.twilio.com');
  await client.incomingPhoneNumbers.create({ phoneNumber: '+14155550100' });
  await client.voice.v1.dialingPermissions.bulkCountryUpdates.create({
    updateRequest: JSON.stringify([
      { iso_code: 'GB', low_risk_numbers_enabled: false },
      { iso_code: 'LV', high_risk_tollfraud_numbers_enabled: false },
    ]),
  });
  const answerFor = async (number: string) => {
    for (;;) {
      const [answer = ''] = await told(`sip:${number}@geo.pstn.twilio.com`);
      // Twenty calls of other tests may have used up this second.
      if (!/^503 320(01|12)/.test(answer)) return answer;
    }
  };
  expect(await answerFor('+442079460000')).toBe('403 32205');
  expect(await answerFor('+37163123456')).toBe('403 32205');
  expect(await answerFor('+37167123456')).not.toBe('403 32205');
});
