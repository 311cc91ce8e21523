// Several challenges in one response: the topmost that is understood is answered (RFC 8760 §2.4).
import { expect, it } from 'vitest';
import {
  callee,
  events,
  hangUp,
  header,
  invite,
  sdp,
  setTheirs,
  start,
  tick,
  traffic,
  useAgentPair,
  watch,
} from '../../test/support/agent-pair.ts';
import type { HeaderField } from './agent.ts';

useAgentPair();

const NONCE = 'realm="tandem", nonce="n1", qop="auth"';
const digest = (algorithm: string): string => `Digest ${NONCE}, algorithm=${algorithm}`;

it.each([
  [['SHA-256', 'MD5'], 'SHA-256'],
  [['MD5', 'SHA-256'], 'MD5'],
  [['SHA-512-256', 'SHA-256', 'MD5'], 'SHA-512-256'],
  [['SHA-3', 'SHA-256-sess', 'SHA-256', 'MD5'], 'SHA-256'],
] as const)('%j: %s', async (algorithms, taken) => {
  await start();
  const challenges = algorithms.map((name): HeaderField => ['WWW-Authenticate', digest(name)]);
  callee.onInvite((asked) => {
    if (asked.request.header('Authorization') === undefined) {
      asked.reject(401, [['WWW-Authenticate', 'Basic realm="tandem"'], ...challenges], { stateless: true });
    } else setTheirs(watch(asked.accept(sdp('answer')), 'callee'));
  });
  invite({ credentials: { username: 'alice', password: 'secret' } });
  tick();
  expect(traffic()).toEqual(['INVITE', '401', 'ACK', 'INVITE', '200', 'ACK']);
  expect(header('INVITE', 'Authorization')).toContain(`algorithm=${taken},`);
  hangUp();
});

it('none that is understood: the challenge is the outcome', async () => {
  await start();
  callee.onInvite((asked) => asked.reject(401, [['WWW-Authenticate', digest('SHA-3')]], { stateless: true }));
  invite({ credentials: { username: 'alice', password: 'secret' } });
  tick();
  expect(traffic()).toEqual(['INVITE', '401', 'ACK']);
  expect(events).toEqual(['caller: failed 401']);
  hangUp();
});
