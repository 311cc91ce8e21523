// Secrets are compared in constant time, whoever asks: guessing learns nothing from how long an answer takes.
import { beforeEach, expect, it, vi } from 'vitest';
import { OWNER, startApi } from '../../test/support/api-server.ts';
import { basic } from '../../test/support/twilio-client.ts';

const compared: { readonly lengths: readonly number[] }[] = [];

vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>();
  return {
    ...crypto,
    timingSafeEqual: (a: Buffer, b: Buffer) => {
      compared.push({ lengths: [a.length, b.length] });
      return crypto.timingSafeEqual(a, b);
    },
  };
});

beforeEach(() => void compared.splice(0));

it.each([
  ['the right token', OWNER.sid, OWNER.token, 200],
  ['a wrong token', OWNER.sid, 'wrong', 401],
  ['a longer token', OWNER.sid, 'x'.repeat(1000), 401],
  ['no token', OWNER.sid, '', 401],
  ['an unknown account', `AC${'9'.repeat(32)}`, OWNER.token, 401],
  ['an unknown key', `SK${'9'.repeat(32)}`, OWNER.token, 401],
])('%s is compared once, by a hash', async (_name, user, password, status) => {
  const { ask } = await startApi();
  const answer = await ask('/v1/ByocTrunks', { headers: { authorization: basic(user, password) } });
  expect([answer.status, compared]).toEqual([status, [{ lengths: [32, 32] }]]);
});
