import { expect, it } from 'vitest';
import type { Endpoint } from './endpoint.ts';
import { transportTo } from './select.ts';
import type { Transport } from './transport.ts';

const HOSTS = ['127.0.0.1', '10.0.0.5', '192.168.1.5', '203.0.113.4', '::1', '2001:db8::5', 'fd00::5'];
const transports = HOSTS.flatMap((address) =>
  (['udp', 'tcp'] as const).map(
    (transport) => ({ local: { transport, address, port: 5060 } }) as unknown as Transport,
  ),
);
const from = (to: Partial<Endpoint>, among = transports) =>
  transportTo(among, { transport: 'udp', address: '203.0.113.9', port: 5060, ...to })?.local;

it.each([
  ['127.0.0.9', '127.0.0.1'],
  ['10.0.0.9', '10.0.0.5'],
  ['192.168.1.77', '192.168.1.5'],
  ['198.51.100.1', '203.0.113.4'],
  ['8.8.8.8', '203.0.113.4'],
  ['::1', '::1'],
  ['2001:db8::9', '2001:db8::5'],
  ['fd00::9', 'fd00::5'],
])('what goes to %s leaves from %s', (address, expected) => {
  expect(from({ address })).toMatchObject({ transport: 'udp', address: expected });
  expect(from({ address, transport: 'tcp' })).toMatchObject({ transport: 'tcp', address: expected });
});

it('leaves from the listener that is named, where it is of its kind', () => {
  expect(from({ address: '8.8.8.8', local: '10.0.0.5' })?.address).toBe('10.0.0.5');
  expect(from({ address: '8.8.8.8', local: '::1' })?.address).toBe('203.0.113.4');
});

it('leaves for other machines by a listener that they reach, where there is one', () => {
  const few = transports.filter(({ local }) => ['127.0.0.1', '10.0.0.5'].includes(local.address));
  expect(from({ address: '8.8.8.8' }, few)?.address).toBe('10.0.0.5');
});

it('leaves nowhere without a listener of its kind and transport', () => {
  expect(from({ transport: 'tls' })).toBeUndefined();
  const ipv4 = transports.filter(({ local }) => !local.address.includes(':'));
  expect(from({ address: '::1' }, ipv4)).toBeUndefined();
});
