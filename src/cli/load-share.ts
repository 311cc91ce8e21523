// tandem load-share: draws a policy's targets many times and charts how the calls would spread.
import type { Config } from '../config.ts';
import { judgeShares, type LoadShare } from '../routing/index.ts';
import { readAccount } from './account.ts';
import { createApiClient, type Json } from './api-client.ts';
import { apiUrl } from './call.ts';

/** Draws asked for at once: what is shown of the progress, and lost by Ctrl-C. */
const CHUNK = 50_000;
const MAX_SELECTIONS = 1_000_000;
const BAR_WIDTH = 40;

export interface LoadShareOptions {
  readonly policySid: string;
  readonly selections: string;
  readonly json?: boolean;
}

interface ShownTarget {
  readonly sid: string | null;
  readonly uri: string;
  readonly priority: number;
  readonly weight: number;
  readonly expected: number;
  readonly selections: number;
}

/** Resolves when the chart, or the JSON, is printed. Progress is on stderr. */
export async function chartLoadShare(config: Config, options: LoadShareOptions): Promise<void> {
  const wanted = parseSelections(options.selections);
  const api = createApiClient(apiUrl(config), readAccount(config));
  let rows: readonly ShownTarget[] = [];
  let hits: readonly number[] = [];
  for (let drawn = 0; drawn < wanted; drawn += CHUNK) {
    const answer: Json = await api.post('/tandem/v1/LoadShare', {
      ConnectionPolicySid: options.policySid,
      Selections: String(Math.min(CHUNK, wanted - drawn)),
    });
    rows = answer.targets as readonly ShownTarget[];
    hits = rows.map((row, place) => row.selections + (hits[place] ?? 0));
    if (process.stderr.isTTY)
      process.stderr.write(`\r${Math.round((100 * Math.min(wanted, drawn + CHUNK)) / wanted)} %`);
  }
  if (process.stderr.isTTY) process.stderr.write('\r      \r');
  const targets = rows.map((row) => ({ ...row, enabled: row.expected > 0 }));
  const share = judgeShares(targets, hits);
  process.stdout.write(options.json ? `${JSON.stringify(share)}\n` : chart(share));
}

function parseSelections(text: string): number {
  const selections = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (selections >= 1 && selections <= MAX_SELECTIONS) return selections;
  throw new Error(`--selections must be a whole number from 1 to ${MAX_SELECTIONS}`);
}

/** A bar a target; `|` marks what its weight promises. */
export function chart({ targets, selections, chiSquare, degreesOfFreedom, pValue }: LoadShare): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`.padStart(7);
  const lines = targets.map(({ uri, priority, weight, expected, observed }) => {
    const filled = Math.round(observed * BAR_WIDTH);
    const bar = ['█'.repeat(filled), ' '.repeat(BAR_WIDTH - filled)].join('');
    const mark = Math.min(BAR_WIDTH - 1, Math.round(expected * BAR_WIDTH));
    const marked = expected > 0 ? `${bar.slice(0, mark)}|${bar.slice(mark + 1)}` : bar;
    return `${marked} ${percent(observed)} of ${percent(expected)}  priority ${priority}, weight ${weight}  ${uri}`;
  });
  const verdict = pValue < 0.001 ? 'the weights are not kept' : 'in keeping with the weights';
  return `${lines.join('\n')}\n${selections} selections; chi-square ${chiSquare.toFixed(2)} with ${degreesOfFreedom} degrees of freedom, p = ${pValue.toFixed(3)}: ${verdict}\n`;
}
