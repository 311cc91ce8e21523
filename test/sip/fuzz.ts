// Mutated messages against the parser: nothing but SipSyntaxError, nothing slow, and what is accepted survives the
// way through the serialiser. `npm test` runs it for a moment, `npm run soak` at full length.
import { readdirSync, readFileSync } from 'node:fs';
import type { Random } from '../../src/lib/random.ts';
import type { HeaderField } from '../../src/sip/index.ts';
import { refusalOf } from '../../src/sip/message/check.ts';
import { HEADER } from '../../src/sip/message/headers.ts';
import type { SipMessage } from '../../src/sip/message/message.ts';
import { parseNameAddr } from '../../src/sip/message/name-addr.ts';
import { parseMessage, scanMessage } from '../../src/sip/message/parse.ts';
import { serializeRequest, serializeResponse } from '../../src/sip/message/serialize.ts';
import { SipSyntaxError } from '../../src/sip/message/syntax-error.ts';
import { parseUri } from '../../src/sip/message/uri.ts';

export interface FuzzLimit {
  readonly count: number;
  /** Stops before `count` when so much time has passed. */
  readonly ms?: number;
}

export interface FuzzReport {
  readonly mutated: number;
  /** Those that nothing was wrong with. */
  readonly accepted: number;
  /** Inputs that cost over 5 ms, and are slow by `isSlow`. */
  readonly slow: readonly string[];
  readonly elapsedMs: number;
}

/** What takes less is not looked at closely. */
const SLOW_MS = 5;
/** A loop in a loop over one message takes hundreds of times as long as an ordinary one. */
const SLOW_RATIO = 60;
const RERUNS = 5;
const CLOCK_EVERY = 1024;
const SOURCE = { address: '192.0.2.77', port: 5060 };

/** The messages of RFC 4475 and RFC 5118. */
export function tortureMessages(): readonly string[] {
  const folder = new URL('../../src/sip/message/fixtures/', import.meta.url);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.dat'))
    .toSorted()
    .map((name) => readFileSync(new URL(name, folder), 'latin1'));
}

/** @throws {Error} with the input, when the parser throws anything but SipSyntaxError or an identity does not hold. */
export function fuzz(messages: readonly string[], limit: FuzzLimit, random: Random): FuzzReport {
  const startMs = performance.now();
  const slow: string[] = [];
  let mutated = 0;
  let accepted = 0;
  while (mutated < limit.count) {
    if (mutated % CLOCK_EVERY === 0 && performance.now() - startMs > (limit.ms ?? Number.POSITIVE_INFINITY))
      break;
    const input = mutate(messages, random);
    mutated++;
    const beganMs = performance.now();
    if (survives(input)) accepted++;
    if (performance.now() - beganMs > SLOW_MS && isSlow(input)) slow.push(input);
  }
  return { mutated, accepted, slow, elapsedMs: performance.now() - startMs };
}

/** Whether it takes far longer than an ordinary message of its size: the best of several runs of both, in turn. */
export function isSlow(input: string): boolean {
  const ordinary = ordinaryMessage(input.length);
  let bestMs = Number.POSITIVE_INFINITY;
  let usualMs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RERUNS; run++) {
    bestMs = Math.min(bestMs, timeOf(input));
    usualMs = Math.min(usualMs, timeOf(ordinary));
  }
  return bestMs > SLOW_RATIO * usualMs;
}

function timeOf(input: string): number {
  const beganMs = performance.now();
  survives(input);
  return performance.now() - beganMs;
}

function ordinaryMessage(octets: number): string {
  const head =
    'OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n' +
    'Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n';
  const lines = 200;
  const line = `Subject: ${'x'.repeat(Math.max(0, (octets - head.length) / lines - 11))}\r\n`;
  return `${head}${line.repeat(octets < 4000 ? 1 : lines)}\r\n`;
}

/** Whether the input is accepted. */
export function survives(input: string): boolean {
  try {
    const message = scanMessage(input);
    readEverything(message);
    if (message.fault || (message.isRequest && refusalOf(message))) return false;
    if (message.isRequest) checkIdentity(message);
    return true;
  } catch (error) {
    if (error instanceof SipSyntaxError) return false;
    throw new Error(`the parser let this through: ${JSON.stringify(input)}`, { cause: error });
  }
}

const COPIED = ['Contact', 'Record-Route', 'Require', 'Supported', 'Subject', 'Max-Forwards'];
const NAMES = ['Via', 'Route', 'Content-Type', ...COPIED];

/** Each of them may throw, but only what it should. */
function readEverything(message: SipMessage): void {
  const reads: (() => unknown)[] = [
    () => message.via.check(),
    () => [message.via.branch, message.via.sentBy],
    () => [message.seq, message.seqMethod, message.callId],
    () => message.fromTag,
    () => message.toTag,
    () => message.body,
    () => parseUri(message.uri),
    () => message.headers('Contact').map(parseNameAddr),
    ...NAMES.map((name) => () => message.headers(name)),
  ];
  for (const read of reads) {
    try {
      read();
    } catch (error) {
      if (!(error instanceof SipSyntaxError)) throw error;
    }
  }
}

/** A request that is accepted, written anew and read again, says the same; so does what a response copies of it. */
function checkIdentity(request: SipMessage): void {
  const [via = '', ...vias] = request.values(HEADER.via);
  const written = serializeRequest({
    method: request.method,
    uri: request.uri,
    via,
    from: request.header('From') ?? '',
    to: request.header('To') ?? '',
    callId: request.callId,
    seq: request.seq,
    routes: request.headers('Route'),
    headers: [
      ...vias.map((each): HeaderField => ['Via', each]),
      ...COPIED.flatMap((name) => request.headers(name).map((value): HeaderField => [name, value])),
    ],
    body: { contentType: request.header('Content-Type') ?? 'text/plain', content: request.body },
  });
  const again = parseMessage(written);
  same('request', summaryOf(request), summaryOf(again));
  const response = parseMessage(serializeResponse(request, SOURCE, { status: 200, reason: 'OK' }));
  same('response', headOf(request), headOf(response));
}

const headOf = (message: SipMessage): unknown[] => [
  message.header('From'),
  message.header('To'),
  message.callId,
  message.seq,
  message.via.branch,
];

const summaryOf = (message: SipMessage): unknown[] => [
  message.method,
  message.uri,
  message.body,
  ...headOf(message),
  ...['Via', 'Route', ...COPIED].map((name) => message.headers(name)),
];

function same(what: string, before: unknown, after: unknown): void {
  const [one, other] = [JSON.stringify(before), JSON.stringify(after)];
  if (one !== other) throw new Error(`a ${what} changed on its way: ${one} became ${other}`);
}

const ODD = [
  '\r\n',
  '\r',
  '\n',
  ' ',
  '\t',
  '\0',
  '"',
  '\\',
  '<',
  '>',
  ';',
  ',',
  ':',
  '=',
  '%',
  '%00',
  '@',
  '[',
  ']',
  '\u00ff',
  '?',
  '/',
  'z9hG4bK',
];

/** One of the messages with one to four changes, 70,000 characters at most. */
export function mutate(messages: readonly string[], random: Random): string {
  const below = (end: number): number => Math.floor(random.fraction() * end);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  let text = pick(messages);
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(text.length);
    const end = Math.min(text.length, at + below(40));
    switch (below(8)) {
      case 0:
        text = text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1);
        break;
      case 1:
        text = text.slice(0, at) + text.slice(end);
        break;
      case 2:
        text = text.slice(0, end) + text.slice(at);
        break;
      case 3: {
        const other = pick(messages);
        text = text.slice(0, at) + other.slice(below(other.length));
        break;
      }
      case 4:
        text = text.slice(0, at) + pick(ODD).repeat(below(10) ? 1 : below(3000)) + text.slice(at);
        break;
      case 5:
        text = text.replace(/\d+/, () => `${below(2 ** 31)}${below(2) ? '' : '9'.repeat(below(20))}`);
        break;
      default:
        text = text.slice(0, at) + pick(ODD) + text.slice(at);
    }
  }
  return text.slice(0, 70_000);
}
