import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startWebhookApp } from '../test/support/webhook-app.ts';
import { openCallerNames } from './caller-names.ts';
import { createWebhookClient } from './calls/index.ts';
import { readConfig } from './config.ts';
import { systemClock } from './lib/clock.ts';
import { silentLog } from './lib/log.ts';
import { allowNetworks } from './lib/networks.ts';
import { systemRandom } from './lib/random.ts';

const ALICE = '+14155550100';

function open(settings: Readonly<Record<string, string>>, nets: 'private' | readonly string[] = 'private') {
  const webhooks = createWebhookClient(allowNetworks(nets), 'Tandem/test');
  onTestFinished(() => webhooks.close());
  const world = { clock: systemClock, random: systemRandom(), log: silentLog };
  return openCallerNames(readConfig(settings), { ...world, webhooks, authToken: 'a token of sixteen' });
}

it('nobody is asked unless a setting says whom', () => {
  expect(open({})).toBeUndefined();
});

it('a file says who calls', async () => {
  const path = join(tmpdir(), `tandem-names-${process.pid}.csv`);
  onTestFinished(() => rmSync(path));
  writeFileSync(path, `${ALICE},Alice`);
  expect(await open({ TANDEM_CNAM_FILE: path })?.callerName(ALICE)).toBe('Alice');
});

it('a web service says who calls: a signed GET, once', async () => {
  const app = await startWebhookApp((_request, response) => response.end('Alice'));
  onTestFinished(() => app.close());
  const names = open({ TANDEM_CNAM_URL: `${app.url}/cnam?key=1` });
  expect(await names?.callerName(ALICE)).toBe('Alice');
  expect(await names?.callerName(ALICE)).toBe('Alice');
  expect(app.requests).toMatchObject([
    { method: 'GET', path: expect.stringContaining('/cnam'), parameters: { key: '1', Number: ALICE } },
  ]);
  expect(app.requests[0]?.headers['x-twilio-signature']).toMatch(/^[\w+/]{27}=$/);
});

it('a web service in a network that may not be reached is not asked', async () => {
  const app = await startWebhookApp((_request, response) => response.end('Alice'));
  onTestFinished(() => app.close());
  expect(await open({ TANDEM_CNAM_URL: app.url }, [])?.callerName(ALICE)).toBeUndefined();
  expect(app.requests).toEqual([]);
});
