// A B2BUA of one screen, on the stack's public face: every call goes on to one callee, bodies pass through unread.
// node bench/b2bua.ts CALLEE_PORT: listens on a free UDP port of 127.0.0.1 and prints it as JSON.
import '../src/lib/young-objects.ts';
import { systemClock } from '../src/lib/clock.ts';
import { createLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import {
  type Body,
  createUserAgent,
  type Dialog,
  type Endpoint,
  type InviteHandlers,
  parseUri,
  type RequestView,
  type ResponseView,
  type ServerInvite,
  type UserAgent,
} from '../src/sip/index.ts';

const bodyOf = (message: RequestView | ResponseView): Body | undefined =>
  message.body === ''
    ? undefined
    : { contentType: message.header('Content-Type') ?? 'application/sdp', content: message.body };

/** Whichever leg ends takes the other one with it. */
function bridge(caller: Dialog, callee: Dialog): void {
  caller.handle({ ended: () => callee.bye(), offered: () => 488 });
  callee.handle({ ended: () => caller.bye(), offered: () => 488 });
}

/** Places the other leg of `invite` and keeps the two in step until both are over. */
function forward(agent: UserAgent, invite: ServerInvite, destination: Endpoint): void {
  const user = parseUri(invite.request.uri).user ?? '';
  const handlers: InviteHandlers = {
    provisional: (response) => {
      if (response.status > 100) invite.progress(response.status, bodyOf(response));
    },
    answered: (callee, response) => {
      const answer = bodyOf(response);
      if (answer) return bridge(invite.accept(answer), callee);
      callee.bye();
      invite.reject(502);
    },
    failed: (failure) => invite.reject(failure.kind === 'response' ? failure.response.status : 503),
  };
  const offer = bodyOf(invite.request);
  if (!offer) return invite.reject(488);
  const call = agent.invite(
    {
      uri: `sip:${user}@${destination.address}:${destination.port}`,
      from: 'sip:b2bua@127.0.0.1',
      destination,
      body: offer,
    },
    handlers,
  );
  invite.handle({ canceled: () => call.cancel() });
}

const agent = await createUserAgent({
  clock: systemClock,
  random: systemRandom(),
  log: createLog('warn'),
  listen: [{ host: '127.0.0.1', port: 0 }],
});
const destination: Endpoint = { transport: 'udp', address: '127.0.0.1', port: Number(process.argv[2]) };
agent.onInvite((invite) => forward(agent, invite, destination));
process.once('SIGTERM', () => void agent.close().then(() => process.exit(0)));
console.log(JSON.stringify({ port: agent.listening[0]?.port }));
