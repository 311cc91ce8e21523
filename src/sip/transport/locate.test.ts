import { describe, expect, it } from 'vitest';
import { parseUri } from '../message/uri.ts';
import { type AddressResolver, locate } from './locate.ts';

const failing = (code: string) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error(code), { code }));

const resolver = (v4: readonly string[] | string, v6: readonly string[] | string): AddressResolver => ({
  resolve4: typeof v4 === 'string' ? failing(v4) : () => Promise.resolve(v4),
  resolve6: typeof v6 === 'string' ? failing(v6) : () => Promise.resolve(v6),
});
const nobody = resolver('ENOTFOUND', 'ENOTFOUND');

describe('locate', () => {
  it.each([
    ['sip:a@192.0.2.1', nobody, ['192.0.2.1 5060']],
    ['sip:a@[2001:db8::1]:5080;transport=UDP', nobody, ['2001:db8::1 5080']],
    ['sip:a@192.0.2.1;maddr=10.0.0.1', nobody, ['192.0.2.1 5060']],
    ['sip:h.example:5070', resolver(['192.0.2.1'], ['2001:db8::1']), ['192.0.2.1 5070', '2001:db8::1 5070']],
    ['sip:h.example', resolver('ENODATA', ['2001:db8::1']), ['2001:db8::1 5060']],
    [
      'sip:h.example',
      resolver(['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'], 'ESERVFAIL'),
      ['1.1.1.1 5060', '1.1.1.2 5060', '1.1.1.3 5060'],
    ],
  ] as const)('%s', async (uri, dns, expected) => {
    const found = await locate(parseUri(uri), dns);
    expect(found.map(({ address, port }) => `${address} ${port}`)).toEqual(expected);
    expect(new Set(found.map(({ transport }) => transport))).toEqual(new Set(['udp']));
  });

  it.each([
    ['sip:h.example', nobody, 'not-found'],
    ['sip:h.example', resolver([], []), 'not-found'],
    ['sip:h.example', resolver('ESERVFAIL', 'ENODATA'), 'resolver-failed'],
    ['sip:192.0.2.1;transport=tcp', nobody, 'unsupported-transport'],
    ['sip:192.0.2.1;transport=tls', nobody, 'unsupported-transport'],
    ['sips:192.0.2.1', nobody, 'unsupported-transport'],
    ['sips:192.0.2.1;transport=udp', nobody, 'unsupported-transport'],
    ['sip:192.0.2.1;transport=sctp', nobody, 'unsupported-transport'],
  ] as const)('%s fails as %3$s', async (uri, dns, code) => {
    await expect(locate(parseUri(uri), dns)).rejects.toMatchObject({ name: 'LocateError', code });
  });
});
