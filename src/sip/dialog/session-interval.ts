// Session timers (RFC 4028): what the two sides agree on, and when it is due. Values only.
import type { HeaderField } from '../agent.ts';
import type { Refusal } from '../message/check.ts';
import { parseDigits } from '../message/grammar.ts';
import type { SipMessage } from '../message/message.ts';

/** RFC 4028 §5: no interval below it. */
export const LEAST_MIN_SE_S = 90;

export interface SessionTimerSettings {
  /** What we ask for; without it we follow what the peer asks for. */
  readonly expiresS?: number;
  /** What we take at least. Default 90. */
  readonly minSeS?: number;
}

export interface SessionInterval {
  readonly expiresS: number;
  /** Who has to refresh. */
  readonly refresher: 'us' | 'them';
}

interface SessionExpires {
  readonly expiresS: number;
  readonly refresher: 'uac' | 'uas' | undefined;
}

export function parseSessionExpires(value: string | undefined): SessionExpires | undefined {
  if (value === undefined) return undefined;
  const [seconds = '', ...params] = value.split(';').map((part) => part.trim().toLowerCase());
  const expiresS = parseDigits(seconds);
  // Longer than a timer of Node's can be set for is as good as none.
  if (expiresS <= 0 || expiresS > 2_000_000) return undefined;
  const refresher = params.map((param) => /^refresher\s*=\s*(uac|uas)$/.exec(param)?.[1]).find(Boolean);
  return { expiresS, refresher: refresher as 'uac' | 'uas' | undefined };
}

/** Headers of a request of ours that sets a session up or refreshes it. */
export function askingFor(
  { expiresS, minSeS }: SessionTimerSettings,
  refresher?: 'uac' | 'uas',
): HeaderField[] {
  if (expiresS === undefined) return [];
  const value = refresher ? `${expiresS};refresher=${refresher}` : `${expiresS}`;
  return [
    ['Session-Expires', value],
    ['Min-SE', `${Math.max(minSeS ?? 0, LEAST_MIN_SE_S)}`],
  ];
}

/** The same in a refresh, or where none is agreed yet: `interval` is what was agreed last. */
export function askingAgain(
  settings: SessionTimerSettings,
  interval: SessionInterval | undefined,
): HeaderField[] {
  if (!interval) return askingFor(settings);
  const { expiresS, refresher } = interval;
  return askingFor({ ...settings, expiresS }, refresher === 'us' ? 'uac' : 'uas');
}

/** 422 for a request that asks for a shorter interval than we take, and would understand it (RFC 4028 §6). */
export function intervalRefusal(request: SipMessage, { minSeS }: SessionTimerSettings): Refusal | undefined {
  const asked = parseSessionExpires(request.header('Session-Expires'));
  const least = Math.max(minSeS ?? 0, LEAST_MIN_SE_S);
  if (!asked || asked.expiresS >= least || !knowsTimer(request)) return undefined;
  return { status: 422, headers: [['Min-SE', `${least}`]] };
}

/** What our 2xx to the peer's INVITE or UPDATE settles (RFC 4028 §9, table 2), and its headers. */
export function settled(
  request: SipMessage,
  settings: SessionTimerSettings,
): { readonly interval?: SessionInterval; readonly headers: readonly HeaderField[] } {
  const asked = parseSessionExpires(request.header('Session-Expires'));
  const expiresS = intervalFor(request, asked?.expiresS, settings.expiresS);
  if (expiresS === undefined) return { headers: [] };
  const refresher = knowsTimer(request) ? (asked?.refresher ?? 'uac') : 'uas';
  const headers: HeaderField[] = [['Session-Expires', `${expiresS};refresher=${refresher}`]];
  if (refresher === 'uac') headers.unshift(['Require', 'timer']);
  return { interval: { expiresS, refresher: refresher === 'uac' ? 'them' : 'us' }, headers };
}

/** The shorter of both wishes, but never below the peer's Min-SE. */
function intervalFor(
  request: SipMessage,
  theirs: number | undefined,
  ours: number | undefined,
): number | undefined {
  const wishes = [theirs, ours].filter((wish) => wish !== undefined);
  if (wishes.length === 0) return undefined;
  const theirLeast = Math.max(Number.parseInt(request.header('Min-SE') ?? '0', 10) || 0, LEAST_MIN_SE_S);
  return Math.max(
    Math.min(...wishes),
    theirs === undefined ? theirLeast : Math.min(theirLeast, theirs),
    LEAST_MIN_SE_S,
  );
}

/** What the 2xx to a request of ours settled (RFC 4028 §7.2). */
export function settledBy(response: SipMessage): SessionInterval | undefined {
  const expires = parseSessionExpires(response.header('Session-Expires'));
  return expires && { expiresS: expires.expiresS, refresher: expires.refresher === 'uas' ? 'them' : 'us' };
}

/** When the refresher refreshes, and when the other gives the session up (RFC 4028 §10), after the last refresh. */
export const dueMs = ({ expiresS, refresher }: SessionInterval): number =>
  refresher === 'us' ? expiresS * 500 : (expiresS - Math.min(32, expiresS / 3)) * 1000;

const knowsTimer = (request: SipMessage): boolean =>
  [...request.headers('Supported'), ...request.headers('Require')].some(
    (tag) => tag.toLowerCase() === 'timer',
  );
