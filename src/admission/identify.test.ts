import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/doorstep.ts';
import { identify } from './identify.ts';

let world: World;
beforeEach(() => {
  world = new World();
});

const found = (host: string, source = '198.51.100.1', suffixes = world.suffixes) => {
  const place = identify(host, { address: source }, { directory: world.directory, suffixes });
  if (place.kind === 'domain') return `${place.domain.domainName} by ${place.by}`;
  return place.kind === 'trunk' ? `trunk ${place.trunk.domainName}` : `unknown ${place.host}`;
};

describe('a host', () => {
  it.each([
    ['acme.sip.twilio.com', 'acme.sip.twilio.com by name'],
    ['ACME.sip.Twilio.com.', 'acme.sip.twilio.com by name'],
    ['acme.sip.dublin.twilio.com', 'acme.sip.twilio.com by name'],
    ['acme.sip.us1.twilio.com', 'acme.sip.twilio.com by name'],
    ['acme.sip.dublin.ie1.twilio.com', 'acme.sip.twilio.com by name'],
    ['acme.sip.a.b.c.twilio.com', 'unknown acme.sip.a.b.c.twilio.com'],
    ['eu.acme.sip.frankfurt.twilio.com', 'eu.acme.sip.twilio.com by name'],
    ['acme.pstn.twilio.com', 'trunk acme.pstn.twilio.com'],
    ['acme.pstn.umatilla.twilio.com', 'trunk acme.pstn.twilio.com'],
    ['other.sip.twilio.com', 'unknown other.sip.twilio.com'],
    ['sip.twilio.com', 'unknown sip.twilio.com'],
    ['sip.dublin.twilio.com', 'unknown sip.dublin.twilio.com'],
    ['acme.sip.twilio.com.evil.example', 'unknown acme.sip.twilio.com.evil.example'],
    ['acmesip.twilio.com', 'unknown acmesip.twilio.com'],
    ['2001:db8::1', 'unknown 2001:db8::1'],
  ])('%s is %s', (host, expected) => {
    world.domain('acme.sip.twilio.com');
    world.domain('eu.acme.sip.twilio.com');
    world.trunk('acme.pstn.twilio.com');
    expect(found(host)).toBe(expected);
  });

  it('may end with any suffix that is set, the edge inside it', () => {
    world.domain('acme.voice.example.org');
    const suffixes = { sip: ['sip.twilio.com', 'voice.example.org', 'box'], trunk: ['pstn.example.org'] };
    expect(found('acme.voice.example.org', '', suffixes)).toBe('acme.voice.example.org by name');
    expect(found('acme.voice.lab.example.org', '', suffixes)).toBe('acme.voice.example.org by name');
    world.domain('acme.box');
    expect(found('acme.box', '', suffixes)).toBe('acme.box by name');
    expect(found('acme.box.edge', '', suffixes)).toBe('unknown acme.box.edge');
  });
});

describe('an address', () => {
  it('is the domain that the narrowest IP record around it is mapped to', () => {
    const wide = world.domain('wide.sip.twilio.com');
    const narrow = world.domain('narrow.sip.twilio.com');
    world.ipRecord('203.0.113.77', 24, wide);
    world.ipRecord('203.0.113.64', 28, narrow);
    world.ipRecord('203.0.113.64', 30);
    expect(found('192.0.2.1', '203.0.113.65')).toBe('narrow.sip.twilio.com by source-address');
    expect(found('192.0.2.1', '203.0.113.80')).toBe('wide.sip.twilio.com by source-address');
    expect(found('192.0.2.1', '203.0.114.1')).toBe('unknown 192.0.2.1');
    expect(found('192.0.2.1', '2001:db8::1')).toBe('unknown 192.0.2.1');
  });

  it('that is called comes before the source, and a name of ours before both', () => {
    const called = world.domain('called.sip.twilio.com');
    const source = world.domain('source.sip.twilio.com');
    world.ipRecord('192.0.2.1', 32, called);
    world.ipRecord('203.0.113.1', 32, source);
    expect(found('192.0.2.1', '203.0.113.1')).toBe('called.sip.twilio.com by called-address');
    expect(found('tandem.example', '203.0.113.1')).toBe('source.sip.twilio.com by source-address');
    expect(found('called.sip.twilio.com', '203.0.113.1')).toBe('called.sip.twilio.com by name');
  });
});
