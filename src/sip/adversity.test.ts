// Two user agents that are challenged, overloaded, let down by handlers, and rained upon.
import { describe, expect, it } from 'vitest';
import {
  CALLEE,
  callee,
  caller,
  clock,
  connect,
  events,
  hangUp,
  header,
  incoming,
  invite,
  link,
  logged,
  ours,
  sdp,
  setTheirs,
  setWeather,
  start,
  theirs,
  tick,
  traffic,
  useAgentPair,
  watch,
} from '../../test/support/agent-pair.ts';
import { seededRandom } from '../lib/random.ts';
import type { Dialog, ServerInvite } from './agent.ts';
import { type Authentication, authenticate, challengeHeaders } from './auth/authenticate.ts';
import { ha1Of } from './auth/digest.ts';
import { Nonces } from './auth/nonce.ts';

useAgentPair();

describe('digest authentication (RFC 3261 §22)', () => {
  const credentials = { username: 'alice', password: 'secret' };
  const terms = (): Authentication => ({
    status: 407,
    realm: 'tandem',
    domain: 'd',
    nonces: new Nonces({ key: Buffer.alloc(32, 1), clock, random: seededRandom(9) }),
    algorithms: ['SHA-256', 'MD5'],
    ha1s: (username, algorithm) => (username === 'alice' ? [ha1Of(algorithm, credentials, 'tandem')] : []),
  });

  it('INVITE: challenged statelessly, answered once, and the ACK carries the credentials', async () => {
    await start();
    const authentication = terms();
    callee.onInvite((taken) => {
      const { kind } = authenticate(taken.request, authentication);
      events.push(kind);
      if (kind === 'known') setTheirs(watch(taken.accept(sdp('answer')), 'callee'));
      else taken.reject(407, challengeHeaders(authentication), { stateless: true });
    });
    invite({ credentials });
    tick();
    expect(traffic()).toEqual(['INVITE', '407', 'ACK', 'INVITE', '200', 'ACK']);
    expect(events).toEqual(['unknown', 'known', 'caller: answered answer']);
    expect(header('ACK', 'Proxy-Authorization')).toContain('algorithm=SHA-256');
    expect(new Set(link.octets.map((octets) => /^Call-ID: (.*)\r/m.exec(octets)?.[1])).size).toBe(1);
    hangUp();
  });

  it('a wrong password is told after one try', async () => {
    await start();
    const authentication = terms();
    callee.onInvite((taken) => taken.reject(407, challengeHeaders(authentication), { stateless: true }));
    invite({ credentials: { ...credentials, password: 'guess' } });
    tick();
    expect(traffic()).toEqual(['INVITE', '407', 'ACK', 'INVITE', '407', 'ACK']);
    expect(events).toEqual(['caller: failed 407']);
    expect(callee.counts()).toEqual({ transactions: 0, dialogs: 0 });
    hangUp();
  });

  it('REGISTER outside and INFO inside a dialog are answered too', async () => {
    await start();
    const authentication: Authentication = { ...terms(), status: 401 };
    callee.onRequest('REGISTER', ({ request, respond }) => {
      const { kind } = authenticate(request, authentication);
      if (kind === 'known')
        respond(200, { headers: [['Contact', `${request.header('Contact')};expires=60`]] });
      else respond(401, { headers: challengeHeaders(authentication) });
    });
    const destination = { transport: 'udp', address: CALLEE, port: 5060 } as const;
    caller.request(
      { method: 'REGISTER', uri: 'sip:d', to: 'sip:alice@d', from: 'sip:alice@d', destination, credentials },
      (outcome) => events.push(outcome.kind === 'response' ? `${outcome.response.status}` : outcome.kind),
    );
    tick();
    expect(traffic()).toEqual(['REGISTER', '401', 'REGISTER', '200']);
    expect(header('REGISTER', 'CSeq')).toBe('2 REGISTER');
    connect({ credentials });
    (theirs as Dialog).handle({
      ended: () => {},
      offered: () => 488,
      requested: (request) =>
        authenticate(request, authentication).kind === 'known'
          ? 200
          : { status: 401, headers: challengeHeaders(authentication) },
    });
    traffic();
    ours?.request({ method: 'INFO' }, (outcome) =>
      events.push(outcome.kind === 'response' ? `${outcome.response.status}` : ''),
    );
    tick();
    expect(traffic()).toEqual(['INFO', '401', 'INFO', '200']);
    expect(events).toEqual(['200']);
    hangUp();
  });
});

describe('overload', () => {
  it('over the rate new calls get 503 with Retry-After, statelessly', async () => {
    await start({}, { limits: { invitesPerSecond: 2 } });
    for (let i = 0; i < 3; i++) invite();
    tick();
    expect(events).toEqual(['caller: 100', 'caller: 100', 'caller: failed 503']);
    expect(header('SIP/2.0 503', 'Retry-After')).toBe('5');
    clock.advance(500);
    invite();
    tick();
    expect(events.at(-1)).toBe('caller: 100');
  });
});

describe('a handler that throws', () => {
  it.each(['timeout', 'answer'])('at %s is logged, and everything ends as it should', async (when) => {
    await start();
    const boom = (): never => {
      throw new Error('boom');
    };
    link.swallow = () => when === 'timeout';
    invite({}, { failed: boom, answered: boom });
    tick();
    if (when === 'answer') setTheirs(watch((incoming as ServerInvite).accept(sdp('a')), 'callee'));
    clock.advance(33_000);
    expect(logged.splice(0)).toHaveLength(1);
    theirs?.bye();
    hangUp();
  });
});

describe('lost, late and doubled datagrams', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'seed %i: calls end, and nothing is left',
    async (seed) => {
      setWeather(seed, { loss: 0.25, duplicates: 0.2, maxDelayMs: 900 });
      await start(seed % 2 ? { sessionTimer: { expiresS: 90 } } : {});
      invite();
      clock.advance(6000);
      incoming?.progress(183, sdp('answer'), { reliable: seed % 3 === 0 });
      clock.advance(4000);
      if (incoming) setTheirs(watch(incoming.accept(sdp('answer')), 'callee'));
      clock.advance(20_000);
      ours?.reoffer(sdp('again'), () => {}, seed % 4 ? 'INVITE' : 'UPDATE');
      clock.advance(20_000);
      (seed % 5 ? ours : theirs)?.bye();
      clock.advance(140_000);
      const outcomes = events.filter((event) => /caller: (answered|failed)/.test(event));
      expect(outcomes).toHaveLength(1);
      hangUp();
      if (ours) expect(events.filter((event) => event.startsWith('caller: ended'))).toHaveLength(1);
      if (theirs) expect(events.filter((event) => event.startsWith('callee: ended')).length).toBe(1);
    },
  );
});
