import { expect, it } from 'vitest';
import { OWNER, World } from '../../../test/support/doorstep.ts';
import { dialingPermissionsCountry, newRow } from '../../resources/index.ts';
import { judgeNumber, type NumberQuestion } from './number-verdict.ts';

const world = new World();
world.directory.put(
  dialingPermissionsCountry,
  newRow(
    dialingPermissionsCountry,
    {
      accountSid: OWNER,
      isoCode: 'DE',
      lowRiskNumbersEnabled: false,
      highRiskTollfraudNumbersEnabled: false,
    },
    world,
  ),
);
const STRANGER = `AC${'9'.repeat(32)}`;

const judge = (question: Partial<NumberQuestion>) =>
  judgeNumber(
    { accountSid: OWNER, to: '+4930123456', from: '+14155550100', by: 'dial', ...question },
    { directory: world.directory, emergencyNumbers: ['112'], tollFraudPrefixes: ['+4932'] },
  );

it.each<[string, Partial<NumberQuestion>, number, string]>([
  ['by Dial', {}, 13_227, 'LowRiskNumbersEnabled is off for DE'],
  ['over the API', { by: 'api' }, 21_215, 'LowRiskNumbersEnabled is off for DE'],
  [
    'where toll fraud is known',
    { to: '+4932123456' },
    13_227,
    'HighRiskTollfraudNumbersEnabled is off for DE',
  ],
])('a number that the account forbids is refused %s', (_what, question, code, why) => {
  expect(judge(question)).toEqual({ kind: 'refused', code, why: expect.stringContaining(why) });
});

it.each<[string, Partial<NumberQuestion>]>([
  ['a number of another country', { to: '+14155550123' }],
  ['a number of somebody who forbids nothing', { accountSid: STRANGER }],
  ['a SIP address', { to: 'sip:+4930123456@pbx.example' }],
  ['a number that is not in E.164', { to: '4930123456' }],
])('%s stands under no permission', (_what, question) => {
  expect(judge(question)).toEqual({ kind: 'no-emergency' });
});

it('an emergency service is judged by its own rules', () => {
  expect(judge({ to: '112' })).toMatchObject({ kind: 'refused', code: 13_225 });
});
