// The first call, with the official client: a policy with two targets, a BYOC trunk over it, a call, and why it went
// where it went. Run `npm run demo` in one terminal, then `npm run example` in another.
import { readFileSync } from 'node:fs';
import twilio from 'twilio';

const url = process.env.TANDEM_URL ?? 'http://127.0.0.1:8080';
const data = process.env.TANDEM_DATA ?? './data';
const { account_sid: accountSid, auth_token: authToken } = JSON.parse(
  readFileSync(`${data}/account.json`, 'utf8'),
);

// The client is Twilio's own; only the address that it talks to is another.
const httpClient = new twilio.RequestClient();
const send = httpClient.request.bind(httpClient);
httpClient.request = (options) => send({ ...options, uri: options.uri.replace(/^https:\/\/[^/]+/, url) });
const client = twilio(accountSid, authToken, { httpClient });

// Two carriers: calls go to the second one when the first does not take them.
const [first = 'sip:127.0.0.1:5071', second = 'sip:127.0.0.1:5072'] = process.argv.slice(2);
const policy = await client.voice.v1.connectionPolicies.create({ friendlyName: 'First call' });
const targets = client.voice.v1.connectionPolicies(policy.sid).targets;
await targets.create({ target: first, priority: 1, friendlyName: 'out of service' });
await targets.create({ target: second, priority: 2, friendlyName: 'alive' });
const trunk = await client.voice.v1.byocTrunks.create({ connectionPolicySid: policy.sid });

let call = await client.calls.create({
  to: '+15550001234',
  from: '+15550009999',
  byoc: trunk.sid,
  twiml: '<Response><Say>Hello from Tandem.</Say></Response>',
});
console.log(`${call.sid} is ${call.status}`);

while (['queued', 'ringing', 'in-progress'].includes(call.status)) {
  await new Promise((resolve) => setTimeout(resolve, 200));
  call = await client.calls(call.sid).fetch();
}
console.log(`${call.sid} is ${call.status} after ${call.duration} s`);

// What Twilio has no path for lives under /tandem/v1, with the same credentials.
const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
const response = await fetch(`${url}/tandem/v1/Calls/${call.sid}/RouteTrace`, { headers: { authorization } });
const trace = (await response.json()) as { attempts: { uri: string; result: string; why: string }[] };
for (const { uri, result, why } of trace.attempts) console.log(`${uri}: ${result} (${why})`);
