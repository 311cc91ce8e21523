// RFC 5118: every message of it, with IPv6 addresses where they are hard to read. Content-Length counts the octets that
// are here; the RFC's own figures count other line ends.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './check.ts';
import { parseNameAddr } from './name-addr.ts';
import { scanMessage } from './parse.ts';
import { serializeResponse } from './serialize.ts';
import { parseUri } from './uri.ts';
import { sentByHost } from './via.ts';

const folder = new URL('./fixtures/rfc5118/', import.meta.url);

const MESSAGES: readonly (readonly [name: string, section: string, status: number])[] = [
  ['ipv6-good', '4.1 valid', 0],
  ['ipv6-bad', '4.2 no brackets in the Request-URI', 400],
  ['port-ambiguous', '4.3 what looks like a port is part of the address', 0],
  ['port-unambiguous', '4.4 a port after the brackets', 0],
  ['via-received-param-with-delim', '4.5 received in brackets', 0],
  ['via-received-param-no-delim', '4.5 received without', 0],
  ['ipv6-in-sdp', '4.6 addresses in SDP have no brackets', 0],
  ['mult-ip-in-header', '4.7 both families in the headers', 0],
  ['mult-ip-in-sdp', '4.8 both families in SDP', 0],
  ['ipv4-mapped-ipv6', '4.9 mapped addresses', 0],
  ['ipv6-bug-abnf-3-colons', '4.10 three colons, which the grammar of RFC 3261 allows by mistake', 0],
  ['ipv6-correct-abnf-2-colons', '4.10 two colons', 0],
];

const read = (name: string) => scanMessage(readFileSync(new URL(`${name}.dat`, folder), 'latin1'));

describe('RFC 5118', () => {
  it('has a verdict here for every message', () => {
    expect(MESSAGES.map(([name]) => `${name}.dat`).toSorted()).toEqual(readdirSync(folder).toSorted());
  });

  it.each(MESSAGES)('%s (%s) → %i', (name, _, status) => {
    const message = read(name);
    expect(refusalOf(message)?.status ?? 0).toBe(status);
    const answered = serializeResponse(
      message,
      { address: '2001:db8::9:1', port: 5060 },
      { status: 200, reason: 'OK' },
    );
    expect(scanMessage(answered).status).toBe(200);
  });

  it('the parts are read as they are meant', () => {
    expect(parseUri(read('port-ambiguous').uri)).toMatchObject({ host: '2001:db8::10:5070' });
    expect(parseUri(read('port-ambiguous').uri).port).toBeUndefined();
    expect(parseUri(read('port-unambiguous').uri)).toMatchObject({ host: '2001:db8::10', port: 5070 });
    expect(read('mult-ip-in-header').headers('Via')).toHaveLength(3);
    expect(read('mult-ip-in-header').via.sentBy).toBe('[2001:db8::9:1]:6050');
    const mapped = read('ipv4-mapped-ipv6');
    expect(mapped.via.sentBy).toBe('[::ffff:192.0.2.10]:19823');
    expect(parseUri(parseNameAddr(mapped.header('Contact') ?? '').uri)).toMatchObject({
      user: 'ted',
      host: '::ffff:192.0.2.2',
    });
    expect(read('via-received-param-no-delim').via.branch).toBe('z9hG4bKas3');
    expect(read('via-received-param-with-delim').via.branch).toBe('z9hG4bKas3-111');
    expect(read('ipv6-in-sdp').body).toContain('c=IN IP6 2001:db8::20\r\n');
    expect(read('mult-ip-in-sdp').body).toContain('c=IN IP4 192.0.2.1\r\nm=video');
  });

  it('three colons before an IPv4 part mean two, there and nowhere else', () => {
    const address = { host: '2001:db8::192.0.2.1' };
    expect(parseUri(read('ipv6-bug-abnf-3-colons').uri)).toMatchObject(address);
    expect(parseUri(read('ipv6-correct-abnf-2-colons').uri)).toMatchObject(address);
    expect(sentByHost('[2001:db8:::192.0.2.1]:5062')).toBe('2001:db8::192.0.2.1');
    for (const host of ['2001:db8:::1', '2001:db8::::192.0.2.1', '1::2:::192.0.2.1', '2001:db8:::192.0.2'])
      expect(() => parseUri(`sip:[${host}]`)).toThrow('bad host');
  });
});
