// One request and its answer, read up to a bound. Straight from the connection: a stream for each answer, most of them
// empty, costs more than all the rest of a request.
import type { Dispatcher } from 'undici';

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The first of it where it is cut. */
  readonly body: Buffer;
  readonly isCut: boolean;
}

export interface AskOptions {
  readonly dispatcher: Dispatcher;
  /** Ends it, whatever it waits for. */
  readonly signal: AbortSignal;
  /** Bytes that are taken of a body; called when the header has come. */
  maxBytes(status: number, headers: Answer['headers']): number;
}

/**
 * The app has closed a connection that it had answered over before, and not a byte of this answer came: it closes what
 * is idle, and the request was on its way.
 */
export class ClosedIdle extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/** What a closed connection is reported as: undici's own, and the system's. */
const CLOSED: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** What a request goes over, as it is told of and asked. */
export interface Carriage {
  /** Answers have come over it, to earlier requests. */
  readonly hasAnswered: boolean;
  /** Another one has. */
  answered(): void;
}

/** @throws {ClosedIdle}, whatever else the connection fails with, or the signal's reason. */
export function ask(
  request: Dispatcher.DispatchOptions,
  { dispatcher, signal, maxBytes }: AskOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const reader = new AnswerReader(maxBytes, (outcome) => {
      signal.removeEventListener('abort', giveUp);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    });
    const giveUp = (): void => reader.giveUp(signal.reason as Error);
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    else dispatcher.dispatch(request, reader);
  });
}

export class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #maxBytesOf: AskOptions['maxBytes'];
  readonly #settle: (outcome: Answer | Error) => void;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #givenUp: Error | undefined;
  #head: Pick<Answer, 'status' | 'headers'> = { status: 0, headers: {} };
  #maxBytes = 0;
  #bytes = 0;
  #isSettled = false;
  #carriage: Carriage | undefined;
  #wasUsed = false;
  #hasBegun = false;

  constructor(maxBytesOf: AskOptions['maxBytes'], settle: (outcome: Answer | Error) => void) {
    this.#maxBytesOf = maxBytesOf;
    this.#settle = settle;
  }

  giveUp(reason: Error): void {
    this.#givenUp = reason;
    this.#end(reason);
    this.#controller?.abort(reason);
  }

  /** Before it is sent. */
  goesOver(carriage: Carriage): void {
    this.#carriage = carriage;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#wasUsed = this.#carriage?.hasAnswered ?? false;
    if (this.#givenUp) controller.abort(this.#givenUp);
  }

  /** Its first byte has come. */
  onResponseStarted(): void {
    this.#hasBegun = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Answer['headers'],
  ): void {
    if (status < 200) return;
    this.#head = { status, headers };
    this.#maxBytes = this.#maxBytesOf(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isSettled) return;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    if (this.#bytes <= this.#maxBytes) return;
    this.#end(this.#answer(true));
    controller.abort(new Error('the answer is too long'));
  }

  onResponseEnd(): void {
    this.#carriage?.answered();
    this.#end(this.#answer(false));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const isClosed = CLOSED.has((error as NodeJS.ErrnoException).code);
    this.#end(isClosed && this.#wasUsed && !this.#hasBegun ? new ClosedIdle(error) : error);
  }

  #answer(isCut: boolean): Answer {
    const body = Buffer.concat(this.#chunks);
    return { ...this.#head, isCut, body: isCut ? body.subarray(0, this.#maxBytes) : body };
  }

  #end(outcome: Answer | Error): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#settle(outcome);
  }
}
