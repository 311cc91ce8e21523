// tandem explain: what would become of a call and why, without placing it.
import type { Config } from '../config.ts';
import { readAccount } from './account.ts';
import { createApiClient, type Json } from './api-client.ts';
import { apiUrl, newestTrunk } from './call.ts';

export interface ExplainOptions {
  readonly to: string;
  readonly from: string;
  readonly byoc?: string;
  /** The call arrives from there. */
  readonly sourceIp?: string;
  readonly transport?: string;
  readonly username?: string;
  readonly json?: boolean;
}

interface ExplainedTarget {
  readonly target: string;
  readonly priority: number;
  readonly weight: number;
  readonly request_uri: string;
  readonly addresses: readonly string[];
  readonly verdict: string;
}

interface ExplainedCheck {
  readonly check: string;
  readonly verdict: 'passes' | 'refuses' | 'asks' | 'assumes';
  readonly why: string;
  readonly fix: string | null;
  readonly status: number | null;
  readonly error_code: number | null;
}

interface Explained {
  readonly rule: string;
  readonly from: string;
  readonly targets: readonly ExplainedTarget[];
  readonly verdict: string;
}

interface ExplainedArrival extends Explained {
  readonly place: { readonly kind: 'domain' | 'trunk' | 'unknown'; readonly rule: string };
  readonly checks: readonly ExplainedCheck[];
  readonly status: number | null;
  readonly fix: string | null;
}

export async function explainCall(config: Config, options: ExplainOptions): Promise<void> {
  const { to, from, sourceIp, transport, username, byoc } = options;
  if (sourceIp === undefined && (transport !== undefined || username !== undefined))
    throw new Error(
      '--transport and --username are of a call that arrives: give --source-ip, where it comes from',
    );
  const api = createApiClient(apiUrl(config), readAccount(config));
  const leaves = sourceIp === undefined && !/^sips?:/i.test(to);
  const explanation = await api.post('/tandem/v1/Explain', {
    To: to,
    From: from,
    ...(sourceIp !== undefined && { SourceIp: sourceIp }),
    ...(transport !== undefined && { Transport: transport }),
    ...(username !== undefined && { Username: username }),
    ...(leaves ? { Byoc: byoc ?? (await newestTrunk(api)) } : byoc !== undefined && { Byoc: byoc }),
  });
  process.stdout.write(options.json ? `${JSON.stringify(explanation)}\n` : tell(explanation));
}

/** As a person reads it. */
export function tell(explanation: Json): string {
  const told = explanation as unknown as Explained | ExplainedArrival;
  const lines = 'checks' in told ? arrivalLines(told) : [`${told.rule}:`, ...targetLines(told)];
  return `${[...lines, `${told.verdict}.`, ...fixLines(told)].join('\n')}\n`;
}

const arrivalLines = (told: ExplainedArrival): readonly string[] => [
  told.place.kind === 'unknown' ? `${told.place.rule}.` : `${told.place.rule}. It asks, in this order:`,
  ...told.checks.flatMap(checkLines),
  ...(told.status === null
    ? [`${told.rule}${told.targets.length > 0 ? ':' : '.'}`, ...targetLines(told)]
    : []),
];

const MARKS = { passes: '✓', refuses: '✗', asks: '?', assumes: '–' } as const;
const CHECK_WIDTH = 10;

function checkLines({
  check,
  verdict,
  why,
  fix,
  status,
  error_code: code,
}: ExplainedCheck): readonly string[] {
  const margin = ' '.repeat(CHECK_WIDTH + 4);
  const answer = code === null ? `${status}` : `${status}, ${code}`;
  return [
    `  ${MARKS[verdict]} ${check.padEnd(CHECK_WIDTH)} ${verdict === 'assumes' ? `taken for granted: ${why}` : why}`,
    ...(verdict === 'refuses'
      ? [`${margin} refused with ${answer}${fix === null ? '' : `; to mend it: ${fix}`}`]
      : []),
  ];
}

const targetLines = ({ targets, from }: Explained): readonly string[] =>
  targets.flatMap(({ target, verdict, request_uri: uri, addresses, priority, weight }) => [
    `  ${target} (priority ${priority}, weight ${weight}): ${verdict}`,
    ...(addresses.length ? [`    INVITE ${uri} to ${addresses.join(', then ')}, From ${from}`] : []),
  ]);

/** Where no check tells it. */
const fixLines = (told: Explained | ExplainedArrival): readonly string[] =>
  'fix' in told && told.fix !== null && !told.checks.some(({ fix }) => fix === told.fix)
    ? [`To mend it: ${told.fix}.`]
    : [];
