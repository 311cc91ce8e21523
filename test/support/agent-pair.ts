// Two user agents over a network in memory, and what happened to a call between them.
import { afterEach, beforeEach, expect } from 'vitest';
import type { Log } from '../../src/lib/log.ts';
import { seededRandom } from '../../src/lib/random.ts';
import type {
  Body,
  Dialog,
  InviteHandlers,
  InviteOptions,
  RequestReply,
  ServerInvite,
} from '../../src/sip/index.ts';
import { createUserAgentOver, type SipUserAgent, type UserAgentOptions } from '../../src/sip/user-agent.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryLink, type Weather } from './memory-link.ts';

export const sdp = (name: string): Body => ({ contentType: 'application/sdp', content: name });
export const CALLER = '192.0.2.1';
export const CALLEE = '192.0.2.2';

export let clock: FakeClock;
export let link: MemoryLink;
export let caller: SipUserAgent;
export let callee: SipUserAgent;
export let events: string[];
export let incoming: ServerInvite | undefined;
export let logged: string[];
/** Their dialogs, once there. */
export let ours: Dialog | undefined;
export let theirs: Dialog | undefined;

const log: Log = {
  debug() {},
  info() {},
  warn() {},
  error: (fields, message) => logged.push(`${message} ${JSON.stringify(fields)}`),
};

type Options = Partial<Omit<UserAgentOptions, 'listen'>>;

export const open = (address: string, seed: number, options: Options = {}): Promise<SipUserAgent> =>
  createUserAgentOver(
    { clock, random: seededRandom(seed), log, dialogMethods: ['INFO', 'REFER'], ...options },
    async (receive) => [link.attach(address, receive)],
  );

export async function start(callerOptions: Options = {}, calleeOptions: Options = {}): Promise<void> {
  caller = await open(CALLER, 1, callerOptions);
  callee = await open(CALLEE, 2, calleeOptions);
  callee.onInvite((invite) => {
    incoming = invite;
    invite.handle({
      canceled: () => events.push('callee: canceled'),
      offered: (offer) => (offer === 'bad' ? 488 : sdp(`callee answers ${offer}`)),
      answered: (answer) => events.push(`callee: answer ${answer}`),
    });
  });
}

export function useAgentPair(): void {
  beforeEach(reset);
  afterEach(closeBoth);
}

function reset(): void {
  clock = new FakeClock();
  link = new MemoryLink(clock, seededRandom(3));
  events = [];
  logged = [];
  incoming = ours = theirs = undefined;
}

async function closeBoth(): Promise<void> {
  await caller.close();
  await callee.close();
  expect(clock.pending).toBe(0);
  expect(logged).toEqual([]);
}

export function watch(dialog: Dialog, who: string, reply: RequestReply | number = 200): Dialog {
  dialog.handle({
    ended: (by) => events.push(`${who}: ended ${by}`),
    offered: (offer) => sdp(`${who} answers ${offer}`),
    answered: (answer) => events.push(`${who}: answer ${answer}`),
    requested: (request) => {
      events.push(`${who}: ${request.method} ${request.body}`.trim());
      return reply;
    },
  });
  return dialog;
}

export function invite(options: Partial<InviteOptions> = {}, handlers: Partial<InviteHandlers> = {}) {
  return caller.invite(
    {
      uri: `sip:bob@${CALLEE}`,
      from: `sip:alice@${CALLER}`,
      destination: { transport: 'udp', address: CALLEE, port: 5060 },
      body: sdp('offer'),
      ...options,
    },
    {
      provisional: ({ status, body }) => events.push(`caller: ${status}${body && ` ${body}`}`),
      answered: (dialog, { body }) => {
        ours = watch(dialog, 'caller');
        events.push(`caller: answered ${body}`);
      },
      failed: (failure) =>
        events.push(`caller: failed ${failure.kind === 'response' ? failure.response.status : failure.kind}`),
      late: ({ kind, status }) => events.push(`caller: late ${kind} ${status}`),
      ...handlers,
    },
  );
}

export const tick = (): void => clock.advance(0);

export function connect(options: Partial<InviteOptions> = {}, handlers: Partial<InviteHandlers> = {}): void {
  invite(options, handlers);
  tick();
  theirs = watch((incoming as ServerInvite).accept(sdp('answer')), 'callee');
  tick();
  events.length = 0;
}

/** Start lines sent since the last call, without their ends. */
export const traffic = (): string[] =>
  link.sent
    .splice(0)
    .map((line) => (line.startsWith('SIP') ? line.slice(8, 11) : (line.split(' ')[0] as string)));

export function hangUp(): void {
  ours?.bye();
  clock.advance(64_000);
  expect(caller.counts()).toEqual({ transactions: 0, dialogs: 0 });
  expect(callee.counts()).toEqual({ transactions: 0, dialogs: 0 });
  expect(clock.pending).toBe(0);
}

export const header = (method: string, name: string): string =>
  new RegExp(`^${name}: (.*)\r$`, 'm').exec(
    link.octets.findLast((octets) => octets.startsWith(method)) ?? '',
  )?.[1] ?? '';

/** Who calls has the network that it calls over replaced by a worse one. */
export function setWeather(seed: number, weather: Weather): void {
  link = new MemoryLink(clock, seededRandom(seed), weather);
}

/** The callee's process is another one now, which knows nothing. */
export async function restartCallee(): Promise<void> {
  await callee.close();
  callee = await open(CALLEE, 5);
}

export function setTheirs(dialog: Dialog): void {
  theirs = dialog;
}
