// README.md's client code, cut out of the page and run.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import twilio from 'twilio';
import { expect, it, onTestFinished } from 'vitest';
import { startExchange } from '../support/exchange.ts';

const PAGE = readFileSync(join(resolve(import.meta.dirname, '../..'), 'README.md'), 'utf8');
const Code = (async () => {}).constructor as new (
  ...parametersAndBody: string[]
) => (client: typeof twilio, accountSid: string, authToken: string) => Promise<void>;

it('README.md points Twilio’s client here', async () => {
  const exchange = await startExchange();
  onTestFinished(() => exchange.stop());
  const [, code = ''] = /^```ts\nimport twilio from 'twilio';\n(.*?)^```$/ms.exec(PAGE) ?? [];
  const body = code.replace('http://127.0.0.1:8080', exchange.tandem.http);
  const { accountSid, authToken } = exchange.account;
  await new Code('twilio', 'accountSid', 'authToken', body)(twilio, accountSid, authToken);
  const { connectionPolicies } = exchange.client.voice.v1;
  const [policy] = await connectionPolicies.list();
  expect(policy?.friendlyName).toBe('carriers');
  expect(await connectionPolicies(policy?.sid ?? '').targets.list()).toMatchObject([
    { target: 'sip:sbc.carrier-a.example', priority: 1, weight: 70 },
  ]);
});
