import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { type Log, silentLog } from '../../lib/log.ts';
import { laneOf, type OutboxRow } from '../../store/index.ts';
import type { WebhookRequest, WebhookResult } from '../webhook/request.ts';
import { CallbackSender } from './sender.ts';

const TAKEN: WebhookResult = { kind: 'answer', status: 204, contentType: '', body: Buffer.alloc(0) };
const FAILED: WebhookResult = { kind: 'failure', code: 11200, message: 'answered 500' };

const row = (id: string, callSid = 'CA1', url = 'http://app/'): OutboxRow => ({
  id,
  callSid,
  accountSid: 'AC1',
  sequence: 0,
  url,
  method: 'POST',
  parameters: `id=${id}`,
  attempts: 0,
});

interface Kept {
  row: OutboxRow;
  dueAt: number | null;
  isHeld: boolean;
  status: string;
}

/** Holds rows as the store's journal does. */
class FakeOutbox {
  readonly rows = new Map<string, Kept>();
  readonly said: string[] = [];
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  keep(each: OutboxRow, isHeld = true): OutboxRow {
    this.rows.set(each.id, { row: each, dueAt: this.#clock.now(), isHeld, status: 'queued' });
    return each;
  }

  async tried(
    id: string,
    patch: { attempts?: number; status?: string; nextAttemptAt?: number | null; node?: string | null },
  ): Promise<void> {
    this.said.push(`${id} ${patch.status} ${patch.attempts}`);
    const kept = this.rows.get(id);
    if (!kept) return;
    kept.row = { ...kept.row, attempts: patch.attempts ?? kept.row.attempts };
    kept.dueAt = patch.nextAttemptAt ?? null;
    kept.status = patch.status ?? kept.status;
    if (patch.node === null) kept.isHeld = false;
  }

  async release(id: string): Promise<void> {
    const kept = this.rows.get(id);
    if (kept) kept.isHeld = false;
  }

  #free(lane?: string): Kept[] {
    return [...this.rows.values()].filter(
      (kept) => !kept.isHeld && kept.dueAt !== null && (lane === undefined || laneOf(kept.row) === lane),
    );
  }

  async lanes(): Promise<readonly string[]> {
    return [...new Set(this.#free().map((kept) => laneOf(kept.row)))];
  }

  async claim(lane: string, limit: number): Promise<readonly OutboxRow[]> {
    const due = this.#free(lane).filter(({ dueAt }) => (dueAt ?? 0) <= this.#clock.now());
    return due.slice(0, limit).map((kept) => {
      kept.isHeld = true;
      return kept.row.attempts > 0 ? { ...kept.row, dueAt: kept.dueAt ?? 0 } : kept.row;
    });
  }

  async nextDueMs(lane: string): Promise<number | undefined> {
    const due = this.#free(lane).map(({ dueAt }) => (dueAt ?? 0) - this.#clock.now());
    return due.length > 0 ? Math.max(0, Math.min(...due)) : undefined;
  }
}

interface Sent {
  readonly request: WebhookRequest;
  readonly id: string;
  answer(result: WebhookResult): void;
}

/** A sender whose requests wait until the test answers them. */
function sender(retries = 2, log: Log = silentLog) {
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const outbox = new FakeOutbox(clock);
  const deps = {
    clock,
    log,
    retries,
    authToken: (sid: string) => (sid === 'AC1' ? 'token' : undefined),
    client: {
      send: (request: WebhookRequest) =>
        new Promise<WebhookResult>((answer) =>
          sent.push({ request, answer, id: request.parameters.slice(3) }),
        ),
    },
    outbox,
  };
  const callbacks = new CallbackSender(deps);
  const ids = () => sent.map(({ id }) => id);
  /** Answers all that were sent, and those that follow, until none follows. */
  const answerAll = async (result: WebhookResult, from = 0): Promise<number> => {
    let next = from;
    for (await turn(); next < sent.length; await turn())
      while (next < sent.length) sent[next++]?.answer(result);
    return next;
  };
  return { clock, sent, ids, outbox, callbacks, answerAll, again: () => new CallbackSender(deps) };
}

const turn = async () => {
  for (let count = 0; count < 3; count++) await new Promise((resolve) => setImmediate(resolve));
};

describe('the callback sender', () => {
  it('sends a call’s callbacks one after another, and other calls’ beside them', async () => {
    const { sent, ids, outbox, callbacks } = sender();
    callbacks.send(row('a'));
    callbacks.send(row('b'));
    callbacks.send(row('x', 'CA2'));
    await turn();
    expect(ids()).toEqual(['a', 'x']);
    sent[0]?.answer(TAKEN);
    await turn();
    expect(ids()).toEqual(['a', 'x', 'b']);
    expect(outbox.said).toEqual(['a delivered 1']);
    expect(sent[2]?.request).toMatchObject({ parameters: 'id=b', wanted: 'acknowledgement' });
  });

  it('lets the next one go after the first try failed, and tries again with the same token, ever later', async () => {
    const { clock, sent, ids, outbox, callbacks } = sender(2);
    callbacks.send(row('a'));
    callbacks.send(row('b'));
    await turn();
    sent[0]?.answer(FAILED);
    await turn();
    expect(ids()).toEqual(['a', 'b']);
    clock.advance(999);
    await turn();
    expect(sent).toHaveLength(2);
    clock.advance(1);
    await turn();
    expect(ids()).toEqual(['a', 'b', 'a']);
    expect(sent[2]?.request.idempotencyToken).toMatch(/^[0-9a-f]{32}$/);
    expect(sent[2]?.request.idempotencyToken).toBe(sent[0]?.request.idempotencyToken);
    expect(sent[1]?.request.idempotencyToken).not.toBe(sent[0]?.request.idempotencyToken);
    sent[2]?.answer(FAILED);
    await turn();
    clock.advance(2000);
    await turn();
    sent[3]?.answer(FAILED);
    await turn();
    clock.advance(1_000_000);
    expect(sent).toHaveLength(4);
    expect(outbox.said).toEqual(['a retrying 1', 'a retrying 2', 'a failed 3']);
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

  it('counts what was not taken, an answer of 500 like none', async () => {
    const { clock, sent, callbacks } = sender(1);
    const refused = { status: 500, headers: {}, body: Buffer.alloc(0) };
    for (const id of ['a', 'b']) callbacks.send(row(id));
    await turn();
    sent[0]?.answer({ ...FAILED, response: refused });
    await turn();
    sent[1]?.answer(TAKEN);
    await turn();
    expect(callbacks.failures).toBe(1);
    clock.advance(1000);
    await turn();
    sent[2]?.answer(FAILED);
    await turn();
    expect(callbacks.failures).toBe(2);
  });

  it('gives up what belongs to no account', async () => {
    const { sent, outbox, callbacks } = sender();
    callbacks.send({ ...row('a'), accountSid: 'AC2' });
    await turn();
    expect(sent).toEqual([]);
    expect(outbox.said).toEqual(['a failed 1']);
  });

  it('closes when nothing is under way, and leaves the rest to the next start', async () => {
    const { clock, sent, ids, outbox, callbacks } = sender();
    callbacks.send(row('a'));
    await turn();
    sent[0]?.answer(FAILED);
    await turn();
    expect(clock.pending).toBe(1);
    callbacks.send(row('b'));
    callbacks.send(row('c'));
    await turn();
    let closed = false;
    const closing = callbacks.close().then(() => (closed = true));
    await turn();
    expect(closed).toBe(false);
    sent[1]?.answer(TAKEN);
    await closing;
    expect([clock.pending, ids()]).toEqual([0, ['a', 'b']]);
    expect(outbox.said).toEqual(['a retrying 1', 'b delivered 1']);
  });

  it('takes up what nobody holds, retries when they are due', async () => {
    const { clock, ids, outbox, callbacks, answerAll } = sender();
    outbox.keep(row('a'), false);
    outbox.keep(row('b', 'CA2', 'http://other/'), false);
    await outbox.tried('b', { status: 'retrying', attempts: 1, nextAttemptAt: clock.now() + 700 });
    outbox.keep(row('c'), false);
    await callbacks.resume();
    await answerAll(TAKEN);
    expect(ids()).toEqual(['a', 'c']);
    clock.advance(700);
    await answerAll(TAKEN, 2);
    expect(ids()).toEqual(['a', 'c', 'b']);
    expect([clock.pending, callbacks.underWay]).toEqual([0, 0]);
  });

  it('sends nothing twice at a time', async () => {
    const { sent, callbacks } = sender();
    callbacks.send(row('a'));
    callbacks.send(row('a'));
    await turn();
    sent[0]?.answer(TAKEN);
    await turn();
    expect(sent).toHaveLength(1);
  });
});

describe('a host that hangs', () => {
  const WARNED: string[] = [];
  const log: Log = { ...silentLog, warn: (_fields, message) => void WARNED.push(message) };
  const COUNT = 3000;

  /** So many calls with two callbacks each. */
  function flood({ callbacks, outbox }: ReturnType<typeof sender>): WebhookResult[] {
    const told: WebhookResult[] = [];
    for (const event of ['0', '1'])
      for (let call = 0; call < COUNT / 2; call++)
        callbacks.send(outbox.keep(row(`${call}-${event}`, `CA${call}`)), (result) => told.push(result));
    return told;
  }

  it('keeps no other host waiting, nor another account’s callbacks to it', async () => {
    const parts = sender(2, log);
    const told = flood(parts);
    await turn();
    expect(parts.sent).toHaveLength(16);
    parts.callbacks.send(row('x', 'CAx', 'http://elsewhere/'));
    await turn();
    expect(parts.ids().at(-1)).toBe('x');
    expect(told).toHaveLength(COUNT - 1000);
    expect(told[0]).toMatchObject({ kind: 'failure', message: expect.stringContaining('too many') });
    expect(parts.callbacks.deferred).toBe(COUNT - 1000);
    expect(WARNED).toHaveLength(1);
  });

  it('gets everything once it answers, each call’s in order, and nothing is held then', async () => {
    const parts = sender(2);
    const { outbox, sent, ids, clock, callbacks, answerAll } = parts;
    flood(parts);
    await answerAll(TAKEN);
    expect(sent).toHaveLength(COUNT);
    for (let call = 0; call < COUNT / 2; call++)
      expect(ids().indexOf(`${call}-0`)).toBeLessThan(ids().indexOf(`${call}-1`));
    expect([...outbox.rows.values()].every(({ status }) => status === 'delivered')).toBe(true);
    expect([clock.pending, callbacks.underWay]).toEqual([0, 0]);
  });

  it('gets no event of a call before those of it that wait in the outbox', async () => {
    const { outbox, sent, ids, callbacks, answerAll } = sender(2);
    for (let index = 0; index < 1000; index++) callbacks.send(outbox.keep(row(`${index}`, `CA${index}`)));
    callbacks.send(outbox.keep(row('first', 'CAx')));
    await turn();
    for (const { answer } of sent.slice()) answer(TAKEN);
    await turn();
    callbacks.send(outbox.keep(row('second', 'CAx')));
    await answerAll(TAKEN, 16);
    expect(ids()).toHaveLength(1002);
    expect(ids().slice(-2)).toEqual(['first', 'second']);
  });

  it('gets everything again where it answered nothing, with few of them in memory', async () => {
    const parts = sender(3);
    const { outbox, clock, callbacks, answerAll } = parts;
    flood(parts);
    let next = await answerAll(FAILED);
    expect(clock.pending).toBeLessThan(1000);
    for (let second = 0; second < 60; second++) {
      clock.advance(1000);
      next = await answerAll(second < 2 ? FAILED : TAKEN, next);
    }
    const left = [...outbox.rows.values()].filter(({ status }) => status !== 'delivered');
    expect(left.map(({ row: { id }, status }) => `${id} ${status}`)).toEqual([]);
    expect([clock.pending, callbacks.underWay]).toEqual([0, 0]);
  });
});
