// tandem calls export: the calls between two dates as CSV or JSON. A page at a time, so memory does not grow with them.
import { createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Config } from '../config.ts';
import { readAccount } from './account.ts';
import { type ApiClient, createApiClient, type Json } from './api-client.ts';
import { apiUrl } from './call.ts';
import { type Cell, csvLine } from './csv.ts';

export interface ExportOptions {
  /** As the list's `StartTime>` and `StartTime<`. */
  readonly from?: string;
  readonly to?: string;
  readonly format: Format;
  readonly status?: string;
  readonly direction?: string;
  /** File to write; stdout when missing. */
  readonly output?: string;
}

export const FORMATS = ['csv', 'json', 'jsonl'] as const;
type Format = (typeof FORMATS)[number];

type ShownCall = { readonly [property: string]: Cell | object };
type Pages = AsyncIterable<readonly ShownCall[]>;

/** The exchange works on a page without a break: a larger one would keep its calls waiting. */
const PAGE_SIZE = 200;

const DATES = ['start_time', 'end_time', 'date_created', 'date_updated'] as const;
const COLUMNS = [
  'sid',
  'parent_call_sid',
  'account_sid',
  'direction',
  'status',
  'from',
  'to',
  'start_time',
  'end_time',
  'duration',
  'queue_time',
  'price',
  'price_unit',
  'answered_by',
  'forwarded_from',
  'caller_name',
  'phone_number_sid',
  'trunk_sid',
  'date_created',
  'date_updated',
] as const;

/** Resolves when all is written. Progress is on stderr, where that is a terminal. */
export async function exportCalls(config: Config, options: ExportOptions): Promise<void> {
  const query = parseQuery(options);
  const api = createApiClient(apiUrl(config), readAccount(config));
  // Before anything is written: a file that is there stays as it is where the exchange cannot be asked.
  const first = await api.get(`/2010-04-01/Accounts/${api.accountSid}/Calls.json?${query}`);
  const progress = new Progress();
  const pages = progress.counting(pagesOf(api, first, options.direction));
  const { output, format } = options;
  try {
    if (output === undefined) await write(WRITERS[format](pages), process.stdout, { end: false });
    else await write(WRITERS[format](pages), createWriteStream(output));
  } catch (error) {
    progress.clear();
    throw inWords(error, output, progress.calls);
  }
  progress.end(output);
}

function parseQuery({ from, to, status }: ExportOptions): URLSearchParams {
  const [fromMs, toMs] = [parseMoment('--from', from), parseMoment('--to', to)];
  if (fromMs > toMs) throw new Error(`--from ${from} is later than --to ${to}`);
  return new URLSearchParams({
    PageSize: String(PAGE_SIZE),
    ...(from !== undefined && { 'StartTime>': from }),
    ...(to !== undefined && { 'StartTime<': to }),
    ...(status !== undefined && { Status: status }),
  });
}

/** NaN, which compares to nothing, where none is given. */
function parseMoment(option: string, text: string | undefined): number {
  if (text === undefined) return Number.NaN;
  const moment = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$/.test(text) ? Date.parse(text) : Number.NaN;
  // A day that its month does not have is taken as one of the next month.
  const isReal = moment >= 0 && new Date(moment).toISOString().startsWith(text.replace('Z', ''));
  if (isReal) return moment;
  throw new Error(`${option} must be a date such as 2026-11-01, or a time such as 2026-11-01T08:00:00Z`);
}

/**
 * Newest first. A page goes on from where the last one ended, so that calls that are placed meanwhile shift nothing:
 * none is left out, none comes twice. The next page is on its way while one is written.
 */
async function* pagesOf(api: ApiClient, first: Json, direction?: string): Pages {
  let page = first;
  for (;;) {
    const next = page.next_page_uri as string | null;
    const asked = next === null ? undefined : api.get(next);
    // It is heard of when its turn comes.
    asked?.catch(() => {});
    const calls = page.calls as readonly ShownCall[];
    yield direction === undefined ? calls : calls.filter((call) => call.direction === direction);
    if (asked === undefined) return;
    page = await asked;
  }
}

const WRITERS: Readonly<Record<Format, (pages: Pages) => AsyncIterable<string>>> = {
  async *csv(pages) {
    yield csvLine(COLUMNS);
    for await (const calls of pages) yield calls.map((call) => csvLine(cellsOf(call))).join('');
  },
  async *json(pages) {
    let before = '[\n';
    for await (const calls of pages) {
      if (calls.length === 0) continue;
      yield before + calls.map((call) => JSON.stringify(call)).join(',\n');
      before = ',\n';
    }
    yield before === '[\n' ? '[]\n' : '\n]\n';
  },
  async *jsonl(pages) {
    for await (const calls of pages) yield calls.map((call) => `${JSON.stringify(call)}\n`).join('');
  },
};

const cellsOf = (call: ShownCall): readonly Cell[] =>
  COLUMNS.map((column) => {
    const value = call[column] as Cell;
    const isDate = value !== null && (DATES as readonly string[]).includes(column);
    return isDate ? new Date(String(value)).toISOString().replace('.000Z', 'Z') : value;
  });

async function write(
  chunks: AsyncIterable<string>,
  output: Writable,
  options: { readonly end?: boolean } = {},
): Promise<void> {
  await pipeline(Readable.from(chunks), output, options).catch((error: NodeJS.ErrnoException) => {
    // Whoever read it has read enough.
    if (error.code !== 'EPIPE') throw error;
  });
}

function inWords(error: unknown, output: string | undefined, calls: number): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const what = code === undefined ? message : `Cannot write ${output ?? 'stdout'}: ${message}`;
  return new Error(calls === 0 ? what : `${what}; the export is incomplete: it ends after ${calls} calls`);
}

/** Counts calls as they go by, on a line of stderr that is written over. */
class Progress {
  readonly #isShown = process.stderr.isTTY;
  calls = 0;

  async *counting(pages: Pages): Pages {
    for await (const calls of pages) {
      yield calls;
      this.calls += calls.length;
      if (this.#isShown) process.stderr.write(`\r${this.calls} calls`);
    }
  }

  clear(): void {
    if (this.#isShown && this.calls > 0) process.stderr.write('\r\x1b[K');
  }

  end(output = 'stdout'): void {
    if (this.#isShown) process.stderr.write(`\r${this.calls} calls written to ${output}\n`);
  }
}
