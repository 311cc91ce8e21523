// docs/inbound-calls.md, cut out of the page and run: its set-up, its TwiML, and its table of parameters.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Twilio } from 'twilio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Inbound, startInbound } from '../support/inbound.ts';

const PAGE = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/inbound-calls.md'), 'utf8');
const examples = new Map(
  [...PAGE.matchAll(/^```(?:js|xml) (\w+)\n(.*?)^```$/gms)].map(([, name = '', code = '']) => [name, code]),
);

let inbound: Inbound;
beforeEach(async () => {
  inbound = await startInbound();
  const code = (examples.get('setup') ?? '').replaceAll('http://127.0.0.1:3000', inbound.app.url);
  const Code = (async () => {}).constructor as new (
    parameter: string,
    body: string,
  ) => (client: Twilio) => Promise<void>;
  await new Code('client', code)(inbound.exchange.client);
});
afterEach(() => inbound.stop());

const twimlOf = (name: string): string =>
  (examples.get(name) ?? '').trim().replaceAll(/^<Response>|<\/Response>$/g, '');

const alice = (headers: readonly (readonly [string, string])[] = []) =>
  inbound.call({ uri: 'sip:1000@acme.sip.twilio.com', from: 'sip:alice@acme.sip.twilio.com', headers });

describe('docs/inbound-calls.md', () => {
  it('sets up a domain whose app greets the caller', async () => {
    inbound.twiml['/voice'] = twimlOf('greet');
    const soft = await alice();
    expect((await soft.final).status).toBe(200);
    expect((await soft.ended).by).toBe('remote');
    expect((await inbound.asked('/status')).parameters).toMatchObject({ CallStatus: 'completed' });
  });

  it('refuses the caller as busy', async () => {
    inbound.twiml['/voice'] = twimlOf('busy');
    expect((await (await alice()).final).status).toBe(486);
    expect((await inbound.asked('/status')).parameters).toMatchObject({ CallStatus: 'busy' });
  });

  it('names every parameter that the app is told, and no other', async () => {
    inbound.twiml['/voice'] = twimlOf('busy');
    await alice([
      ['X-Ticket', '7'],
      ['X-Ticket', '8'],
      ['User-to-User', '00'],
    ]);
    const { parameters } = await inbound.asked('/voice');
    const [, told = ''] = /^## What the app is told\n(.*?)^`From` and/ms.exec(PAGE) ?? [];
    const named = [...told.matchAll(/^Beside .*|^\| .*? \|/gm)].flatMap(([line]) =>
      [...line.matchAll(/`([A-Z][\w-]+…?)`/g)].map(([, name = '']) => name.replace('…', 'Ticket')),
    );
    expect(named.toSorted()).toEqual(Object.keys(parameters).toSorted());
    expect(parameters['SipHeader_X-Ticket']).toBe('7, 8');
  });
});
