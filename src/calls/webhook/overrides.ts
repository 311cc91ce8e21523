// Connection overrides: what the fragment of a webhook URL asks for (Twilio: "Webhooks: connection overrides"). Pure.

/** What may be tried again: an answer of that class, a connection that was not made, an answer that did not come. */
export type RetryCause = '4xx' | '5xx' | 'ct' | 'rt';

export interface Overrides {
  /** To a TCP connection, TLS included. */
  readonly connectMs: number;
  /** To the first byte of an answer, and between two of its packets. */
  readonly readMs: number;
  /** Of all attempts. */
  readonly totalMs: number;
  /** Attempts after the first one. */
  readonly retries: number;
  readonly retryOn: ReadonlySet<RetryCause>;
  /** Whether TLS names the host it wants. */
  readonly sni: boolean;
}

/** Twilio's code for a fragment that cannot be followed. */
export interface OverrideFault {
  readonly code: number;
  readonly message: string;
}

const CAUSES = ['4xx', '5xx', 'ct', 'rt'] as const;
/** Places that Twilio sends from. Here all requests come from one place: the names are checked and change nothing. */
const EDGES: ReadonlySet<string> = new Set([
  'ashburn',
  'dublin',
  'frankfurt',
  'roaming',
  'sao-paulo',
  'singapore',
  'sydney',
  'tokyo',
  'umatilla',
]);
const INTERCONNECTS: ReadonlySet<string> = new Set(
  ['ashburn', 'frankfurt', 'london', 'san-jose', 'singapore', 'sydney', 'tokyo'].map((name) => `${name}-ix`),
);

/** `ct=2000&rc=2` → what it asks for; what it leaves out is Twilio's default, and what it does not know is ignored. */
export function parseOverrides(fragment: string): Overrides | OverrideFault {
  const given = new URLSearchParams(fragment);
  const retryOn = retryCauses(given.get('rp'));
  if (!retryOn) return { code: 11243, message: `"${given.get('rp')}" names no retry policy: ${CAUSES}, all` };
  const edgeFault = faultOfEdges(given.get('e'));
  if (edgeFault) return edgeFault;
  return {
    connectMs: within(given.get('ct'), { min: 100, max: 10_000, initial: 5_000 }),
    readMs: within(given.get('rt'), { min: 100, max: 15_000, initial: 15_000 }),
    totalMs: within(given.get('tt'), { min: 100, max: 15_000, initial: 15_000 }),
    retries: within(given.get('rc'), { min: 0, max: 5, initial: 1 }),
    retryOn,
    sni: given.get('sni') !== 'n',
  };
}

/** The nearest that is allowed. */
function within(
  text: string | null,
  { min, max, initial }: { readonly min: number; readonly max: number; readonly initial: number },
): number {
  if (text === null || !/^\d{1,9}$/.test(text)) return initial;
  return Math.min(max, Math.max(min, Number(text)));
}

function retryCauses(text: string | null): ReadonlySet<RetryCause> | undefined {
  if (text === null) return new Set(['ct']);
  const words = text.split(',').map((word) => word.trim());
  if (words.includes('all')) return new Set(CAUSES);
  const known = CAUSES.filter((cause) => words.includes(cause));
  return words.every((word) => known.some((cause) => cause === word)) ? new Set(known) : undefined;
}

function faultOfEdges(text: string | null): OverrideFault | undefined {
  for (const edge of text?.split(',') ?? []) {
    const name = edge.trim();
    if (INTERCONNECTS.has(name))
      return { code: 11242, message: `the interconnect "${name}" is not permitted` };
    if (!/^[a-z]+(-[a-z]+)*$/.test(name)) return { code: 11240, message: `"${name}" is no edge` };
    if (!EDGES.has(name)) return { code: 11241, message: `the edge "${name}" is not supported` };
  }
  return undefined;
}
