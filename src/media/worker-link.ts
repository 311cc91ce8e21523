// The engine's end of one media worker: messages out, a turn's in one; answers matched, an end told once.
import type { Worker } from 'node:worker_threads';
import { MediaError } from './engine.ts';
import { MessageBatch } from './message-batch.ts';
import type { Answers, FromMediaWorker, ToMediaWorker } from './worker-messages.ts';

export interface WorkerLinkHandlers {
  finished(session: number, play: number): void;
  digit(session: number, digit: string): void;
  lost(session: number): void;
  /** A message to which no answer is awaited could not be sent. */
  unsent(reason: Error): void;
  /** The worker ended, by `close` or by itself; every question open has been rejected. */
  gone(reason: Error): void;
}

interface Asked {
  resolve(value: Answers[keyof Answers]): void;
  reject(reason: Error): void;
}

type Unnumbered<T> = T extends { readonly ask: number } ? Omit<T, 'ask'> : never;
/** A message that is answered, without its number. */
type Question = Unnumbered<ToMediaWorker>;

export class WorkerLink {
  readonly #worker: Worker;
  readonly #handlers: WorkerLinkHandlers;
  readonly #batch: MessageBatch<ToMediaWorker>;
  readonly #asked = new Map<number, Asked>();
  readonly #started = Promise.withResolvers<void>();
  #nextAsk = 0;
  #ran = false;
  #gone: MediaError | undefined;

  constructor(worker: Worker, handlers: WorkerLinkHandlers) {
    this.#worker = worker;
    this.#handlers = handlers;
    this.#started.promise.catch(() => {});
    this.#batch = new MessageBatch({
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      post: (messages) => worker.postMessage(messages),
      unsendable: (message, reason) => this.#unsendable(message, reason),
    });
    worker.on('message', (messages: readonly FromMediaWorker[]) => {
      for (const message of messages) this.#receive(message);
    });
    worker.on('error', (error) => this.#end(`the media worker failed: ${String(error)}`));
    worker.on('exit', (code) => this.#end(`the media worker ended with code ${code}`));
  }

  /** Rejects with MediaError `engine-failed` when the worker ends before it was ready. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Whether it ever was ready. */
  get ran(): boolean {
    return this.#ran;
  }

  /** Leaves with whatever else this turn of the event loop brings, in order. */
  tell(message: ToMediaWorker): void {
    this.#batch.put(message);
  }

  /** Rejects with MediaError `engine-failed` when the worker ends first, or the question cannot be sent. */
  ask<Q extends Question>(question: Q): Promise<Answers[Q['type']]> {
    if (this.#gone) return Promise.reject(this.#gone);
    const ask = this.#nextAsk++;
    return new Promise((resolve, reject) => {
      this.#asked.set(ask, { resolve: resolve as Asked['resolve'], reject });
      this.tell({ ...question, ask } as ToMediaWorker);
    });
  }

  async close(): Promise<void> {
    this.#batch.flush();
    await this.#worker.terminate();
  }

  #unsendable(message: ToMediaWorker, reason: unknown): void {
    const error = new MediaError('engine-failed', `${message.type} cannot be sent: ${String(reason)}`);
    if (!('ask' in message)) return this.#handlers.unsent(error);
    this.#asked.get(message.ask)?.reject(error);
    this.#asked.delete(message.ask);
  }

  #receive(message: FromMediaWorker): void {
    if (message.type === 'ready') {
      this.#ran = true;
      this.#started.resolve();
    } else if (message.type === 'finished') this.#handlers.finished(message.session, message.number);
    else if (message.type === 'digit') this.#handlers.digit(message.session, message.digit);
    else if (message.type === 'lost') this.#handlers.lost(message.session);
    else {
      this.#asked.get(message.ask)?.resolve(message.value);
      this.#asked.delete(message.ask);
    }
  }

  #end(reason: string): void {
    if (this.#gone) return;
    this.#gone = new MediaError('engine-failed', reason);
    this.#started.reject(this.#gone);
    for (const { reject } of this.#asked.values()) reject(this.#gone);
    this.#asked.clear();
    this.#handlers.gone(this.#gone);
  }
}
