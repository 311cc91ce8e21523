// RFC 3263 against a DNS server of the test's own.
import { afterEach, describe, expect, it } from 'vitest';
import { type DnsServer, startDnsServer, type Zone } from '../../../test/support/dns-server.ts';
import { seededRandom } from '../../lib/random.ts';
import { parseUri } from '../message/uri.ts';
import { locate } from './locate.ts';

let dns: DnsServer | undefined;

afterEach(async () => {
  await dns?.close();
  dns = undefined;
});

async function find(uri: string, zone: Zone = {}, seed = 1) {
  dns ??= await startDnsServer(zone);
  return locate(parseUri(uri), { resolver: dns.resolver, random: seededRandom(seed) });
}

const inWords = (found: Awaited<ReturnType<typeof find>>): string[] =>
  found.map(({ transport, address, port }) => `${transport} ${address} ${port}`);

const HOST: Zone = { 'A h.example': ['60 192.0.2.1'] };
const SERVERS: Zone = {
  'A s1.example': ['60 192.0.2.1'],
  'A s2.example': ['60 192.0.2.2'],
  'A s3.example': ['60 192.0.2.3'],
};

describe('without the DNS', () => {
  it.each([
    ['sip:a@192.0.2.1', 'udp 192.0.2.1 5060'],
    ['sip:a@[2001:db8::1]:5080;transport=UDP', 'udp 2001:db8::1 5080'],
    ['sip:a@192.0.2.1;maddr=10.0.0.1', 'udp 192.0.2.1 5060'],
    ['sip:192.0.2.1;transport=tcp', 'tcp 192.0.2.1 5060'],
    ['sip:192.0.2.1;transport=tls', 'tls 192.0.2.1 5061'],
    ['sips:192.0.2.1', 'tls 192.0.2.1 5061'],
    ['sips:192.0.2.1:5071;transport=tcp', 'tls 192.0.2.1 5071'],
  ])('%s is %s', async (uri, expected) => {
    expect(inWords(await find(uri))).toEqual([expected]);
    expect(dns?.asked).toEqual([]);
  });

  it.each(['sips:192.0.2.1;transport=udp', 'sip:192.0.2.1;transport=sctp', 'sip:h;transport=constructor'])(
    '%s is nothing that we speak',
    async (uri) => {
      await expect(find(uri)).rejects.toMatchObject({ name: 'LocateError', code: 'unsupported-transport' });
    },
  );
});

describe('what the URI names is not looked up', () => {
  it.each([
    ['sip:h.example:5070', 'udp 192.0.2.1 5070', []],
    ['sip:h.example:5070;transport=tls', 'tls 192.0.2.1 5070', []],
    ['sip:h.example;transport=tcp', 'tcp 192.0.2.1 5060', ['SRV _sip._tcp.h.example']],
    ['sip:h.example;transport=tls', 'tls 192.0.2.1 5061', ['SRV _sips._tcp.h.example']],
    ['sips:h.example', 'tls 192.0.2.1 5061', ['NAPTR h.example', 'SRV _sips._tcp.h.example']],
    [
      'sip:h.example',
      'udp 192.0.2.1 5060',
      ['NAPTR h.example', 'SRV _sip._udp.h.example', 'SRV _sip._tcp.h.example'],
    ],
  ])('%s is %s', async (uri, expected, services) => {
    expect(inWords(await find(uri, HOST))).toEqual([expected]);
    expect(dns?.asked.toSorted()).toEqual([...services, 'A h.example', 'AAAA h.example'].toSorted());
  });
});

describe('NAPTR', () => {
  const zone: Zone = {
    ...SERVERS,
    'NAPTR example.com': [
      '60 20 10 s SIP+D2U _sip._udp.example.com',
      '60 10 20 S sip+d2t _sip._tcp.example.com',
      '60 10 10 s SIPS+D2T _sips._tcp.example.com',
      '60 1 1 s SIP+D2S _sip._sctp.example.com',
      '60 1 1 u SIP+D2U _other._udp.example.com',
      '60 1 2 s E2U+sip _enum.example.com',
      '60 1 3 s SIP+D2U .',
    ],
    'SRV _sip._udp.example.com': ['60 1 1 5001 s1.example'],
    'SRV _sip._tcp.example.com': ['60 1 1 5002 s2.example'],
    'SRV _sips._tcp.example.com': ['60 1 1 5003 s3.example'],
  };

  it('order comes before preference; unknown services and flags are passed over', async () => {
    const found = await find('sip:example.com', zone);
    expect(inWords(found)).toEqual(['tls 192.0.2.3 5003', 'tcp 192.0.2.2 5002', 'udp 192.0.2.1 5001']);
    expect(found[0]?.host).toBe('example.com');
  });

  it('a sips URI goes by TLS alone', async () => {
    expect(inWords(await find('sips:example.com', zone))).toEqual(['tls 192.0.2.3 5003']);
  });

  it('is not asked when the URI names a transport', async () => {
    expect(inWords(await find('sip:example.com;transport=udp', zone))).toEqual(['udp 192.0.2.1 5001']);
    expect(dns?.asked).not.toContain('NAPTR example.com');
  });

  it('a service without servers leaves the next one', async () => {
    const { 'SRV _sips._tcp.example.com': _, ...rest } = zone;
    expect(inWords(await find('sip:example.com', rest))).toEqual([
      'tcp 192.0.2.2 5002',
      'udp 192.0.2.1 5001',
    ]);
  });

  it('that leads to itself ends', async () => {
    const loop: Zone = {
      'NAPTR example.com': ['60 1 1 s SIP+D2U example.com'],
      'SRV example.com': ['60 1 1 5060 example.com'],
    };
    await expect(find('sip:example.com', loop)).rejects.toMatchObject({ code: 'not-found' });
    expect(dns?.asked.length).toBeLessThan(6);
  });
});

describe('SRV', () => {
  it('goes by priority, over the servers that have addresses', async () => {
    const zone: Zone = {
      ...SERVERS,
      'SRV _sip._udp.example.com': [
        '60 30 1 5003 s3.example',
        '60 10 1 5001 s1.example',
        '60 20 1 5002 gone.example',
        '60 25 1 5002 s2.example',
      ],
    };
    expect(inWords(await find('sip:example.com', zone))).toEqual([
      'udp 192.0.2.1 5001',
      'udp 192.0.2.2 5002',
      'udp 192.0.2.3 5003',
    ]);
  });

  it('draws by weight', async () => {
    const zone: Zone = {
      ...SERVERS,
      'SRV _sip._udp.example.com': ['60 1 90 5001 s1.example', '60 1 10 5002 s2.example'],
    };
    let first = 0;
    for (let seed = 0; seed < 60; seed++) {
      const [found] = await find('sip:example.com;transport=udp', zone, seed);
      if (found?.port === 5001) first++;
    }
    expect(first).toBeGreaterThan(45);
    expect(first).toBeLessThan(60);
  });

  it('stops at three addresses, and asks for no more', async () => {
    const zone: Zone = {
      'SRV _sip._udp.example.com': ['60 1 1 5001 a.example', '60 2 1 5002 b.example'],
      'A a.example': ['60 192.0.2.1', '60 192.0.2.2'],
      'AAAA a.example': ['60 2001:db8:0:0:0:0:0:1', '60 2001:db8:0:0:0:0:0:2'],
      'A b.example': ['60 192.0.2.9'],
    };
    expect(inWords(await find('sip:example.com', zone))).toEqual([
      'udp 192.0.2.1 5001',
      'udp 192.0.2.2 5001',
      'udp 2001:db8::1 5001',
    ]);
    expect(dns?.asked).not.toContain('A b.example');
  });

  it('of "." says that there is no such service', async () => {
    const zone: Zone = {
      ...SERVERS,
      'A example.com': ['60 192.0.2.9'],
      'SRV _sip._udp.example.com': ['60 0 0 0 .'],
    };
    await expect(find('sip:example.com;transport=udp', zone)).rejects.toMatchObject({ code: 'not-found' });
    await expect(find('sip:example.com', zone)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('of port 0 is no server, and one server named twice is one', async () => {
    const zone: Zone = {
      ...SERVERS,
      'CNAME alias.example': ['60 s1.example'],
      'SRV _sip._udp.example.com': [
        '60 1 0 0 s3.example',
        '60 2 0 5001 s1.example',
        '60 3 0 5001 alias.example',
        '60 4 0 5001 s2.example',
      ],
    };
    expect(inWords(await find('sip:example.com', zone))).toEqual([
      'udp 192.0.2.1 5001',
      'udp 192.0.2.2 5001',
    ]);
  });

  it('weight 0 is tried too, after the others', async () => {
    const zone: Zone = {
      ...SERVERS,
      'SRV _sip._udp.example.com': ['60 1 0 5001 s1.example', '60 1 1000 5002 s2.example'],
    };
    expect(inWords(await find('sip:example.com', zone))).toEqual([
      'udp 192.0.2.2 5002',
      'udp 192.0.2.1 5001',
    ]);
  });

  it('of many servers without addresses looks up ten', async () => {
    const servers = Array.from({ length: 18 }, (_, index) => `60 ${index} 0 5060 s${index}.gone`);
    await expect(
      find('sip:example.com;transport=udp', { 'SRV _sip._udp.example.com': servers }),
    ).rejects.toMatchObject({ code: 'not-found' });
    expect(dns?.asked.filter((question) => question.startsWith('A '))).toHaveLength(10);
  });

  it('that fill more than a datagram are asked for by TCP', async () => {
    const servers = Array.from({ length: 20 }, (_, index) => `60 ${index} 0 50${10 + index} s1.example`);
    const zone: Zone = { ...SERVERS, 'SRV _sip._udp.example.com': servers };
    const found = await find('sip:example.com;transport=udp', zone);
    expect(found.map(({ port }) => port)).toEqual([5010, 5011, 5012]);
    expect(dns?.asked).toContain('SRV _sip._udp.example.com by TCP');
  });

  it('of "." leaves the other transport', async () => {
    const zone: Zone = {
      ...SERVERS,
      'SRV _sip._udp.example.com': ['60 0 0 0 .'],
      'SRV _sip._tcp.example.com': ['60 0 0 5001 s1.example'],
    };
    expect(inWords(await find('sip:example.com', zone))).toEqual(['tcp 192.0.2.1 5001']);
  });
});

describe('addresses', () => {
  it('are followed through CNAMEs', async () => {
    const zone: Zone = { ...HOST, 'CNAME www.example': ['60 h.example'] };
    expect(inWords(await find('sip:www.example', zone))).toEqual(['udp 192.0.2.1 5060']);
  });

  it('that only one family has will do', async () => {
    const zone: Zone = { 'AAAA h.example': ['60 2001:db8:0:0:0:0:0:1'], 'A h.example': 'servfail' };
    expect(inWords(await find('sip:h.example:5060', zone))).toEqual(['udp 2001:db8::1 5060']);
  });

  it('may be called by TCP with a large request where nobody chose UDP', async () => {
    const zone: Zone = { ...HOST, ...SERVERS, 'SRV _sip._udp.srv.example': ['60 1 1 5060 s1.example'] };
    const uris = ['sip:h.example', 'sip:192.0.2.1', 'sip:h.example;transport=udp', 'sip:srv.example'];
    const found = [];
    for (const uri of uris) found.push((await find(uri, zone))[0]?.mayUseTcp ?? false);
    expect(found).toEqual([true, true, false, false]);
  });
});

describe('failures', () => {
  const both = (what: Exclude<Zone[string], readonly string[]>): Zone => ({
    'A h.example': what,
    'AAAA h.example': what,
  });

  it.each([
    ['an unknown name', {}, 'not-found'],
    [
      'a CNAME loop',
      { 'CNAME h.example': ['60 i.example'], 'CNAME i.example': ['60 h.example'] },
      'not-found',
    ],
    ['a server that says yes and nothing', { 'A h.example': 'empty' }, 'not-found'],
    ['a server that fails', both('servfail'), 'resolver-failed'],
    ['a server that refuses', both('refused'), 'resolver-failed'],
    ['a server that knows no such query', both('notimp'), 'resolver-failed'],
    ['a server that does not understand', both('formerr'), 'resolver-failed'],
    ['a silent server', both('silent'), 'timed-out'],
    ['an answer with another id', both('forged'), 'timed-out'],
    ['an answer to another question', both('astray'), 'timed-out'],
    ['a server that talks nonsense', both('garbage'), 'resolver-failed'],
    ['one family that fails and one that is absent', { 'A h.example': 'servfail' }, 'resolver-failed'],
  ] as const)('%s: %3$s', async (_, zone, code) => {
    await expect(find('sip:h.example:5060', zone)).rejects.toMatchObject({ name: 'LocateError', code });
  });

  it('of NAPTR and SRV leave the addresses', async () => {
    const lame: Zone = { ...HOST, 'NAPTR h.example': 'servfail', 'SRV _sip._udp.h.example': 'refused' };
    expect(inWords(await find('sip:h.example', lame))).toEqual(['udp 192.0.2.1 5060']);
  });

  it('of a service that has no other address are told as failures', async () => {
    await expect(find('sip:h.example', { 'SRV _sip._udp.h.example': 'servfail' })).rejects.toMatchObject({
      code: 'resolver-failed',
    });
  });

  it('a resolver that timed out once is asked for addresses only', async () => {
    expect(inWords(await find('sip:h.example', { ...HOST, 'NAPTR h.example': 'silent' }))).toEqual([
      'udp 192.0.2.1 5060',
    ]);
    expect(dns?.asked.filter((question) => question.startsWith('SRV'))).toEqual([]);
  });
});
