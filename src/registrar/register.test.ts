// The rules of RFC 3261 §10.3 and Twilio's limits, on values alone.
import { beforeEach, describe, expect, it } from 'vitest';
import { OWNER, requestOf, World } from '../../test/support/doorstep.ts';
import type { Endpoint } from '../sip/index.ts';
import { type BindingRow, bindingOf } from './binding.ts';
import { type Aor, type RegisterOutcome, register } from './register.ts';
import { readRegister } from './register-request.ts';

const AOR: Aor = {
  accountSid: OWNER,
  domainSid: `SD${'1'.repeat(32)}`,
  domain: 'acme.sip.twilio.com',
  username: 'bob',
  aor: 'sip:bob@acme.sip.twilio.com',
};
const UP = { hasFlow: () => true };
const HOME: Endpoint = { transport: 'udp', address: '203.0.113.9', port: 41_000 };

let world: World;
let bindings: readonly BindingRow[];
let seq: number;
beforeEach(() => {
  world = new World();
  bindings = [];
  seq = 0;
});

interface Sent {
  readonly expires?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly received?: Endpoint;
}

function send(
  contact: string,
  { expires, callId = 'one', cseq = ++seq, received = HOME }: Sent = {},
): RegisterOutcome {
  const headers = {
    Contact: contact,
    'Call-ID': callId,
    CSeq: `${cseq} REGISTER`,
    'User-Agent': 'Phone/1',
    ...(expires !== undefined && { Expires: expires }),
  };
  const isLost = ({ contact: uri }: BindingRow) => uri.startsWith('sip:lost');
  const request = readRegister(requestOf('REGISTER', 'sip:acme.sip.twilio.com', { headers }));
  const outcome = register({ aor: AOR, bindings, request, received, node: 'run', isLost }, world);
  if (outcome.kind === 'registered') bindings = outcome.bindings;
  return outcome;
}

const uris = () => bindings.map(({ contact }) => contact);
const grantedS = () => bindings.map(({ expiresAt }) => (expiresAt - world.clock.now()) / 1000);
const statusOf = (outcome: RegisterOutcome) =>
  outcome.kind === 'refused' ? [outcome.refusal.status, outcome.refusal.errorCode] : outcome.kind;

describe('how long', () => {
  it.each([
    ['<sip:b@h>', undefined, 3600],
    ['<sip:b@h>', '600', 600],
    ['<sip:b@h>', '3601', 3600],
    ['<sip:b@h>', '4294967295', 3600],
    ['<sip:b@h>', 'soon', 3600],
    ['<sip:b@h>;expires=900', '1800', 900],
    ['<sip:b@h>;expires="x"', '1800', 1800],
    ['sip:b@h;expires=700', undefined, 700],
  ])('%s with Expires %s is granted %i s', (contact, expires, granted) => {
    send(contact, expires === undefined ? {} : { expires });
    expect(grantedS()).toEqual([granted]);
  });

  it.each([
    ['<sip:b@h>', '599'],
    ['<sip:b@h>', '1'],
    ['<sip:a@h>, <sip:b@h>;expires=30', '3600'],
  ])('%s with Expires %s is too brief, and nothing is bound', (contact, expires) => {
    const outcome = send(contact, { expires });
    expect(outcome).toMatchObject({ refusal: { status: 423, headers: [['Min-Expires', '600']] } });
    expect(bindings).toEqual([]);
  });
});

describe('which binding', () => {
  it.each([
    ['<sip:bob@10.0.0.1>', '"Bob" <sip:bob@10.0.0.1>;q=0.5', 1],
    ['<sip:bob@10.0.0.1>', '<sip:bob@10.0.0.1;ob>', 1],
    ['<sip:bob@h.example>', '<sip:bob@H.Example>', 1],
    ['<sip:bob@10.0.0.1>', '<sip:Bob@10.0.0.1>', 2],
    ['<sip:bob@10.0.0.1>', '<sip:bob@10.0.0.1:5060>', 2],
    ['<sip:bob@10.0.0.1>', '<sip:bob@10.0.0.1;transport=tcp>', 2],
    ['<sip:bob@10.0.0.1>', '<sips:bob@10.0.0.1>', 2],
    ['<sip:a@h>;+sip.instance="<urn:uuid:1>"', '<sip:b@i>;+sip.instance="<urn:uuid:1>"', 1],
    ['<sip:a@h>;+sip.instance="<urn:uuid:1>";reg-id=1', '<sip:b@i>;+sip.instance="<urn:uuid:1>";reg-id=1', 1],
    ['<sip:a@h>;+sip.instance="<urn:uuid:1>";reg-id=1', '<sip:a@h>;+sip.instance="<urn:uuid:1>";reg-id=2', 2],
    ['<sip:a@h>;+sip.instance="<urn:uuid:1>"', '<sip:a@h>;+sip.instance="<urn:uuid:2>"', 2],
    ['<sip:a@h>;reg-id=1', '<sip:a@h>;reg-id=2', 1],
  ])('%s and %s are %i', (first, second, count) => {
    send(first);
    const [before] = bindings;
    send(second);
    expect(bindings).toHaveLength(count);
    if (count === 1) expect(bindings[0]?.sid).toBe(before?.sid);
  });

  it('goes where the latest REGISTER came from, by the same transport', () => {
    send('<sip:bob@192.168.1.5:5060>;+sip.instance="<urn:uuid:1>"');
    const [row] = bindings;
    expect(row && bindingOf(row, UP)).toMatchObject({
      uri: 'sip:bob@192.168.1.5:5060',
      destination: { ...HOME, mayUseTcp: false },
    });
    const moved: Endpoint = { transport: 'tls', address: '198.51.100.4', port: 50_001 };
    send('<sip:bob@192.168.7.7;transport=tls>;+sip.instance="<urn:uuid:1>"', { received: moved });
    expect(bindings.map((each) => bindingOf(each, UP))).toMatchObject([
      { sid: row?.sid, destination: moved },
    ]);
  });

  it('is the tenth at most; those that are there may go on', () => {
    for (let index = 0; index < 10; index++) send(`<sip:bob@10.0.0.${index}>`);
    expect(statusOf(send('<sip:bob@10.0.0.10>'))).toEqual([403, 32_007]);
    expect(statusOf(send('<sip:bob@10.0.0.9>'))).toBe('registered');
    // One for another is no more than before.
    expect(statusOf(send('<sip:bob@10.0.0.9>;expires=0, <sip:bob@10.0.0.10>'))).toBe('registered');
    expect(bindings).toHaveLength(10);
  });
});

it('has the same SID at every exchange, and another one for another device', () => {
  const sids = ['<sip:bob@10.0.0.1>', '<sip:bob@10.0.0.1>;expires=900', '<sip:bob@10.0.0.2>'].map(
    (contact) => {
      bindings = [];
      send(contact);
      return bindings[0]?.sid;
    },
  );
  expect(sids[0]).toMatch(/^RG[0-9a-f]{32}$/);
  expect(sids[1]).toBe(sids[0]);
  expect(sids[2]).not.toBe(sids[0]);
});

it('of a device that cannot be reached any more goes with the next REGISTER, unless that renews it', () => {
  for (let index = 0; index < 10; index++) send(`<sip:lost@10.0.0.${index}>`);
  expect(statusOf(send('<sip:bob@10.0.0.10>, <sip:lost@10.0.0.1>'))).toBe('registered');
  expect(uris().toSorted()).toEqual(['sip:bob@10.0.0.10', 'sip:lost@10.0.0.1']);
});

describe('leaving', () => {
  beforeEach(() => {
    send('<sip:a@h>, <sip:b@h>');
  });

  it('of one device, or of all', () => {
    const [a] = bindings;
    expect(send('<sip:a@h>', { expires: '0' })).toMatchObject({ removed: [a?.sid], written: [] });
    expect(uris()).toEqual(['sip:b@h']);
    expect(send('*', { expires: '0' })).toMatchObject({ bindings: [] });
  });

  it('of a device that is not there changes nothing', () => {
    expect(send('<sip:c@h>', { expires: '0' })).toMatchObject({ removed: [], written: [] });
    expect(uris()).toEqual(['sip:a@h', 'sip:b@h']);
  });

  it.each([
    ['*', undefined],
    ['*', '600'],
    ['*, <sip:a@h>', '0'],
  ])('by "%s" with Expires %s is malformed', (contact, expires) => {
    expect(() => send(contact, expires === undefined ? {} : { expires })).toThrow('Contact: *');
    expect(uris()).toEqual(['sip:a@h', 'sip:b@h']);
  });
});

describe('a request without Contact', () => {
  it('asks, and changes nothing', () => {
    send('<sip:a@h>');
    const before = bindings;
    expect(send('')).toMatchObject({ written: [], removed: [] });
    expect(bindings).toEqual(before);
  });
});

describe('a request that was overtaken', () => {
  beforeEach(() => {
    send('<sip:a@h>', { cseq: 7 });
  });

  it.each([
    ['<sip:a@h>', 7, 'one', [400, undefined]],
    ['<sip:a@h>', 6, 'one', [400, undefined]],
    ['<sip:a@h>;expires=0', 6, 'one', [400, undefined]],
    ['<sip:c@h>, <sip:a@h>', 6, 'one', [400, undefined]],
    ['<sip:a@h>', 8, 'one', 'registered'],
    ['<sip:a@h>', 1, 'another', 'registered'],
    ['<sip:c@h>', 1, 'one', 'registered'],
  ] as const)('%s with CSeq %i of Call-ID %s: %j', (contact, cseq, callId, expected) => {
    const before = bindings;
    expect(statusOf(send(contact, { cseq, callId }))).toEqual(expected);
    if (expected !== 'registered') expect(bindings).toBe(before);
  });

  it('by * fails as a whole too', () => {
    send('<sip:b@h>', { callId: 'two', cseq: 3 });
    expect(statusOf(send('*', { expires: '0', callId: 'two', cseq: 3 }))).toEqual([400, undefined]);
    expect(bindings).toHaveLength(2);
    expect(send('*', { expires: '0', callId: 'two', cseq: 4 })).toMatchObject({ bindings: [] });
  });
});

it.each([
  '<tel:+1555>',
  '<sip:>',
  'nonsense',
  '<sip:a@h>;=',
  `<sip:${'a'.repeat(2000)}@h>`,
  '<sip:a%0d%0a@h>',
])('Contact %s is refused in words', (contact) => {
  expect(() => send(contact)).toThrow(Error);
});
