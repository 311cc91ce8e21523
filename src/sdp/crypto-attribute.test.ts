import { describe, expect, it } from 'vitest';
import { readAudio, type SrtpUse } from './audio-description.ts';
import { makeSrtpKeys } from './crypto-attribute.ts';
import { acceptAnswer, type LocalMedia, writeAnswer, writeOffer } from './offer-answer.ts';

const [S80, S32] = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const;
let seed = 0;
const random = (bytes: number) => Buffer.alloc(bytes, ++seed);
const local = (more: Partial<LocalMedia> = {}): LocalMedia => ({
  address: '192.0.2.9',
  port: 20_000,
  sessionId: '42',
  version: 1,
  ...more,
});
const INLINE = `inline:${Buffer.alloc(30, 9).toString('base64')}`;
const sdp = (profile: string, ...lines: string[]): string =>
  [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.1',
    's=-',
    'c=IN IP4 192.0.2.1',
    't=0 0',
    `m=audio 4000 ${profile} 0`,
    ...lines,
    '',
  ].join('\r\n');
const read = (profile: string, ...lines: string[]) => readAudio(sdp(profile, ...lines), 'allowed');
const refuses = (task: () => unknown, code: string) =>
  expect(task).toThrow(expect.objectContaining({ name: 'SdpError', code }));

describe('a=crypto', () => {
  it('is read as RFC 4568 writes it, with a lifetime; what we do not speak is passed over', () => {
    const { crypto, profile } = read(
      'RTP/SAVP',
      `a=crypto:1 AEAD_AES_128_GCM ${INLINE}`,
      `a=crypto:2 ${S32} ${INLINE}|2^20`,
      `a=crypto:3 ${S80} ${INLINE}|1:4`,
      `a=crypto:4 ${S80} ${INLINE}|2^31|1:4`,
      `a=crypto:5 ${S80} ${INLINE} UNENCRYPTED_SRTP`,
      `a=crypto:6 ${S80} inline:tooshort`,
      `a=crypto:7 ${S80} ${INLINE};${INLINE}`,
      `a=crypto:8 ${S80} ${INLINE}|65536`,
    );
    expect(profile).toBe('RTP/SAVP');
    expect(crypto).toEqual([
      { tag: 2, suite: S32, key: new Uint8Array(30).fill(9) },
      { tag: 8, suite: S80, key: new Uint8Array(30).fill(9) },
    ]);
  });

  it.each<[what: string, text: string, srtp: SrtpUse, code: string]>([
    [
      'SRTP where it is not wanted',
      sdp('RTP/SAVP', `a=crypto:1 ${S80} ${INLINE}`),
      'none',
      'unsupported-profile',
    ],
    ['RTP where SRTP is required', sdp('RTP/AVP'), 'required', 'srtp-required'],
    [
      'RTP with keys where SRTP is required',
      sdp('RTP/AVP', `a=crypto:1 ${S80} ${INLINE}`),
      'required',
      'srtp-required',
    ],
    ['SRTP without keys', sdp('RTP/SAVP'), 'allowed', 'no-common-crypto'],
    [
      'SRTP with unknown suites',
      sdp('RTP/SAVP', `a=crypto:1 F8_128_HMAC_SHA1_80 ${INLINE}`),
      'required',
      'no-common-crypto',
    ],
    ['feedback', sdp('RTP/SAVPF', `a=crypto:1 ${S80} ${INLINE}`), 'allowed', 'unsupported-profile'],
    ['DTLS', sdp('UDP/TLS/RTP/SAVP', 'a=setup:actpass'), 'allowed', 'unsupported-profile'],
  ])('refuses %s', (_, text, srtp, code) => {
    refuses(() => readAudio(text, srtp), code);
  });

  it('is passed over in RTP/AVP', () => {
    expect(read('RTP/AVP', `a=crypto:1 ${S80} ${INLINE}`)).not.toHaveProperty('crypto');
  });
});

describe('offer and answer with SRTP', () => {
  it.each([
    ['its first suite', [S80, S32], [S80, S32], S80],
    ['the only common one', [S80, S32], [S32], S32],
    ['the offer’s order', [S32, S80], [S80, S32], S32],
  ] as const)('agree on %s, each with the other’s key', (_, offered, answering, suite) => {
    const offerer = local({ srtp: makeSrtpKeys(random, offered) });
    const answerer = local({ port: 30_000, srtp: makeSrtpKeys(random, answering) });
    const offer = writeOffer(offerer);
    expect(offer).toContain('m=audio 20000 RTP/SAVP 0 8 101');
    const answer = writeAnswer(readAudio(offer, 'required'), answerer);
    expect(answer.sdp.match(/a=crypto:/g)).toHaveLength(1);
    const settled = acceptAnswer(readAudio(answer.sdp, 'required'), offerer);
    expect(settled.srtp).toMatchObject({ suite });
    expect(settled.srtp?.localKey).toEqual(answer.peer.srtp?.remoteKey);
    expect(settled.srtp?.remoteKey).toEqual(answer.peer.srtp?.localKey);
    expect(settled.srtp?.localKey).not.toEqual(settled.srtp?.remoteKey);
    expect(settled.srtp?.localKey).toHaveLength(30);
  });

  it('fail where a key is for nothing that was offered, or there is none', () => {
    const offerer = local({ srtp: makeSrtpKeys(random, [S80]) });
    const answered = (...lines: string[]) => read(lines.length ? 'RTP/SAVP' : 'RTP/AVP', ...lines);
    refuses(() => acceptAnswer(answered(), offerer), 'srtp-required');
    refuses(() => acceptAnswer(answered(`a=crypto:1 ${S32} ${INLINE}`), offerer), 'no-common-crypto');
    refuses(() => acceptAnswer(answered(`a=crypto:2 ${S80} ${INLINE}`), offerer), 'no-common-crypto');
    refuses(() => acceptAnswer(answered(`a=crypto:1 ${S80} ${INLINE}`), local()), 'no-common-crypto');
    const offer = read('RTP/SAVP', `a=crypto:1 ${S80} ${INLINE}`);
    refuses(() => writeAnswer(offer, local()), 'no-common-crypto');
    refuses(() => writeAnswer(offer, local({ srtp: makeSrtpKeys(random, [S32]) })), 'no-common-crypto');
  });

  it('answers plain RTP with plain RTP, keys at hand or not', () => {
    const { sdp, peer } = writeAnswer(read('RTP/AVP'), local({ srtp: makeSrtpKeys(random) }));
    expect(sdp).toContain('RTP/AVP');
    expect(sdp).not.toContain('crypto');
    expect(peer).not.toHaveProperty('srtp');
  });
});

describe('hold', () => {
  it.each([
    ['sendonly', 'sendrecv', 'recvonly'],
    ['recvonly', 'sendrecv', 'sendonly'],
    ['inactive', 'sendrecv', 'inactive'],
    ['sendrecv', 'sendrecv', undefined],
    ['sendrecv', 'sendonly', 'sendonly'],
    ['sendonly', 'sendonly', 'inactive'],
    ['recvonly', 'recvonly', 'inactive'],
    ['sendrecv', 'inactive', 'inactive'],
  ] as const)('%s, where we want %s, lets us %s', (offered, wanted, ours) => {
    const { sdp, peer } = writeAnswer(read('RTP/AVP', `a=${offered}`), local({ direction: wanted }));
    expect(peer.direction).toBe(ours);
    expect(readAudio(sdp).direction).toBe(ours ?? 'sendrecv');
  });

  it('is offered, and accepted as it is answered', () => {
    const holding = local({ direction: 'sendonly' });
    expect(readAudio(writeOffer(holding)).direction).toBe('sendonly');
    expect(acceptAnswer(read('RTP/AVP', 'a=recvonly'), holding).direction).toBe('sendonly');
    expect(acceptAnswer(read('RTP/AVP', 'a=inactive'), holding).direction).toBe('inactive');
    expect(acceptAnswer(read('RTP/AVP'), local()).direction).toBeUndefined();
  });
});

describe('an offer', () => {
  it('names the law first that it is asked to', () => {
    expect(writeOffer(local({ preferred: 8 }))).toContain('m=audio 20000 RTP/AVP 8 0 101');
  });

  it('may want its RTCP elsewhere', () => {
    expect(writeAnswer(read('RTP/AVP', 'a=rtcp:53020 IN IP4 192.0.2.1'), local()).peer.rtcpPort).toBe(53_020);
    expect(read('RTP/AVP', 'a=rtcp:99999')).not.toHaveProperty('rtcpPort');
  });
});
