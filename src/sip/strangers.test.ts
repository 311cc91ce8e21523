// What the layer above may do with those it does not know: answer once and forget, or not answer at all.
import { beforeEach, expect, it } from 'vitest';
import {
  CALLEE,
  CALLER,
  callee,
  caller,
  clock,
  events,
  invite,
  start,
  traffic,
  useAgentPair,
} from '../../test/support/agent-pair.ts';
import type { ServerRequest } from './agent.ts';

useAgentPair();
beforeEach(() => start());

const register = (done: (what: string) => void = () => {}): void => {
  caller.request(
    {
      method: 'REGISTER',
      uri: `sip:${CALLEE}`,
      from: `sip:alice@${CALLER}`,
      destination: { transport: 'udp', address: CALLEE, port: 5060 },
    },
    (outcome) => done(outcome.kind === 'response' ? String(outcome.response.status) : outcome.kind),
  );
  clock.advance(0);
};

it('a REGISTER that is answered statelessly is not remembered', () => {
  callee.onRequest('REGISTER', ({ respond }) => respond(407, {}, { stateless: true }));
  register((what) => events.push(what));
  expect([events, callee.counts().transactions]).toEqual([['407'], 0]);
});

it('a REGISTER that is ignored is neither answered nor remembered, however often it comes', () => {
  let heard = 0;
  callee.onRequest('REGISTER', (request) => {
    heard++;
    request.ignore();
    request.respond(200);
  });
  register((what) => events.push(what));
  clock.advance(32_000);
  expect([events, callee.counts().transactions]).toEqual([['timeout'], 0]);
  expect(heard).toBeGreaterThan(5);
});

it('a REGISTER whose answer takes its time is one request, and can no longer be answered statelessly', () => {
  const requests: ServerRequest[] = [];
  callee.onRequest('REGISTER', (request) => requests.push(request));
  register((what) => events.push(what));
  clock.advance(3000);
  expect([requests.length, callee.counts().transactions]).toEqual([1, 1]);
  requests[0]?.ignore();
  requests[0]?.respond(200, {}, { stateless: true });
  clock.advance(0);
  expect([events, callee.counts().transactions]).toEqual([['200'], 1]);
  clock.advance(64_000);
});

it('an INVITE that is ignored gets no 100 and is not remembered', () => {
  callee.onInvite((incoming) => incoming.ignore());
  invite();
  clock.advance(1000);
  expect(traffic()).toEqual(['INVITE', 'INVITE']);
  expect(callee.counts().transactions).toBe(0);
  clock.advance(64_000);
});

it('an INVITE is refused in words of the layer above', () => {
  callee.onInvite((incoming) =>
    incoming.reject(488, [], { stateless: true, reason: 'Secure SIP transport required' }),
  );
  let reason = '';
  invite(
    {},
    { failed: (failure) => void (reason = failure.kind === 'response' ? failure.response.reason : '') },
  );
  clock.advance(0);
  expect(reason).toBe('Secure SIP transport required');
  clock.advance(64_000);
});
