import { expect, it } from 'vitest';
import { type CallEnding, endingOf } from '../outcome.ts';
import { refusalOf } from './caller-refusal.ts';

const why = '';

it.each<[string, CallEnding, number, string | undefined]>([
  ['a busy callee', endingOf({ kind: 'refused', sipStatus: 486, why }), 486, undefined],
  ['one who rang and is unavailable', endingOf({ kind: 'refused', sipStatus: 480, why }), 480, undefined],
  ['nobody in time, after a 503', endingOf({ kind: 'no-answer', sipStatus: 503, why }), 480, undefined],
  ['carriers that are all down', endingOf({ kind: 'exhausted', sipStatus: 500, why }), 500, '32400'],
  ['carriers that are all silent', endingOf({ kind: 'exhausted', why }), 503, '32400'],
  ['one that challenges us', endingOf({ kind: 'exhausted', sipStatus: 407, why }), 503, '32400'],
  [
    'one whose redirect leads nowhere',
    endingOf({ kind: 'redirect-failed', sipStatus: 302, why }),
    503,
    '32219',
  ],
  ['carriers where nothing rings', endingOf({ kind: 'no-answer', neverRang: true, why }), 480, '32016'],
  ['none at all', endingOf({ kind: 'no-target', why }), 503, '32010'],
  ['our own hanging up', endingOf({ kind: 'canceled' }), 480, undefined],
])('after %s the caller is refused', (_name, ending, status, code) => {
  const refusal = refusalOf(ending);
  expect(refusal.status).toBe(status);
  expect(refusal.headers.map(([name, value]) => [name, value.split(' ', 1)[0]])).toEqual(
    code === undefined ? [] : [['X-Twilio-Error', code]],
  );
});
