// Gathers the messages to another thread that one turn of the event loop brings: every post wakes that thread up, and a
// turn brings many datagrams where there is much to do.

export interface MessageBatchShell<T> {
  /** Sends several at once, in order. */
  post(messages: readonly T[]): void;
  /** This one cannot be sent: it holds what cannot be copied to another thread. */
  unsendable(message: T, reason: unknown): void;
}

export class MessageBatch<T> {
  readonly #shell: MessageBatchShell<T>;
  #waiting: T[] = [];

  constructor(shell: MessageBatchShell<T>) {
    this.#shell = shell;
  }

  /** Sent when all that has come in by now is dealt with: at once where that is nothing. */
  put(message: T): void {
    if (this.#waiting.push(message) > 1) return;
    setImmediate(() => this.flush());
  }

  /** Sends what waits. */
  flush(): void {
    const messages = this.#waiting;
    if (messages.length === 0) return;
    this.#waiting = [];
    try {
      this.#shell.post(messages);
    } catch (error) {
      if (messages.length === 1) this.#shell.unsendable(messages[0] as T, error);
      else for (const message of messages) this.#alone(message);
    }
  }

  #alone(message: T): void {
    try {
      this.#shell.post([message]);
    } catch (error) {
      this.#shell.unsendable(message, error);
    }
  }
}
