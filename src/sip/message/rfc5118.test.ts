// RFC 5118: messages with IPv6 addresses where they are hard to read, after the RFC's figures.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './check.ts';
import { parseNameAddr } from './name-addr.ts';
import { scanMessage } from './parse.ts';
import { serializeResponse } from './serialize.ts';
import { parseUri } from './uri.ts';

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
  ['ipv6-bug-abnf-3-colons', '4.10 three colons, which only the erroneous grammar allows', 400],
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
    const contact = parseNameAddr(read('ipv4-mapped-ipv6').header('Contact') ?? '');
    expect(parseUri(contact.uri)).toMatchObject({ host: '::ffff:192.0.2.10', port: 19823 });
  });
});
