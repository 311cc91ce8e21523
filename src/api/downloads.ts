// What is being sent that is no JSON: it ends with the API, and where nobody reads it.
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '../lib/clock.ts';

/** How long a client may read nothing. */
const STALLED_MS = 60_000;

export class Downloads {
  readonly #clock: Clock;
  readonly #stalledMs: number;
  readonly #streams = new Set<Readable>();

  constructor(clock: Clock, stalledMs = STALLED_MS) {
    this.#clock = clock;
    this.#stalledMs = stalledMs;
  }

  add(stream: Readable, response: ServerResponse): void {
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    let timer: Timer | undefined;
    const watch = (before: number) => {
      timer = this.#clock.after(this.#stalledMs, () => {
        const now = response.socket?.bytesWritten ?? 0;
        if (now === before) response.destroy();
        else watch(now);
      });
    };
    response.once('close', () => this.#clock.cancel(timer));
    watch(response.socket?.bytesWritten ?? 0);
  }

  /** Cuts them off. */
  close(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}
