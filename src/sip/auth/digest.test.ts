// Published vectors, and every combination against a digest computed here by the letter of RFC 7616 §3.4.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  answerChallenge,
  type Challenge,
  type DigestAlgorithm,
  digestResponse,
  formatAnswer,
  formatChallenge,
  ha1Of,
  isRightAnswer,
  parseAnswer,
  parseChallenge,
} from './digest.ts';

const mufasa = { username: 'Mufasa', password: 'Circle of Life' };
const counted = { nc: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' };
const rfc7616 = { nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v', uri: '/dir/index.html', counted };

describe('published vectors', () => {
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ] as const)('RFC 7616 §3.9.1, %s', (algorithm, response) => {
    const ha1 = ha1Of(algorithm, mufasa, 'http-auth@example.org');
    expect(digestResponse({ ...rfc7616, algorithm }, ha1, 'GET')).toBe(response);
  });

  it('RFC 7616 §3.9.2 as corrected by erratum 4897: SHA-512-256, and a name and password beyond ASCII', () => {
    const credentials = { username: 'J\u00e4s\u00f8n Doe', password: 'Secret, or not?' };
    const answer = {
      algorithm: 'SHA-512-256',
      nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
      uri: '/doe.json',
      counted: { nc: '00000001', cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v' },
    } as const;
    const ha1 = ha1Of('SHA-512-256', credentials, 'api@example.org');
    expect(digestResponse(answer, ha1, 'GET')).toBe(
      '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5',
    );
  });

  it('RFC 2617 §3.5', () => {
    const ha1 = ha1Of('MD5', { username: 'Mufasa', password: 'Circle Of Life' }, 'testrealm@host.com');
    const answer = {
      algorithm: 'MD5',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      uri: '/dir/index.html',
      counted: { nc: '00000001', cnonce: '0a4f113b' },
    } as const;
    expect(digestResponse(answer, ha1, 'GET')).toBe('6629fae49393a05397450978507c4ef1');
  });

  it('RFC 2069 §2.4 as corrected by its erratum: no qop', () => {
    const ha1 = ha1Of('MD5', { username: 'Mufasa', password: 'CircleOfLife' }, 'testrealm@host.com');
    const answer = {
      algorithm: 'MD5',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      uri: '/dir/index.html',
    } as const;
    expect(digestResponse(answer, ha1, 'GET')).toBe('1949323746fe6a43ef61f9606e7febea');
  });
});

/** A second implementation: streaming hashes, arrays joined, nothing shared with the first. */
function secondOpinion(challenge: Challenge, header: string, password: string, method: string): string {
  const name = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' }[challenge.algorithm];
  const h = (...parts: string[]) =>
    createHash(name)
      .update(Buffer.from(parts.join(':'), 'utf8'))
      .digest()
      .toString('hex');
  const field = (key: string) =>
    new RegExp(`[ ,]${key}="?((?:\\\\.|[^",\\\\])*)`).exec(header)?.[1]?.replace(/\\(.)/g, '$1') ?? '';
  const a1 = h(field('username'), challenge.realm, password);
  const a2 = h(method, field('uri'));
  if (!challenge.qop) return h(a1, challenge.nonce, a2);
  return h(a1, challenge.nonce, field('nc'), field('cnonce'), field('qop'), a2);
}

const algorithms: readonly DigestAlgorithm[] = ['MD5', 'SHA-256', 'SHA-512-256'];
const cases = algorithms.flatMap((algorithm) =>
  [true, false].flatMap((qop) => ['INVITE', 'REGISTER', 'BYE'].map((method) => ({ algorithm, qop, method }))),
);

describe('challenge and answer', () => {
  it.each(cases)('$algorithm, qop $qop, $method: two implementations agree', ({ algorithm, qop, method }) => {
    const challenge: Challenge = {
      realm: 'tandem "x"',
      nonce: 'abc=',
      algorithm,
      qop,
      opaque: 'o',
      stale: true,
    };
    expect(parseChallenge(formatChallenge(challenge))).toEqual(challenge);
    const credentials = { username: 'al"ice', password: 'p\u00e4ss' };
    const answer = answerChallenge(challenge, credentials, { method, uri: 'sip:h', cnonce: 'c1', nc: 11 });
    const header = formatAnswer(answer);
    expect(parseAnswer(header)).toEqual(answer);
    expect(answer.response).toBe(secondOpinion(challenge, header, credentials.password, method));
    expect(isRightAnswer(answer, ha1Of(algorithm, credentials, challenge.realm), method)).toBe(true);
    expect(isRightAnswer(answer, ha1Of(algorithm, credentials, challenge.realm), 'OPTIONS')).toBe(false);
    expect(isRightAnswer({ ...answer, response: '' }, '', method)).toBe(false);
    expect(answer.counted?.nc).toBe(qop ? '0000000b' : undefined);
  });

  it.each([
    'Basic QWxhZGRpbg==',
    'Digest',
    'Digest realm="a"',
    'Digest realm="a", nonce="b", algorithm=SHA-1',
    'Digest realm="a", nonce="b", qop="auth-int"',
    'Digest realm="a", nonce="b',
    'Digest realm="a" nonce="b"',
    'Digest realm="a", nonce="b", realm="c"',
    'Digest realm=, nonce="b"',
    `Digest ${','.repeat(1000)}`,
  ])('%s is no challenge', (value) => {
    expect(parseChallenge(value)).toBeUndefined();
  });

  it('a missing algorithm is MD5, and a name is read in any case', () => {
    expect(parseChallenge('DIGEST Realm="a",NONCE=b , qop="auth-int, AUTH"')).toMatchObject({
      algorithm: 'MD5',
      nonce: 'b',
      qop: true,
      stale: false,
    });
  });

  it.each([
    ['qop=auth, nc=1, cnonce="c"', 'a count of one digit'],
    ['qop=auth, nc=00000001', 'no cnonce'],
    ['qop=auth-int, nc=00000001, cnonce="c"', 'auth-int'],
  ])('an answer with %s is none (%s)', (rest) => {
    const answer = `Digest username="a", realm="b", nonce="c", uri="sip:h", response="d", ${rest}`;
    expect(parseAnswer(answer)).toBeUndefined();
  });
});
