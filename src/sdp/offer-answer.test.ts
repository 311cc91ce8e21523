import { describe, expect, it } from 'vitest';
import { readAudio } from './audio-description.ts';
import { acceptAnswer, writeAnswer, writeOffer } from './offer-answer.ts';

const local = { address: '192.0.2.9', port: 20_000, sessionId: '42', version: 1 };
const read = (...lines: string[]) =>
  readAudio(
    ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...lines, ''].join('\r\n'),
  );

describe('writeOffer', () => {
  it('offers both laws and telephone-event', () => {
    expect(writeOffer(local).split('\r\n')).toEqual([
      'v=0',
      'o=tandem 42 1 IN IP4 192.0.2.9',
      's=Tandem',
      'c=IN IP4 192.0.2.9',
      't=0 0',
      'm=audio 20000 RTP/AVP 0 8 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      'a=ptime:20',
      'a=sendrecv',
      '',
    ]);
  });

  it('is read back as it was meant, on IPv6 too', () => {
    const offer = readAudio(writeOffer({ ...local, address: '2001:db8::9' }));
    expect(offer).toMatchObject({
      address: '2001:db8::9',
      port: 20_000,
      telephoneEvent: 101,
      direction: 'sendrecv',
      ptimeMs: 20,
    });
    expect(offer.codecs.map((codec) => codec.name)).toEqual(['PCMU', 'PCMA']);
  });
});

describe('writeAnswer', () => {
  it('leaves RTCP on a port of its own where the offer would have both on one (RFC 5761 §5.1.1)', () => {
    const offer = read('m=audio 4000 RTP/AVP 0', 'a=rtcp-mux', 'a=rtcp:4001');
    const { sdp, peer } = writeAnswer(offer, local);
    expect(sdp).not.toContain('rtcp-mux');
    expect(peer).toMatchObject({ port: 4000, rtcpPort: 4001 });
  });

  it('takes the offer’s first codec and mirrors its telephone-event', () => {
    const offer = read(
      'm=audio 4000 RTP/AVP 9 8 0 97',
      'a=rtpmap:9 G722/8000',
      'a=rtpmap:97 telephone-event/8000',
    );
    const { sdp, peer } = writeAnswer(offer, local);
    expect(peer).toEqual({ address: '192.0.2.1', port: 4000, payloadType: 8, dtmfPayloadType: 97 });
    expect(sdp).toContain(
      '\r\nm=audio 20000 RTP/AVP 8 97\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:97 telephone-event/8000\r\n',
    );
    expect(acceptAnswer(readAudio(sdp))).toEqual({
      address: '192.0.2.9',
      port: 20_000,
      payloadType: 8,
      dtmfPayloadType: 97,
    });
  });

  it('promises no telephone-event that was not offered', () => {
    const { sdp, peer } = writeAnswer(read('m=audio 4000 RTP/AVP 0'), local);
    expect(sdp).not.toContain('telephone-event');
    expect(peer).toEqual({ address: '192.0.2.1', port: 4000, payloadType: 0 });
  });

  it('rejects every other stream in its place', () => {
    const offer = read('m=video 5000 RTP/AVP 31 32', 'm=audio 4000 RTP/AVP 0', 'm=application 9 TCP/BFCP *');
    const media = writeAnswer(offer, local)
      .sdp.split('\r\n')
      .filter((line) => line.startsWith('m='));
    expect(media).toEqual([
      'm=video 0 RTP/AVP 31 32',
      'm=audio 20000 RTP/AVP 0',
      'm=application 0 TCP/BFCP *',
    ]);
  });

  it.each([
    ['sendonly', 'recvonly'],
    ['recvonly', 'sendonly'],
    ['inactive', 'inactive'],
    ['sendrecv', 'sendrecv'],
  ])('answers %s with %s', (offered, answered) => {
    const { sdp } = writeAnswer(read('m=audio 4000 RTP/AVP 0', `a=${offered}`), local);
    expect(readAudio(sdp).direction).toBe(answered);
  });
});
