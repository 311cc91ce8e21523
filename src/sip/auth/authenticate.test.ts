// Who is refused learns nothing from how long it took: the hashes behind each answer are counted, not timed.
import { hash } from 'node:crypto';
import { beforeEach, expect, it, vi } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { seededRandom } from '../../lib/random.ts';
import { scanMessage } from '../message/parse.ts';
import { type Authentication, authenticate, challengeHeaders } from './authenticate.ts';
import { answerChallenge, formatAnswer, ha1Of, parseChallenge } from './digest.ts';
import { Nonces } from './nonce.ts';

vi.mock('node:crypto', async (original) => {
  const crypto: typeof import('node:crypto') = await original();
  return { ...crypto, hash: vi.fn(crypto.hash) };
});

const REALM = 'tandem';
const KNOWN = new Map(
  (['MD5', 'SHA-256'] as const).map((algorithm) => [
    algorithm,
    ha1Of(algorithm, { username: 'alice', password: 'right' }, REALM),
  ]),
);

let terms: Authentication;
beforeEach(() => {
  const nonces = new Nonces({ key: Buffer.alloc(32), clock: new FakeClock(), random: seededRandom(1) });
  const ha1s: Authentication['ha1s'] = (username, algorithm) =>
    username === 'alice' ? [KNOWN.get(algorithm as 'MD5') ?? ''] : [];
  terms = { status: 407, realm: REALM, domain: 'a', nonces, algorithms: ['MD5'], ha1s };
});

/** How many hashes it takes to judge a password of a user. */
function hashesFor(username: string, password: string): number {
  const challenge = parseChallenge(challengeHeaders(terms)[0]?.[1] ?? '');
  if (!challenge) throw new Error('no challenge');
  const asked = { method: 'REGISTER', uri: 'sip:h', cnonce: 'c', nc: 1 };
  const answer = formatAnswer(answerChallenge(challenge, { username, password }, asked));
  const request = scanMessage(
    `REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nProxy-Authorization: ${answer}\r\n\r\n`,
  );
  vi.mocked(hash).mockClear();
  const { kind } = authenticate(request, terms);
  expect(kind).toBe(password === 'right' && username === 'alice' ? 'known' : 'unknown');
  return vi.mocked(hash).mock.calls.length;
}

it.each(['MD5', 'SHA-256'] as const)(
  '%s: a wrong password and an unknown user cost the same',
  (algorithm) => {
    terms = { ...terms, algorithms: [algorithm] };
    const wrong = hashesFor('alice', 'guess');
    expect(wrong).toBeGreaterThan(1);
    expect(hashesFor('bobby', 'guess')).toBe(wrong);
    expect(hashesFor('bobby', 'right')).toBe(wrong);
  },
);
