import { expect, it } from 'vitest';
import type { RequestView } from '../../sip/index.ts';
import { originationInvite } from './trunk-invite.ts';

/** An INVITE of which nothing counts but these. */
const diverted = (...values: readonly string[]): RequestView =>
  ({
    header: () => undefined,
    headers: (name: string) => (name === 'Diversion' ? values : []),
  }) as unknown as RequestView;

it.each([
  [
    '<sip:+442079460001@a.example?Subject=x>;reason=no-answer',
    '<sip:+442079460001@a.example>;reason=no-answer',
  ],
  ['<tel:+442079460001>;counter=2', '<tel:+442079460001>;reason=unknown;counter=2'],
  ['<fax:+442079460001>', undefined],
  ['<sip:>', undefined],
  // It could not be written again.
  ['<sip:a@a.example>;reason="x\ty"', undefined],
])('a call that came by %s is told so: %s', (value, told) => {
  const { headers } = originationInvite({
    request: diverted(value),
    row: { sid: 'CA1', accountSid: 'AC1' },
    to: '+14155550100',
    from: '+14155550123',
    fromDomain: 'tandem.example',
    hopsLeft: 9,
  });
  const [own, ...earlier] = headers.filter(([name]) => name === 'Diversion').map(([, text]) => text);
  expect(own).toBe('<sip:+14155550100@tandem.example>;reason=unconditional');
  expect(earlier).toEqual(told === undefined ? [] : [told]);
});
