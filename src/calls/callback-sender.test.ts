import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { silentLog } from '../lib/log.ts';
import type { OutboxRow } from '../store/index.ts';
import { CallbackSender } from './callback-sender.ts';
import type { WebhookRequest, WebhookResult } from './webhook-client.ts';

const TAKEN: WebhookResult = { kind: 'answer', status: 204, contentType: '', body: Buffer.alloc(0) };
const FAILED: WebhookResult = { kind: 'failure', code: 11200, message: 'answered 500' };

const row = (id: string, callSid = 'CA1'): OutboxRow => ({
  id,
  callSid,
  accountSid: 'AC1',
  sequence: 0,
  url: 'http://app/',
  method: 'POST',
  parameters: 'CallSid=CA1&CallStatus=ringing',
  attempts: 0,
});

/** A sender whose requests wait until the test answers them. */
function sender(retries = 2) {
  const clock = new FakeClock();
  const sent: { request: WebhookRequest; answer: (result: WebhookResult) => void }[] = [];
  const outbox: string[] = [];
  const callbacks = new CallbackSender({
    clock,
    log: silentLog,
    retries,
    authToken: (sid) => (sid === 'AC1' ? 'token' : undefined),
    client: {
      send: (request) => new Promise((answer) => sent.push({ request, answer })),
      close: async () => {},
    },
    outbox: {
      settle: async (id) => void outbox.push(`settled ${id}`),
      retried: async (id, attempts) => void outbox.push(`${id} tried ${attempts}`),
    },
  });
  return { clock, sent, outbox, callbacks };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the callback sender', () => {
  it('sends a call’s callbacks one after another, and other calls’ beside them', async () => {
    const { sent, outbox, callbacks } = sender();
    callbacks.send(row('a'));
    callbacks.send(row('b'));
    callbacks.send(row('x', 'CA2'));
    await turn();
    expect(sent.map(({ request }) => request.idempotencyToken)).toEqual(['a', 'x']);
    sent[0]?.answer(TAKEN);
    await turn();
    expect(sent.map(({ request }) => request.idempotencyToken)).toEqual(['a', 'x', 'b']);
    expect(outbox).toEqual(['settled a']);
    expect(sent[2]?.request.parameters).toBe('CallSid=CA1&CallStatus=ringing');
  });

  it('lets the next one go after the first try failed, and tries again with the same token, ever later', async () => {
    const { clock, sent, outbox, callbacks } = sender(2);
    callbacks.send(row('a'));
    callbacks.send(row('b'));
    await turn();
    sent[0]?.answer(FAILED);
    await turn();
    expect(sent.map(({ request }) => request.idempotencyToken)).toEqual(['a', 'b']);
    clock.advance(999);
    expect(sent).toHaveLength(2);
    clock.advance(1);
    await turn();
    expect(sent[2]?.request.idempotencyToken).toBe('a');
    sent[2]?.answer(FAILED);
    await turn();
    clock.advance(2000);
    await turn();
    sent[3]?.answer(FAILED);
    await turn();
    clock.advance(1_000_000);
    expect(sent).toHaveLength(4);
    expect(outbox).toEqual(['a tried 1', 'a tried 2', 'settled a']);
  });

  it('tells how the first try went', async () => {
    const { sent, callbacks } = sender(0);
    const told: WebhookResult[] = [];
    callbacks.send(row('a'), (result) => told.push(result));
    await turn();
    sent[0]?.answer(FAILED);
    await turn();
    expect(told).toEqual([FAILED]);
  });

  it('gives up what belongs to no account', async () => {
    const { sent, outbox, callbacks } = sender();
    callbacks.send({ ...row('a'), accountSid: 'AC2' });
    await turn();
    expect(sent).toEqual([]);
    expect(outbox).toEqual(['settled a']);
  });

  it('closes when nothing is under way, and leaves retries to the next start', async () => {
    const { clock, sent, callbacks } = sender();
    callbacks.send(row('a'));
    await turn();
    sent[0]?.answer(FAILED);
    await turn();
    expect(clock.pending).toBe(1);
    callbacks.send(row('b'));
    await turn();
    let closed = false;
    const closing = callbacks.close().then(() => (closed = true));
    await turn();
    expect(closed).toBe(false);
    sent[1]?.answer(TAKEN);
    await closing;
    expect(clock.pending).toBe(0);
  });
});
