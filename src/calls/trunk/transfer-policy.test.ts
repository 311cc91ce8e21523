import { beforeEach, describe, expect, it } from 'vitest';
import { OWNER, World } from '../../../test/support/doorstep.ts';
import { dialingPermissionsCountry, newRow } from '../../resources/index.ts';
import { parseReferTo } from '../../sip/index.ts';
import { judgeTransfer, type TransferringTrunk, type TransferWorld } from './transfer-policy.ts';

const NUMBER = '+15550002000';

let world: World;
let own: TransferringTrunk;
beforeEach(() => {
  world = new World();
  own = world.trunk('acme.pstn.twilio.com');
  world.trunk('other.pstn.twilio.com');
});

const surroundings = (): TransferWorld => ({
  directory: world.directory,
  suffixes: world.suffixes,
  emergencyNumbers: ['112', '911'],
  tollFraudPrefixes: ['+252'],
  own: [{ transport: 'udp', address: '127.0.0.1', port: 5070 }],
});

const judge = (referTo: string, transferMode: TransferringTrunk['transferMode'] = 'enable-all') =>
  judgeTransfer(parseReferTo(referTo), { ...own, transferMode }, surroundings());

const brief = (...given: Parameters<typeof judge>): string => {
  const verdict = judge(...given);
  return verdict.kind === 'refused' ? `${verdict.code} ${verdict.why}` : `${verdict.kind} ${verdict.to}`;
};

const OFF = '32218 TransferMode of the trunk is disable-all';
const SIP_ONLY = `32218 ${NUMBER} is a phone number, and TransferMode of the trunk is sip-only`;

describe('TransferMode', () => {
  it.each([
    ['<sip:kate@pbx.example>', 'disable-all', OFF],
    ['<sip:kate@pbx.example>', 'sip-only', 'sip sip:kate@pbx.example'],
    ['<sip:kate@pbx.example>', 'enable-all', 'sip sip:kate@pbx.example'],
    [`<sip:${NUMBER}@acme.pstn.twilio.com>`, 'disable-all', OFF],
    [`<sip:${NUMBER}@acme.pstn.twilio.com>`, 'sip-only', SIP_ONLY],
    [`<sip:${NUMBER}@acme.pstn.twilio.com>`, 'enable-all', `number ${NUMBER}`],
    [`<tel:${NUMBER}>`, 'disable-all', OFF],
    [`<tel:${NUMBER}>`, 'sip-only', SIP_ONLY],
    [`<tel:${NUMBER}>`, 'enable-all', `number ${NUMBER}`],
  ] as const)('%s with %s', (referTo, mode, verdict) => {
    expect(brief(referTo, mode)).toBe(verdict);
  });
});

describe('where it goes', () => {
  it.each([
    ['tel:+1(555)000-2000;phone-context=x', `number ${NUMBER}`],
    [`<sip:${NUMBER};npdi@acme.pstn.ashburn.twilio.com;user=phone>`, `number ${NUMBER}`],
    [`<sip:${NUMBER}@127.0.0.1:5070>`, `number ${NUMBER}`],
    [`<sip:${NUMBER}@127.0.0.1>`, `sip sip:${NUMBER}@127.0.0.1`],
    [`<sip:${NUMBER}@other.pstn.twilio.com>`, '32218 other.pstn.twilio.com is the domain of another trunk'],
    ['<sip:2000@acme.pstn.twilio.com>', '32218 "2000" is no number in E.164'],
    ['<sip:acme.pstn.twilio.com>', '32218 "" is no number in E.164'],
    ['<tel:2000>', '32218 "2000" is no number in E.164'],
    ['<sip:911@acme.pstn.twilio.com>', '32218 nobody is transferred to the emergency number 911'],
    ['<tel:+112>', '32218 nobody is transferred to the emergency number +112'],
    ['<sip:933@acme.pstn.twilio.com>', '32218 nobody is transferred to the emergency number 933'],
    ['<sip:112@pbx.example>', 'sip sip:112@pbx.example'],
    ['<sips:kate@pbx.example>', 'sip sip:kate@pbx.example;transport=tls'],
    ['<http://pbx.example>', '32218 http://pbx.example is neither a SIP URI nor a tel URI'],
    ['<sip:kate@pbx.example;method=BYE>', '32218 the REFER asks for BYE, not for a call'],
    [
      `<sip:${NUMBER}@acme.pstn.twilio.com?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>`,
      '32218 the call that its Replaces names is not there',
    ],
  ])('%s', (referTo, verdict) => {
    expect(brief(referTo)).toBe(verdict);
  });

  it('with the headers that it asks for, and none in our name', () => {
    expect(
      judge(
        '<sip:k@pbx.example?X-Ticket=7&X-Twilio-CallSid=1&Subject=a&Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>',
      ),
    ).toEqual({
      kind: 'sip',
      to: 'sip:k@pbx.example',
      headers: [
        ['Replaces', 'x;to-tag=1;from-tag=2'],
        ['X-Ticket', '7'],
      ],
    });
  });

  it('over TLS with SRTP where the trunk is secure', () => {
    own = { ...own, secure: true };
    expect(brief('<sip:kate@pbx.example;transport=udp>')).toBe(
      'sip sip:kate@pbx.example;transport=udp;secure=true',
    );
  });

  it('by the permissions of the account', () => {
    const values = {
      accountSid: OWNER,
      isoCode: 'GB',
      lowRiskNumbersEnabled: false,
      highRiskSpecialNumbersEnabled: true,
      highRiskTollfraudNumbersEnabled: true,
    };
    world.directory.put(dialingPermissionsCountry, newRow(dialingPermissionsCountry, values, world));
    expect(brief('<tel:+442079460000>')).toBe(
      '32205 +442079460000 may not be called: lowRiskNumbersEnabled is off for GB',
    );
  });
});
