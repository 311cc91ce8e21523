// Calls that are up on an exchange in a process of its own, and that it may be killed under: one that came in and dials
// on, one that was placed over the API, and one of an Elastic trunk, whose two parties share a record.
import { onTestFinished } from 'vitest';
import { CALL, trunkTo } from './exchange.ts';
import type { ExchangeProcess } from './exchange-process.ts';
import { openDomain } from './inbound.ts';
import { type Ending, Softphone } from './softphone.ts';
import { startWebhookApp, type WebhookApp } from './webhook-app.ts';

export interface CallsUp {
  readonly sids: readonly string[];
  /** Of the one that was placed over the API. */
  readonly placed: string;
  /** How the dialog of each of the five parties ends. */
  readonly endings: readonly Promise<Ending>[];
  readonly app: WebhookApp;
  /** What the app was told of a call so far: sequence numbers and statuses, in the order of their first arrival. */
  told(sid: string): readonly string[];
}

let numbers = 0;
const EVENTS = ['initiated', 'ringing', 'answered', 'completed'];
/** What the app is told of the call that was placed, in order: its callee answers without ringing. */
export const TOLD = ['0 initiated', '1 in-progress', '2 completed'];

/** Resolves when all parties are connected, and the database knows. */
export async function callsUp(exchange: ExchangeProcess): Promise<CallsUp> {
  const { client } = exchange;
  const app = await startWebhookApp(({ path }, response) => {
    const byoc = new URL(path, 'http://app.example').searchParams.get('dial');
    if (byoc === null) return void response.writeHead(204).end();
    const dial = `<Dial><Number byoc="${byoc}">+15550002000</Number></Dial>`;
    response.writeHead(200, { 'content-type': 'text/xml' }).end(`<Response>${dial}</Response>`);
  });
  onTestFinished(() => app.close());
  const { sid, ending } = await placeOne(exchange, app);
  const endings = [ending, ...(await dialOn(exchange, app)), ...(await callPbx(exchange))];
  const live = await client.calls.list();
  const sids = live.filter(({ endTime }) => endTime === null).map((call) => call.sid);
  for (const each of sids) await reached(exchange, each, 'in-progress');
  const told: CallsUp['told'] = (of) => {
    const ofCall = app.requests.filter(
      ({ path, parameters: { CallSid } }) => path === '/status' && CallSid === of,
    );
    const words = ofCall.map(
      ({ parameters: { SequenceNumber, CallStatus } }) => `${SequenceNumber} ${CallStatus}`,
    );
    return [...new Set(words)];
  };
  return { sids, placed: sid, endings, app, told };
}

async function placeOne({ client }: ExchangeProcess, app: WebhookApp) {
  const called = await phone();
  const placed = await called.expects();
  const { sid } = await client.calls.create({
    ...CALL,
    byoc: await trunkTo(client, [called.uri()]),
    twiml: '<Response><Pause length="60"/></Response>',
    statusCallback: `${app.url}/status`,
    statusCallbackEvent: EVENTS,
  });
  return { sid, ending: (await placed()).ended };
}

/** A call that comes in, and whose app has somebody dialled. */
async function dialOn({ client, listener }: ExchangeProcess, app: WebhookApp) {
  const [caller, callee] = await Promise.all([phone(), phone()]);
  const answered = await callee.expects();
  const byoc = await trunkTo(client, [callee.uri()]);
  const domain = await openDomain({ client }, { voiceUrl: `${app.url}/voice?dial=${byoc}` });
  const call = await caller.call({ uri: `sip:1000@${domain}`, destination: listener });
  await call.answered;
  return [call.ended, (await answered()).ended];
}

/** A carrier's call for a number of an Elastic trunk. */
async function callPbx({ client, listener }: ExchangeProcess) {
  const [caller, pbx] = await Promise.all([phone(), phone()]);
  const answered = await pbx.expects();
  const { sid: trunkSid } = await client.trunking.v1.trunks.create();
  const url = { friendlyName: 'pbx', sipUrl: pbx.uri(), priority: 1, weight: 10, enabled: true };
  await client.trunking.v1.trunks(trunkSid).originationUrls.create(url);
  const domain = await openDomain({ client }, { voiceUrl: 'http://127.0.0.1:9/' });
  const { sid: byocTrunkSid } = await client.voice.v1.byocTrunks.create();
  const [found] = (await client.sip.domains.list()).filter(({ domainName }) => domainName === domain);
  await client.sip.domains(found?.sid ?? '').update({ byocTrunkSid });
  const phoneNumber = `+1415555${String(1000 + numbers++)}`;
  await client.incomingPhoneNumbers.create({ phoneNumber, trunkSid });
  const call = await caller.call({ uri: `sip:${phoneNumber}@${domain}`, destination: listener });
  await call.answered;
  return [call.ended, (await answered()).ended];
}

/** Resolves with the call's record when it has the status. */
export async function reached({ client }: ExchangeProcess, sid: string, status: string) {
  for (;;) {
    const call = await client.calls(sid).fetch();
    if (call.status === status) return call;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function phone(): Promise<Softphone> {
  const opened = await Softphone.open();
  onTestFinished(() => opened.close());
  return opened;
}
