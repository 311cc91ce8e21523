import { expect, it } from 'vitest';
import { publicAddress } from './addresses.ts';
import { readConfig } from './config.ts';

it.each([
  ['127.0.0.1', undefined, ['127.0.0.1']],
  ['127.0.0.1', '203.0.113.1', ['203.0.113.1']],
  ['127.0.0.1,10.0.0.5', '203.0.113.1', ['127.0.0.1', '203.0.113.1']],
  ['10.0.0.5,::1', '203.0.113.1', ['203.0.113.1', '::1']],
  ['0.0.0.0,::', '203.0.113.1,2001:db8::1', ['203.0.113.1', '2001:db8::1']],
])('hosts %s with public addresses %s', (hosts, publicIp, expected) => {
  const config = readConfig({ TANDEM_SIP_HOST: hosts, TANDEM_PUBLIC_IP: publicIp });
  expect(config.sip.hosts.map((host) => publicAddress(host, config))).toEqual(expected);
});
