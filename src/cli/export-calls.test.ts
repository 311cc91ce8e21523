// tandem calls export against a real server, in this process and as the command.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type ApiServer, OWNER, STRANGER, startApi } from '../../test/support/api-server.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { readConfig } from '../config.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { call, newRow, type Row } from '../resources/index.ts';
import { type ExportOptions, exportCalls } from './export-calls.ts';

const world = { clock: systemClock, random: systemRandom() };
const SIP = { to: '+14155550009', from: '+14155550100', direction: 'outbound-api' } as const;
const startingOn = (day: number) => ({ startTime: Date.UTC(2026, 2, day) });

async function addCall({ store }: ApiServer, values: Partial<Row<typeof call>> = {}): Promise<string> {
  const row = newRow(call, { accountSid: OWNER.sid, ...SIP, ...values }, world);
  await store.journal.commit({ insert: row });
  return row.sid;
}

/** SIDs, oldest first. */
async function addCalls(server: ApiServer, count: number): Promise<string[]> {
  const sids: string[] = [];
  for (let added = 0; added < count; added += 100)
    sids.push(...(await Promise.all(Array.from({ length: 100 }, () => addCall(server)))));
  return sids;
}

const environment = (port: number) => ({
  TANDEM_HTTP_PORT: String(port),
  TANDEM_ACCOUNT_SID: OWNER.sid,
  TANDEM_AUTH_TOKEN: OWNER.token,
});

/** What the export writes into a file. */
async function exported(port: number, options: Partial<ExportOptions> = {}): Promise<string> {
  const output = join(tempFolder(), 'calls');
  await exportCalls(readConfig(environment(port)), { format: 'jsonl', output, ...options });
  return readFileSync(output, 'utf8');
}

const linesOf = (text: string): { readonly sid: string }[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

const sidsOf = (text: string): string[] => linesOf(text).map(({ sid }) => sid);

/** Pages that were asked for. */
function pagesAsked({ server: api }: ApiServer, asked = () => {}) {
  const count = { pages: 0 };
  api.server.on('request', () => {
    count.pages++;
    asked();
  });
  return count;
}

it('writes every call once, newest first, while others are placed', async () => {
  const server = await startApi();
  const sids = await addCalls(server, 500);
  const placed: Promise<string>[] = [];
  const asked = pagesAsked(server, () => placed.push(addCall(server)));
  const found = sidsOf(await exported(server.port));
  const older = found.filter((sid) => sids.includes(sid));
  expect(older).toEqual(sids.toReversed());
  expect(asked.pages).toBe(3);
  // One may have been there before the first page was read.
  expect(found.length).toBeLessThanOrEqual(501);
  expect(await Promise.all(placed)).toHaveLength(3);
});

it('writes what the API shows as JSON, and dates that sort as CSV', async () => {
  const server = await startApi();
  const [start, end] = [Date.UTC(2026, 2, 1, 23, 59, 59), Date.UTC(2026, 2, 2)];
  const from = '=HYPERLINK("http://x.example")';
  const sid = await addCall(server, {
    from,
    startTime: start,
    endTime: end,
    duration: 1,
    status: 'completed',
  });
  await addCall(server);
  const shown = (await server.client.calls.list()).map((each) => each.sid);
  const json = JSON.parse(await exported(server.port, { format: 'json' })) as Record<string, unknown>[];
  expect(json.map((each) => each.sid)).toEqual(shown);
  expect(json[1]).toMatchObject({ sid, from, start_time: 'Sun, 01 Mar 2026 23:59:59 +0000' });
  expect(linesOf(await exported(server.port))).toEqual(json);
  const [header = '', , row] = (await exported(server.port, { format: 'csv' })).split('\r\n');
  expect(header.split(',').filter((column) => !(column in (json[0] ?? {})))).toEqual([]);
  const cells = `${sid},,${OWNER.sid},outbound-api,completed,"'=HYPERLINK(""http://x.example"")",+14155550009`;
  expect(row).toContain(`${cells},2026-03-01T23:59:59Z,2026-03-02T00:00:00Z,1,0,,USD,`);
});

it('narrows by date as StartTime does, by status and by direction; no call is an empty list', async () => {
  const server = await startApi();
  const first = await addCall(server, { ...startingOn(1), status: 'busy' });
  const second = await addCall(server, { ...startingOn(2), direction: 'inbound' });
  const third = await addCall(server, { ...startingOn(3), status: 'busy' });
  const waiting = await addCall(server);
  await addCall(server, { accountSid: STRANGER.sid, ...startingOn(2) });
  const found = async (options: Partial<ExportOptions>) => sidsOf(await exported(server.port, options));
  expect(await found({})).toEqual([waiting, third, second, first]);
  expect(await found({ from: '2026-03-02' })).toEqual([third, second]);
  expect(await found({ to: '2026-03-02' })).toEqual([second, first]);
  expect(await found({ from: '2026-03-01T00:00:01Z', to: '2026-03-02T23:59:59Z' })).toEqual([second]);
  expect(await found({ from: '2026-03-01', status: 'busy' })).toEqual([third, first]);
  expect(await found({ direction: 'inbound' })).toEqual([second]);
  expect(await exported(server.port, { status: 'failed', format: 'json' })).toBe('[]\n');
  expect(await exported(server.port, { status: 'failed', format: 'csv' })).toMatch(/^sid,[\w,]+\r\n$/);
});

it('tells a terminal how far it is, and a file nothing', async () => {
  const server = await startApi();
  await addCalls(server, 300);
  const { stderr } = process;
  const [terminal, shown] = [stderr.isTTY, vi.spyOn(stderr, 'write').mockReturnValue(true)];
  onTestFinished(() => {
    stderr.isTTY = terminal;
    shown.mockRestore();
  });
  stderr.isTTY = true;
  const output = join(tempFolder(), 'calls');
  await exportCalls(readConfig(environment(server.port)), { format: 'jsonl', output });
  expect(shown.mock.calls.map(([text]) => text)).toEqual([
    '\r200 calls',
    '\r300 calls',
    `\r300 calls written to ${output}\n`,
  ]);
  stderr.isTTY = false;
  await exported(server.port);
  expect(shown).toHaveBeenCalledTimes(3);
});

it('writes a trunk’s call with its trunk and both parties', async () => {
  const server = await startApi();
  const trunkSid = `TK${'1'.repeat(32)}`;
  const parties = { from: '+14155550100', to: 'sip:+14155550123@pbx.example' };
  await addCall(server, { ...parties, direction: 'trunking-originating', trunkSid });
  const [header = '', row = ''] = (await exported(server.port, { format: 'csv' })).split('\r\n');
  const cells = row.split(',');
  const cell = (name: string) => cells[header.split(',').indexOf(name)];
  expect(['from', 'to', 'trunk_sid', 'direction', 'price'].map(cell)).toEqual([
    parties.from,
    parties.to,
    trunkSid,
    'trunking-originating',
    '',
  ]);
});

it('as a command reads no further than it can write', { timeout: 60_000 }, async () => {
  const server = await startApi();
  const sids = await addCalls(server, 2400);
  const asked = pagesAsked(server);
  const child = command(['--format', 'jsonl'], server.port);
  await once(child.stdout, 'readable');
  let before = -1;
  while (before !== asked.pages) {
    before = asked.pages;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect(asked.pages).toBeLessThan(8);
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) text += chunk;
  expect(sidsOf(text)).toEqual(sids.toReversed());
  expect(asked.pages).toBe(12);
});

function command(args: readonly string[], port: number) {
  const main = join(import.meta.dirname, '../main.ts');
  const env = { PATH: process.env.PATH, ...environment(port) };
  const child = spawn(process.execPath, [main, 'calls', 'export', ...args], { env });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

it('ends quietly where nobody reads on', { timeout: 60_000 }, async () => {
  const server = await startApi();
  await addCalls(server, 400);
  const child = command(['--format', 'json'], server.port);
  let complaint = '';
  child.stderr.on('data', (chunk) => (complaint += chunk));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(complaint).toBe('');
});

it.each<[Partial<ExportOptions>, RegExp]>([
  [{ from: 'yesterday' }, /^--from must be a date such as 2026-11-01, or a time such as/],
  [{ to: '2026-02-30' }, /^--to must be a date/],
  [{ to: '2026-02-01T10:00:00' }, /^--to must be a date/],
  [{ from: '2026-03-02', to: '2026-03-01' }, /^--from 2026-03-02 is later than --to 2026-03-01$/],
  [{ output: '/dev/null/calls.csv' }, /^Cannot write \/dev\/null\/calls\.csv: ENOTDIR/],
])('refuses %o', async (options, message) => {
  const { port } = await startApi();
  await expect(exported(port, options)).rejects.toThrow(message);
});

/** Answers the list of calls like an exchange that is in trouble. */
async function troubled(answers: readonly [number, object, object?][]): Promise<number> {
  const left = [...answers];
  const server: Server = createServer((_request, response) => {
    const [status, body, headers = {}] = left.shift() ?? [500, {}];
    response.writeHead(status, { ...headers }).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const PAGE = { calls: [{ sid: 'CA1' }, { sid: 'CA2' }], next_page_uri: '/next' };

it('says how far it came where the exchange fails', async () => {
  const port = await troubled([
    [200, PAGE],
    [503, { message: 'The database is not available', code: 20503 }],
  ]);
  const message =
    'The database is not available (503, error 20503); the export is incomplete: it ends after 2 calls';
  await expect(exported(port)).rejects.toThrow(message);
});

it('leaves the file that was there where the exchange cannot be asked', async () => {
  const output = join(tempFolder(), 'calls');
  writeFileSync(output, 'of yesterday');
  const port = await troubled([[401, { message: 'Authenticate', code: 20003 }]]);
  await expect(exported(port, { output })).rejects.toThrow(/^Authenticate \(401, error 20003\)$/);
  expect(readFileSync(output, 'utf8')).toBe('of yesterday');
});

it('waits where it asks too often', async () => {
  const port = await troubled([
    [200, PAGE],
    [429, { message: 'Too Many Requests', code: 20429 }, { 'Retry-After': '1' }],
    [200, { calls: [{ sid: 'CA3' }], next_page_uri: null }],
  ]);
  expect(sidsOf(await exported(port))).toEqual(['CA1', 'CA2', 'CA3']);
});
