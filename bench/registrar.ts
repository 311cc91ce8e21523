// A registrar of ten lines that asks for a digest. node bench/registrar.ts: prints its UDP port on 127.0.0.1 as JSON.
import { systemClock } from '../src/lib/clock.ts';
import { createLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import {
  type Authentication,
  authenticate,
  challengeHeaders,
  createUserAgent,
  ha1Of,
  Nonces,
} from '../src/sip/index.ts';

const clock = systemClock;
const random = systemRandom();
const listen = [{ host: '127.0.0.1', port: 0 }];
const agent = await createUserAgent({ clock, random, log: createLog('warn'), listen });
/** One person's name and password; a real one looks them up. */
const ha1 = ha1Of('MD5', { username: 'alice', password: 'secret' }, 'bench');
const terms: Authentication = {
  status: 401,
  realm: 'bench',
  domain: 'bench',
  nonces: new Nonces({ key: Buffer.alloc(32, 1), clock, random }),
  algorithms: ['MD5'],
  ha1s: (username) => (username === 'alice' ? [ha1] : []),
};
const bindings = new Map<string, string>();
agent.onRequest('REGISTER', ({ request, respond }) => {
  const verdict = authenticate(request, terms);
  if (verdict.kind !== 'known') {
    const headers = challengeHeaders(terms, verdict.kind === 'stale');
    return respond(401, { headers }, { stateless: true });
  }
  const contact = request.header('Contact') ?? '';
  bindings.set(request.header('To') ?? '', contact);
  respond(200, { headers: [['Contact', `${contact};expires=3600`]] });
});
process.once('SIGTERM', () => void agent.close().then(() => process.exit(0)));
console.log(JSON.stringify({ port: agent.listening[0]?.port }));
