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
  'supported',
  'session-expires',
  'allow',
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
  supported: 12,
  sessionExpires: 13,
  allow: 14,
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

/** A node of the tree of names: an entry for each letter in either case and one for `-`, with the node that follows. */
const NODE_WIDTH = 32;
export const NAME_ROOT = NODE_WIDTH;
const letterOf = new Uint8Array(256);
for (let letter = 1; letter <= 26; letter++) letterOf[64 + letter] = letterOf[96 + letter] = letter;
letterOf['-'.charCodeAt(0)] = 27;

/**
 * The known names as a tree, which the parser walks octet by octet with every header of every message. Node 0 is where
 * no known name leads.
 */
function nameTree(names: ReadonlyMap<string, number>): { next: Uint16Array; ids: Int8Array } {
  const next: number[] = Array.from({ length: 2 * NODE_WIDTH }, () => 0);
  const ids = new Map<number, number>();
  for (const [name, id] of names) {
    let node = NAME_ROOT;
    for (const code of Buffer.from(name, 'latin1')) {
      const branch = node + (letterOf[code] as number);
      if (!next[branch]) {
        next[branch] = next.length;
        next.push(...Array.from({ length: NODE_WIDTH }, () => 0));
      }
      node = next[branch] as number;
    }
    ids.set(node, id);
  }
  return {
    next: Uint16Array.from(next),
    ids: Int8Array.from(next, (_, node) => ids.get(node) ?? -1),
  };
}

const compactNames = Object.entries(COMPACT).flatMap(([compact, name]) => {
  const id = (KNOWN as readonly string[]).indexOf(name);
  return id < 0 ? [] : [[compact, id] as const];
});
const { next, ids } = nameTree(new Map([...KNOWN.map((name, id) => [name, id] as const), ...compactNames]));

/** From a node of the tree by one octet of a name; 0 when the name is none of the known ones. */
export const nextNode = (node: number, code: number): number =>
  next[node + (letterOf[code] as number)] as number;

/** The number of the known header, full or compact, whose name ends at `node`; -1 for any other. */
export const idAt = (node: number): number => ids[node] as number;

function usualSpelling(lower: string): string {
  if (lower === 'cseq') return 'CSeq';
  if (lower === 'call-id') return 'Call-ID';
  return lower.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

/** The number of a known header by its lower-case or usual name; undefined for any other. */
export const KNOWN_IDS: ReadonlyMap<string, number> = new Map(
  KNOWN.flatMap((lower, id) => [
    [lower, id],
    [usualSpelling(lower), id],
  ]),
);

/** Lower-case full name of a header given by full or compact name. */
export function fullName(name: string): string {
  const lower = name.toLowerCase();
  return lower.length === 1 ? (COMPACT[lower] ?? lower) : lower;
}

/** Whether the known header of that number is a list. */
export const isKnownList = (id: number): boolean => knownLists[id] === true;
const knownLists = KNOWN.map((name) => LISTS.has(name));

export const isListHeader = (lowerFullName: string): boolean => LISTS.has(lowerFullName);
