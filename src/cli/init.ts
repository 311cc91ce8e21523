// tandem init: from nothing to a demo that calls can be placed to, and the client code to place them with.
import type { Config } from '../config.ts';
import { readAccount } from './account.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { apiUrl } from './call.ts';
import { behavioursHelp, openCarriers } from './carrier.ts';
import { serve, stopSignal } from './serve.ts';

const DEMO = 'Tandem demo';

/** The demo's carriers: the first is out of service, so that every call shows a failover. */
const CARRIERS = [
  { name: 'carrier 1', host: '127.0.0.1', port: 5071, always: 'unavailable' },
  { name: 'carrier 2', host: '127.0.0.1', port: 5072 },
] as const;

/** Runs an exchange, unless one answers already, and the demo's carriers, until Ctrl-C. */
export async function init(config: Config): Promise<void> {
  const stopped = stopSignal();
  await using opened = new AsyncDisposableStack();
  const carriers = await openCarriers(CARRIERS);
  opened.defer(() => carriers.close());
  let url = apiUrl(config);
  if (!(await answers(url))) {
    const tandem = await serve(config);
    url = tandem.http;
    opened.defer(() => tandem.stop(0));
  }
  const trunkSid = await ensureDemo(createApiClient(url, readAccount(config)));
  process.stdout.write(instructions({ url, trunkSid, dataFolder: config.dataFolder }));
  await stopped;
}

/** Whether an exchange answers at `url`. */
const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/healthz`).then(
    (response) => response.ok,
    () => false,
  );

interface Named {
  readonly sid: string;
  readonly friendly_name: string | null;
}

/** Policy, targets and trunk of the demo; made once, found again by their name. */
async function ensureDemo(api: ApiClient): Promise<string> {
  const trunks = (await api.get('/v1/ByocTrunks?PageSize=1000')).byoc_trunks as readonly Named[];
  const existing = trunks.find(({ friendly_name: name }) => name === DEMO);
  if (existing) return existing.sid;
  const policy = await api.post('/v1/ConnectionPolicies', { FriendlyName: DEMO });
  for (const [index, { name, host, port }] of CARRIERS.entries()) {
    await api.post(`/v1/ConnectionPolicies/${policy.sid}/Targets`, {
      Target: `sip:${host}:${port}`,
      FriendlyName: name,
      Priority: String(index + 1),
    });
  }
  const trunk = await api.post('/v1/ByocTrunks', {
    FriendlyName: DEMO,
    ConnectionPolicySid: String(policy.sid),
  });
  return String(trunk.sid);
}

const instructions = (demo: { url: string; trunkSid: string; dataFolder: string }): string => `
The demo is ready: a BYOC trunk whose first carrier is out of service and whose second one answers.

Place a call from another terminal and watch it:

  npm run tandem -- call +15550001234

or with the official client (npm install twilio):

  import { readFileSync } from 'node:fs';
  import twilio from 'twilio';

  const account = JSON.parse(readFileSync('${demo.dataFolder}/account.json', 'utf8'));
  const httpClient = new twilio.RequestClient();
  const send = httpClient.request.bind(httpClient);
  httpClient.request = (options) =>
    send({ ...options, uri: options.uri.replace(/^https:\\/\\/[^/]+/, '${demo.url}') });
  const client = twilio(account.account_sid, account.auth_token, { httpClient });

  const call = await client.calls.create({
    to: '+15550001234',
    from: '+15550009999',
    byoc: '${demo.trunkSid}',
    twiml: '<Response><Say>Hello from Tandem.</Say></Response>',
  });
  console.log(call.sid, call.status);

What the second carrier does depends on how the number ends:

${behavioursHelp()}

Ctrl-C stops the demo; what it made is kept in ${demo.dataFolder}.
`;
