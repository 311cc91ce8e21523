import { expect, it } from 'vitest';
import { csvLine } from './csv.ts';

it.each([
  ['plain', 'plain'],
  [null, ''],
  [30, '30'],
  [true, 'true'],
  ['Smith, Alice', '"Smith, Alice"'],
  ['the "boss"', '"the ""boss"""'],
  ['two\r\nlines', '"two\r\nlines"'],
  ['+14155550100', '+14155550100'],
  ['-0.0075', '-0.0075'],
  ['sip:+14155550100@acme.sip.twilio.com', 'sip:+14155550100@acme.sip.twilio.com'],
  ["=cmd|'/C calc'!A0", "'=cmd|'/C calc'!A0"],
  ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'],
  ['+1+cmd', "'+1+cmd"],
  ['+1,2', '"\'+1,2"'],
  ['+14155550100\n', '"\'+14155550100\n"'],
  ['-2+3', "'-2+3"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
  ['\r=1', '"\'\r=1"'],
  ['＝1', "'＝1"],
])('writes %j as %j', (value, cell) => {
  expect(csvLine([value, 'x'])).toBe(`${cell},x\r\n`);
});
