import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { seededRandom } from '../../lib/random.ts';
import { scanMessage } from '../message/parse.ts';
import { type Authentication, authenticate, challengeHeaders } from './authenticate.ts';
import { answerChallenge, formatAnswer, ha1Of, parseChallenge } from './digest.ts';
import { Nonces, useCount } from './nonce.ts';

const clock = new FakeClock();
const make = (remembered = 3, key = 'k'.repeat(32)): Nonces =>
  new Nonces({ key: Buffer.from(key), clock, random: seededRandom(1), lifetimeMs: 1000, remembered });

describe('a nonce', () => {
  it('belongs to its key and its domain', () => {
    const nonces = make();
    const nonce = nonces.issue('a.example');
    expect(nonces.use(nonce, 'b.example')).toBe('forged');
    expect(make(3, 'x'.repeat(32)).use(nonce, 'a.example')).toBe('forged');
    expect(
      nonces.use(
        nonce.replace(/.$/, (end) => (end === '0' ? '1' : '0')),
        'a.example',
      ),
    ).toBe('forged');
    for (const odd of ['', 'x', nonce.toUpperCase().replace(/[0-9]/g, 'G'), `${nonce}0`]) {
      expect(nonces.use(odd, 'a.example')).toBe('forged');
    }
    expect(nonces.use(nonce, 'a.example')).toBe('good');
    expect(nonces.issue('a.example')).not.toBe(nonce);
  });

  it('is stale after its lifetime', () => {
    const nonces = make();
    const nonce = nonces.issue('d');
    clock.advance(1000);
    expect(nonces.use(nonce, 'd', 1)).toBe('good');
    clock.advance(1);
    expect(nonces.use(nonce, 'd', 2)).toBe('stale');
  });

  it('takes each count once, in any order within the window', () => {
    const nonces = make();
    const nonce = nonces.issue('d');
    const verdicts = [1, 1, 3, 2, 2, 3, 40, 9, 8, 39, 39, 0, -1].map((nc) => nonces.use(nonce, 'd', nc));
    const good = verdicts.map((verdict) => verdict === 'good');
    expect(good).toEqual([
      true,
      false,
      true,
      true,
      false,
      false,
      true,
      true,
      false,
      true,
      false,
      false,
      false,
    ]);
  });

  it('that was forgotten for want of room is stale, never good again', () => {
    const nonces = make(2);
    const issued = Array.from({ length: 4 }, () => {
      clock.advance(1);
      return nonces.issue('d');
    });
    expect(issued.map((nonce) => nonces.use(nonce, 'd'))).toEqual(['good', 'good', 'good', 'good']);
    expect(issued.map((nonce) => nonces.use(nonce, 'd'))).toEqual(['stale', 'stale', 'stale', 'stale']);
  });

  it('counts as a set would, for any order', () => {
    const random = seededRandom(4);
    let used = useCount(undefined, 100);
    const seen = new Set([100]);
    let highest = 100;
    for (let i = 0; i < 5000; i++) {
      const nc = Math.max(1, highest + Math.floor(random.fraction() * 70) - 40);
      const next = useCount(used, nc);
      expect(next !== undefined).toBe(!seen.has(nc) && nc >= highest - 31);
      if (!next) continue;
      used = next;
      seen.add(nc);
      highest = Math.max(highest, nc);
    }
  });
});

describe('authentication', () => {
  const terms: Authentication = {
    status: 407,
    realm: 'tandem',
    domain: 'a.example',
    nonces: make(10),
    algorithms: ['SHA-256', 'MD5'],
    ha1s: (username, algorithm) =>
      username === 'alice'
        ? ['wrong', 'right'].map((password) => ha1Of(algorithm, { username, password }, 'tandem'))
        : [],
  };
  const asked = (header = '') =>
    scanMessage(`INVITE sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n${header}\r\n`);
  const answered = (username: string, password: string, nc = 1) => {
    const challenge = parseChallenge(challengeHeaders(terms)[0]?.[1] ?? '');
    if (!challenge) throw new Error('no challenge');
    const request = { method: 'INVITE', uri: 'sip:h', cnonce: 'c', nc };
    return asked(
      `Proxy-Authorization: ${formatAnswer(answerChallenge(challenge, { username, password }, request))}\r\n`,
    );
  };

  it('knows who knows a password of that name, once', () => {
    const request = answered('alice', 'right');
    expect(authenticate(request, terms)).toMatchObject({ kind: 'known', username: 'alice' });
    expect(authenticate(request, terms)).toEqual({ kind: 'stale' });
  });

  it('a wrong password and an unknown user are the same', () => {
    expect(authenticate(answered('alice', 'guess'), terms)).toEqual({ kind: 'unknown' });
    expect(authenticate(answered('bob', ''), terms)).toEqual({ kind: 'unknown' });
    expect(authenticate(asked(), terms)).toEqual({ kind: 'unknown' });
    expect(authenticate(asked('Proxy-Authorization: Basic x\r\n'), terms)).toEqual({ kind: 'unknown' });
  });

  it('an old nonce is stale only to who knows the password', () => {
    const right = answered('alice', 'right');
    const wrong = answered('alice', 'guess');
    clock.advance(1001);
    expect(authenticate(right, terms)).toEqual({ kind: 'stale' });
    expect(authenticate(wrong, terms)).toEqual({ kind: 'unknown' });
    expect(
      challengeHeaders(terms, true).map(([name, value]) => [
        name,
        /stale=true, algorithm=([\w-]+)/.exec(value)?.[1],
      ]),
    ).toEqual([
      ['Proxy-Authenticate', 'SHA-256'],
      ['Proxy-Authenticate', 'MD5'],
    ]);
  });
});
