import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WorkerLink } from './worker-link.ts';

/** Answers every question with the types of all messages that came along with it. */
const ECHO = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', (messages) => {
  const value = messages.map(({ type }) => type).join();
  parentPort.postMessage(messages.filter(({ ask }) => ask !== undefined).map(({ ask }) => ({ type: 'answer', ask, value })));
});`;

function start() {
  const worker = new Worker(ECHO, { eval: true });
  const unsent: string[] = [];
  const gone: string[] = [];
  const link = new WorkerLink(worker, {
    finished() {},
    digit() {},
    lost() {},
    unsent: ({ message }) => unsent.push(message),
    gone: ({ message }) => gone.push(message),
  });
  onTestFinished(() => link.close());
  return { worker, link, unsent, gone };
}

const echo = { type: 'echo', session: 1 } as const;
const uncopiable = { dtmfPayloadType: () => {} } as never;

describe('a link to a worker', () => {
  it('sends what one turn brings as one message, in order, and the next turn’s as another', async () => {
    const { link } = start();
    link.tell(echo);
    const first = link.ask({ type: 'counts' });
    const after = Promise.resolve().then(() => link.ask({ type: 'captured', session: 1 }));
    link.tell({ type: 'close', session: 1 });
    const together = 'echo,counts,close,captured';
    expect(await Promise.all([first, after])).toEqual([together, together]);
    expect(await link.ask({ type: 'counts' })).toBe('counts');
  });

  it('says what cannot be sent to whoever asked, and sends the rest', async () => {
    const { link, unsent } = start();
    link.tell({ type: 'connect', session: 1, peer: uncopiable });
    const before = link.ask({ type: 'counts' });
    const bad = link.ask({ type: 'record', session: 1, recording: 1, options: uncopiable });
    const after = link.ask({ type: 'statistics', session: 1 });
    await expect(bad).rejects.toMatchObject({ name: 'MediaError', code: 'engine-failed' });
    expect(await Promise.all([before, after])).toEqual(['counts', 'statistics']);
    expect(unsent).toEqual([expect.stringContaining('connect cannot be sent')]);
  });

  it('rejects what waits when the worker dies, and closes all the same', async () => {
    const { worker, link, gone } = start();
    const waiting = link.ask({ type: 'counts' });
    const ended = worker.terminate();
    const failed = { code: 'engine-failed' };
    await expect(waiting).rejects.toMatchObject(failed);
    await ended;
    link.tell(echo);
    await expect(link.ask({ type: 'counts' })).rejects.toMatchObject(failed);
    await link.close();
    expect(gone).toHaveLength(1);
  });

  it('sends what waits before it closes', async () => {
    const { worker, link } = start();
    const calls: string[] = [];
    worker.postMessage = () => void calls.push('sent');
    worker.terminate = () => Promise.resolve(calls.push('ended'));
    link.tell(echo);
    await link.close();
    expect(calls).toEqual(['sent', 'ended']);
    await Worker.prototype.terminate.call(worker);
  });
});
