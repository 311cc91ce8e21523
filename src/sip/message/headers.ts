// Header names: the ones the stack reads by number, their compact forms, and which values are lists.
import { matchesAt } from './grammar.ts';

/** Headers the parser recognises while scanning; their index is their number in a message's field table. */
const KNOWN = [
  'via',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
  'content-length',
  'content-type',
  'content-encoding',
  'max-forwards',
  'record-route',
  'require',
] as const;

export const HEADER = {
  via: 0,
  from: 1,
  to: 2,
  callId: 3,
  cseq: 4,
  contact: 5,
  contentLength: 6,
  contentType: 7,
  contentEncoding: 8,
  maxForwards: 9,
  recordRoute: 10,
  require: 11,
} as const;

/** RFC 3261 §7.3.3 and the extensions in use. */
const COMPACT: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

const LISTS = new Set(
  (
    'via route record-route contact allow supported require proxy-require unsupported accept accept-encoding ' +
    'accept-language allow-events warning in-reply-to path service-route p-asserted-identity ' +
    'p-preferred-identity history-info diversion call-info alert-info error-info reason'
  ).split(' '),
);

/** Known names by length and first letter: one or two candidates for any name on the wire. */
const buckets: (readonly [name: string, id: number][])[] = [];
const bucketOf = (length: number, firstCode: number): number => (length << 5) | (firstCode & 31);

function addKnown(name: string, id: number): void {
  const bucket = bucketOf(name.length, name.charCodeAt(0));
  buckets[bucket] = [...(buckets[bucket] ?? []), [name, id]];
}
KNOWN.forEach((name, id) => {
  addKnown(name, id);
});
for (const [compact, name] of Object.entries(COMPACT)) {
  const id = (KNOWN as readonly string[]).indexOf(name);
  if (id >= 0) addKnown(compact, id);
}

/** The number of the header whose name stands at `start`…`end`, full or compact; -1 for any other. */
export function headerId(text: string, start: number, end: number): number {
  const candidates = buckets[bucketOf(end - start, text.charCodeAt(start))];
  if (candidates) {
    for (const [name, id] of candidates)
      if (name.length === end - start && matchesAt(text, start, name)) return id;
  }
  return -1;
}

/** Lower-case full name of a header given by full or compact name. */
export function fullName(name: string): string {
  const lower = name.toLowerCase();
  return lower.length === 1 ? (COMPACT[lower] ?? lower) : lower;
}

export const isListHeader = (lowerFullName: string): boolean => LISTS.has(lowerFullName);
