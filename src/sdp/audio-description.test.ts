import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAudio } from './audio-description.ts';
import { SdpError, type SdpErrorCode } from './sdp-error.ts';

const HEAD = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'];
const sdp = (...lines: string[]): string => [...HEAD, ...lines, ''].join('\r\n');

describe('readAudio', () => {
  it('reads a telephone’s offer', () => {
    const offer = sdp(
      'm=audio 49170 RTP/AVP 9 8 0 101',
      'a=rtpmap:9 G722/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:30',
      'a=sendonly',
    );
    expect(readAudio(offer)).toEqual({
      address: '192.0.2.1',
      port: 49170,
      codecs: [
        { name: 'PCMA', payloadType: 8 },
        { name: 'PCMU', payloadType: 0 },
      ],
      telephoneEvent: 101,
      direction: 'sendonly',
      ptimeMs: 30,
      profile: 'RTP/AVP',
      mediaLines: [{ type: 'audio', protocol: 'RTP/AVP', formats: '9 8 0 101' }],
      index: 0,
    });
  });

  it('knows static payload types without rtpmap, bare line feeds and a sendrecv that is not said', () => {
    const read = readAudio(sdp('m=audio 4000 RTP/AVP 0').replaceAll('\r\n', '\n'));
    expect(read).toMatchObject({ codecs: [{ name: 'PCMU' }], direction: 'sendrecv' });
    expect(read).not.toHaveProperty('telephoneEvent');
    expect(read).not.toHaveProperty('ptimeMs');
  });

  it('takes the stream’s own address and direction before the session’s', () => {
    const read = readAudio(sdp('a=inactive', 'm=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::7', 'a=recvonly'));
    expect(read).toMatchObject({ address: '2001:db8::7', direction: 'recvonly' });
    expect(readAudio(sdp('a=inactive', 'm=audio 4000 RTP/AVP 0')).direction).toBe('inactive');
  });

  it('takes the first audio stream that is not rejected', () => {
    const read = readAudio(
      sdp(
        'm=video 5000 RTP/AVP 31',
        'm=audio 0 RTP/AVP 0',
        'm=audio 6000 RTP/AVP 8',
        'm=audio 7000 RTP/AVP 0',
      ),
    );
    expect(read).toMatchObject({ port: 6000, index: 2 });
    expect(read.mediaLines).toHaveLength(4);
  });

  it('leaves out telephone-event at another rate or outside the formats', () => {
    expect(
      readAudio(sdp('m=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/16000')),
    ).not.toHaveProperty('telephoneEvent');
    expect(readAudio(sdp('m=audio 4000 RTP/AVP 0', 'a=rtpmap:101 telephone-event/8000'))).not.toHaveProperty(
      'telephoneEvent',
    );
  });

  const refused: readonly [what: string, text: string, code: SdpErrorCode][] = [
    ['nothing', '', 'malformed'],
    ['no version', sdp('m=audio 4000 RTP/AVP 0').slice(5), 'malformed'],
    ['a huge text', sdp('m=audio 4000 RTP/AVP 0', `a=x:${'y'.repeat(20_000)}`), 'malformed'],
    ['a NUL', sdp('m=audio 4000 RTP/AVP 0 \0'), 'malformed'],
    ['an m-line without port', sdp('m=audio RTP/AVP 0'), 'malformed'],
    ['an empty port', sdp('m=audio  RTP/AVP 0'), 'malformed'],
    ['a port too large', sdp('m=audio 65536 RTP/AVP 0'), 'malformed'],
    ['seventeen streams', sdp(...Array.from({ length: 17 }, () => 'm=audio 4000 RTP/AVP 0')), 'malformed'],
    ['no c-line', 'v=0\r\nm=audio 4000 RTP/AVP 0\r\n', 'malformed'],
    ['only video', sdp('m=video 4000 RTP/AVP 31'), 'no-audio'],
    ['a rejected stream', sdp('m=audio 0 RTP/AVP 0'), 'no-audio'],
    ['no stream', sdp(), 'no-audio'],
    ['SRTP', sdp('m=audio 4000 RTP/SAVP 0'), 'unsupported-profile'],
    ['WebRTC', sdp('m=audio 4000 UDP/TLS/RTP/SAVPF 0'), 'unsupported-profile'],
    ['only Opus', sdp('m=audio 4000 RTP/AVP 111', 'a=rtpmap:111 opus/48000/2'), 'no-common-codec'],
    ['a static type redefined', sdp('m=audio 4000 RTP/AVP 0', 'a=rtpmap:0 G729/8000'), 'no-common-codec'],
    ['µ-law at 16 kHz', sdp('m=audio 4000 RTP/AVP 0', 'a=rtpmap:0 PCMU/16000'), 'no-common-codec'],
    ['no formats', sdp('m=audio 4000 RTP/AVP'), 'no-common-codec'],
    ['a host name', sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP4 media.example.com'), 'unsupported-address'],
    [
      'a multicast group with TTL',
      sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP4 224.2.1.1/127'),
      'unsupported-address',
    ],
    ['IPv6 called IPv4', sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP4 2001:db8::7'), 'unsupported-address'],
    ['a scoped address', sdp('m=audio 4000 RTP/AVP 0', 'c=IN IP6 fe80::1%eth0'), 'unsupported-address'],
  ];
  it.each(refused)('refuses %s', (_, text, code) => {
    expect(() => readAudio(text)).toThrow(expect.objectContaining({ name: 'SdpError', code }));
  });

  it('throws SdpError or reads, whatever the text', () => {
    const valid = sdp(
      'm=audio 49170 RTP/AVP 0 8 101',
      'a=rtpmap:101 telephone-event/8000',
      'a=ptime:20',
      'a=sendrecv',
    );
    const mutated = fc
      .tuple(
        fc.nat(valid.length),
        fc.nat(12),
        fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 6 })),
      )
      .map(([at, cut, put]) => valid.slice(0, at) + put + valid.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(fc.string(), mutated), (text) => {
        try {
          const read = readAudio(text);
          return read.port > 0 && read.port <= 65_535 && read.codecs.length > 0;
        } catch (error) {
          return error instanceof SdpError;
        }
      }),
      { seed: 7, numRuns: 2000 },
    );
  });
});
