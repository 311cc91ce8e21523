// A stage for tests of <Dial>: a phone with sound that the API calls and that then dials on, carriers with sound, an app.
import type { CallInstance } from 'twilio/lib/rest/api/v2010/account/call.js';
import { expect } from 'vitest';
import { toneLevel } from '../../src/media/index.ts';
import { type Exchange, startExchange, type TestCarrier } from './exchange.ts';
import { nothingLeft } from './nothing-left.ts';
import { type ReceivedRequest, startWebhookApp, type WebhookApp } from './webhook-app.ts';

const CALLER = '+15550001000';
export const FROM = '+15550009999';
export const CALLER_HZ = 700;
export const CALLEE_HZ = 1200;

export class DialScene {
  readonly exchange: Exchange;
  readonly app: WebhookApp;
  /** What the app answers, by path; nothing is 204. */
  readonly twiml: Record<string, string>;
  /** The phone that the API calls, and that then dials on. */
  caller!: TestCarrier;
  #callerTrunk = '';

  private constructor(exchange: Exchange, app: WebhookApp, twiml: Record<string, string>) {
    this.exchange = exchange;
    this.app = app;
    this.twiml = twiml;
  }

  static async open(): Promise<DialScene> {
    const twiml: Record<string, string> = {};
    const [exchange, app] = await Promise.all([
      startExchange(),
      startWebhookApp(({ path }, response) => {
        const answer = twiml[path.split('?')[0] ?? ''];
        if (answer === undefined) response.writeHead(204).end();
        else response.writeHead(200, { 'content-type': 'text/xml' }).end(`<Response>${answer}</Response>`);
      }),
    ]);
    const scene = new DialScene(exchange, app, twiml);
    await scene.calledBy(await scene.carrier(CALLER_HZ));
    return scene;
  }

  /** @param hasFailed a test that has failed may have left calls up: what it says is enough. */
  async close(hasFailed: boolean): Promise<void> {
    try {
      if (!hasFailed) await nothingLeft(this.exchange);
    } finally {
      await this.exchange.stop();
      await this.app.close();
    }
  }

  /** Another phone is the one that the API calls. */
  async calledBy(caller: TestCarrier): Promise<void> {
    this.caller = caller;
    this.#callerTrunk = await this.exchange.trunkTo(caller.uri);
  }

  /** One that answers with a tone. */
  carrier(
    hz: number,
    treatment: object = {},
    options: Parameters<Exchange['carrier']>[0] = {},
  ): Promise<TestCarrier> {
    return this.exchange.carrier({
      ringMs: 20,
      treatment: { kind: 'answer', sends: 'tone', hz, ...treatment },
      ...options,
    });
  }

  /** A Number noun towards a carrier. */
  async number(to: TestCarrier, attributes = '', digits = '+15550002000'): Promise<string> {
    return `<Number byoc="${await this.exchange.trunkTo(to.uri)}" ${attributes}>${digits}</Number>`;
  }

  dial(nouns: string, attributes = ''): string {
    return `<Dial action="${this.app.url}/done" ${attributes}>${nouns}</Dial>`;
  }

  call(response: string): Promise<CallInstance> {
    return this.exchange.client.calls.create({
      to: CALLER,
      from: FROM,
      byoc: this.#callerTrunk,
      twiml: `<Response>${response}</Response>`,
    });
  }

  /** The parameters of the first request, past or future, for a path. */
  async told(path = '/done'): Promise<ReceivedRequest['parameters']> {
    return (await this.app.received((request) => request.path.startsWith(path))).parameters;
  }

  children(parentCallSid: string): Promise<CallInstance[]> {
    return this.exchange.client.calls.list({ parentCallSid });
  }

  async hangUp(sid: string): Promise<void> {
    await this.exchange.client.calls(sid).update({ status: 'completed' });
  }

  async notesOf(sid: string): Promise<string[]> {
    return (await this.exchange.trace(sid)).events.map(({ text }) => text);
  }
}

/** Resolves when a carrier hears a tone of `hz`. */
export const hears = (who: Pick<TestCarrier, 'heard'>, hz: number): Promise<void> =>
  expect.poll(async () => level(await who.heard(), hz), { timeout: 8000 }).toBeGreaterThan(0.1);

/** Resolves when a carrier has heard another second of whatever it hears. */
export async function hearsMore(who: Pick<TestCarrier, 'heard'>): Promise<void> {
  const soFar = (await who.heard()).length;
  await expect.poll(async () => (await who.heard()).length, { timeout: 8000 }).toBeGreaterThan(soFar + 8000);
}

/** Resolves when a carrier hears nothing of `hz` any more. */
export const isSilent = (who: TestCarrier, hz: number): Promise<void> =>
  expect.poll(async () => level(await who.heard(), hz), { timeout: 8000 }).toBeLessThan(0.01);

/** The highest level of a tone in any fifth of a second. */
export function loudest(heard: Int16Array, hz: number): number {
  const levels = Array.from({ length: Math.floor(heard.length / 1600) }, (_, at) =>
    toneLevel(heard.slice(at * 1600, (at + 1) * 1600), hz),
  );
  return Math.max(0, ...levels);
}

/** The level of a tone in the last quarter of a second. */
export const level = (heard: Int16Array, hz: number): number => toneLevel(heard.slice(-2000), hz);
