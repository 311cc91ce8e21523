// A dialog is ended by a process that never had it: another one, at another address, which knows what was stored.
import { expect, it, onTestFinished } from 'vitest';
import {
  callee,
  caller,
  clock,
  connect,
  events,
  header,
  link,
  open,
  ours,
  start,
  theirs,
  tick,
  useAgentPair,
} from '../../test/support/agent-pair.ts';
import type { Dialog, DialogIdentity, RequestOutcome } from './agent.ts';

useAgentPair();

const OTHER = '192.0.2.3';
const REASON = ['Reason', 'Q.850;cause=41'] as const;

/** What is left of a dialog in a database. */
const stored = (dialog: Dialog | undefined): DialogIdentity => JSON.parse(JSON.stringify(dialog?.identity));

async function another() {
  const agent = await open(OTHER, 7);
  onTestFinished(() => agent.close());
  const end = (identity: DialogIdentity) =>
    agent.endLost(identity, [REASON], (outcome) => events.push(`other: ${wordOf(outcome)}`));
  return { agent, end };
}

const wordOf = (outcome: RequestOutcome) =>
  outcome.kind === 'response' ? `${outcome.response.status}` : outcome.kind;

it.each(['caller', 'callee'] as const)('whose place was the %s’s', async (lost) => {
  await start();
  connect();
  const { end } = await another();
  const identity = stored(lost === 'caller' ? ours : theirs);
  // Two requests that the database never heard of: the BYE's number is still higher.
  for (const _ of [1, 2]) (lost === 'caller' ? ours : theirs)?.request({ method: 'OPTIONS' });
  tick();
  end(identity);
  tick();
  expect(events).toEqual([`${lost === 'caller' ? 'callee' : 'caller'}: ended remote`, 'other: 200']);
  expect(header('BYE', 'Via')).toContain(OTHER);
  expect(header('BYE', 'Reason')).toBe(REASON[1]);
  end(identity);
  tick();
  expect(events.at(-1)).toBe('other: 481');
  // The one that was lost is there in this test: it ends for itself.
  (lost === 'caller' ? ours : theirs)?.bye();
  clock.advance(64_000);
});

it('goes by its route', async () => {
  await start();
  connect();
  const { end } = await another();
  const route = ['<sip:192.0.2.8;lr>', '<sip:192.0.2.9;lr>'];
  const routed = { ...stored(ours), routeSet: route, remoteTarget: 'sip:moved@192.0.2.77' };
  const heard: string[] = [];
  link.attach('192.0.2.8', (octets) => heard.push(octets));
  end(routed);
  tick();
  expect(heard[0]).toContain('BYE sip:moved@192.0.2.77 SIP/2.0\r\n');
  expect(
    [...(heard[0] ?? '').matchAll(/^Route: (.*)\r$/gm)].flatMap(([, value]) => value?.split(', ')),
  ).toEqual(route);
  clock.advance(32_000);
  expect(events.at(-1)).toBe('other: timeout');
  ours?.bye();
  clock.advance(64_000);
  expect([caller.counts().dialogs, callee.counts().dialogs]).toEqual([0, 0]);
});

it('towards which there is no socket is told so', async () => {
  await start();
  connect();
  const { end } = await another();
  const identity = stored(ours);
  end({ ...identity, peer: { ...identity.peer, transport: 'tls' } });
  clock.advance(0);
  expect(events).toEqual(['other: transport']);
  ours?.bye();
  clock.advance(64_000);
});
