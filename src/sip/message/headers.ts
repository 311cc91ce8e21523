// Header names: the ones the stack reads by number, their compact forms, and which values are lists.

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

/** A known name as it may stand on the wire; `next` chains those of the same length and first letter. */
interface KnownName {
  /** Its characters in either case. Letters alone have two: a `-` with another bit set is a CR. */
  readonly lower: Uint8Array;
  readonly upper: Uint8Array;
  readonly id: number;
  readonly next: KnownName | undefined;
}

const MAX_KNOWN_LENGTH = 31;
const bucketOf = (length: number, firstCode: number): number => (length << 5) | (firstCode & 31);
const buckets: (KnownName | undefined)[] = Array.from({ length: (MAX_KNOWN_LENGTH + 1) << 5 });

function usualSpelling(lower: string): string {
  if (lower.length === 1) return lower;
  if (lower === 'cseq') return 'CSeq';
  if (lower === 'call-id') return 'Call-ID';
  return lower.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

function addKnown(lower: string, id: number): void {
  const bucket = bucketOf(lower.length, lower.charCodeAt(0));
  const upper = Buffer.from(lower.toUpperCase(), 'latin1');
  buckets[bucket] = { lower: Buffer.from(lower, 'latin1'), upper, id, next: buckets[bucket] };
}
KNOWN.forEach(addKnown);
for (const [compact, name] of Object.entries(COMPACT)) {
  const id = (KNOWN as readonly string[]).indexOf(name);
  if (id >= 0) addKnown(compact, id);
}

/** The number of a known header by its lower-case or usual name; undefined for any other. */
export const KNOWN_IDS: ReadonlyMap<string, number> = new Map(
  KNOWN.flatMap((lower, id) => [
    [lower, id],
    [usualSpelling(lower), id],
  ]),
);

/** The number of the header whose name stands at `start`…`end`, full or compact; -1 for any other. */
export function headerId(text: string, start: number, end: number): number {
  const length = end - start;
  if (length > MAX_KNOWN_LENGTH) return -1;
  let known = buckets[bucketOf(length, text.charCodeAt(start))];
  while (known && !isSpelled(text, start, known)) known = known.next;
  return known ? known.id : -1;
}

/** Every header of every message comes by here. */
function isSpelled(text: string, start: number, { lower, upper }: KnownName): boolean {
  for (let i = 0; i < lower.length; i++) {
    const code = text.charCodeAt(start + i);
    if (code !== lower[i] && code !== upper[i]) return false;
  }
  return true;
}

/** Lower-case full name of a header given by full or compact name. */
export function fullName(name: string): string {
  const lower = name.toLowerCase();
  return lower.length === 1 ? (COMPACT[lower] ?? lower) : lower;
}

/** Whether the known header of that number is a list. */
export const isKnownList = (id: number): boolean => knownLists[id] === true;
const knownLists = KNOWN.map((name) => LISTS.has(name));

export const isListHeader = (lowerFullName: string): boolean => LISTS.has(lowerFullName);
