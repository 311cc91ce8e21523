// The examples of docs/webhooks.md, run as they stand there.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createWebhookClient } from '../../src/calls/index.ts';
import { parseOverrides } from '../../src/calls/webhook/overrides.ts';
import { allowNetworks } from '../../src/lib/networks.ts';
import { startExchange } from '../support/exchange.ts';
import { startWebhookApp } from '../support/webhook-app.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/webhooks.md'), 'utf8');
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name, text = '']) =>
    name === language ? [text] : [],
  );

/** What a child process says, once it has ended. */
async function output(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (chunk) => (text += chunk));
  await once(child, 'close');
  return text;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

it('the app that checks signatures takes ours and no others', async () => {
  // Beside the repository's own modules, of which it imports one.
  const path = join(ROOT, `node_modules/.webhooks-docs-${process.pid}.mjs`);
  writeFileSync(path, blocks('js')[0] ?? '');
  onTestFinished(() => rmSync(path));
  const port = await freePort();
  const env = { PATH: process.env.PATH, PORT: String(port), TANDEM_AUTH_TOKEN: 'ours' };
  const child = spawn(process.execPath, [path], { env, stdio: 'inherit' });
  onTestFinished(() => void child.kill());
  const client = createWebhookClient(allowNetworks('private'), 'Tandem/test');
  onTestFinished(() => client.close());
  const ask = (authToken: string) =>
    client.send({
      url: `http://127.0.0.1:${port}/voice?a=b`,
      method: 'POST',
      parameters: 'CallSid=CA1&From=%2B1555',
      authToken,
      idempotencyToken: 'a',
    });
  await expect.poll(async () => (await ask('ours')).kind, { timeout: 15_000 }).toBe('answer');
  expect(await ask('theirs')).toMatchObject({ kind: 'failure', response: { status: 403 } });
}, 30_000);

it('the table of overrides says what the fragment does', () => {
  const defaults = parseOverrides('');
  const names = { ct: 'connectMs', rt: 'readMs', tt: 'totalMs', rc: 'retries' } as const;
  for (const [key, name] of Object.entries(names)) {
    const [, min, max, initial] =
      new RegExp(`^\\| \`${key}\` \\|.*\\| (\\d+)–(\\d+) \\| (\\d+) \\|$`, 'm').exec(page) ?? [];
    expect(defaults).toMatchObject({ [name]: Number(initial) });
    expect(parseOverrides(`${key}=999999`)).toMatchObject({ [name]: Number(max) });
    expect(parseOverrides(`${key}=0`)).toMatchObject({ [name]: Number(min) });
  }
  const [, example = ''] = /#(rc=\S+)`/.exec(page) ?? [];
  expect(parseOverrides(example)).toMatchObject({
    retries: 2,
    totalMs: 8000,
    retryOn: new Set(['5xx', 'ct']),
  });
});

it('the commands list, and send again', async () => {
  const exchange = await startExchange({ TANDEM_CALLBACK_RETRIES: '0' });
  const state = { status: 500 };
  const app = await startWebhookApp((_request, response) => void response.writeHead(state.status).end());
  try {
    const call = await exchange.client.calls.create({
      to: 'sip:nobody@127.0.0.1:9',
      from: 'a',
      twiml: '<Response/>',
      statusCallback: app.url,
      timeout: 5,
    });
    // One that is canceled before anybody is called is told of to nobody.
    await expect.poll(async () => (await exchange.trace(call.sid)).attempts).toHaveLength(1);
    await exchange.client.calls(call.sid).update({ status: 'completed' });
    await exchange.quiet();
    const run = async (command: string, more: Record<string, string> = {}) => {
      const { accountSid, authToken } = exchange.account;
      const env = { PATH: process.env.PATH, TANDEM: exchange.tandem.http, ACCOUNT_SID: accountSid };
      const child = spawn('sh', ['-c', command], { env: { ...env, AUTH_TOKEN: authToken, ...more } });
      return JSON.parse(await output(child)) as Record<string, unknown>;
    };
    const [list = '', one = '', many = ''] = blocks('sh');
    await expect.poll(async () => (await run(list)).webhooks).toHaveLength(1);
    const { webhooks } = (await run(list)) as unknown as { webhooks: { sid: string; call_sid: string }[] };
    expect(webhooks).toMatchObject([{ call_sid: call.sid }]);
    const again = await run(one, { WEBHOOK_SID: webhooks[0]?.sid ?? '' });
    expect(again).toMatchObject({ sid: webhooks[0]?.sid, call_sid: call.sid });
    await app.received(() => app.requests.length === 2);
    await expect.poll(async () => (await run(list)).webhooks).toHaveLength(1);
    state.status = 204;
    expect(await run(many, { CALL_SID: call.sid })).toEqual({ replayed: 1, more: false });
    await app.received(() => app.requests.length === 3);
    await expect.poll(async () => (await run(list)).webhooks).toEqual([]);
  } finally {
    await app.close();
    await exchange.stop();
  }
}, 30_000);
