// Sends what waits in the outbox: each call's callbacks in order, again with backoff where the app did not take one.
import type { Clock, Timer } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { OutboxRow } from '../store/index.ts';
import { withoutSecrets } from './url-display.ts';
import type { WebhookClient, WebhookResult } from './webhook-client.ts';

/** Wait before the first retry; each further one waits twice as long, up to the longest. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;

export interface CallbackSenderDeps {
  readonly client: WebhookClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Tries after the first one; 0 is Twilio's behaviour. */
  readonly retries: number;
  /** The token that signs for an account; undefined where the account is gone. */
  authToken(accountSid: string): string | undefined;
  readonly outbox: {
    settle(id: string): Promise<void>;
    retried(id: string, attempts: number): Promise<void>;
  };
}

export class CallbackSender {
  readonly #deps: CallbackSenderDeps;
  /** The last first try under way of each call: the next callback of the call waits for it. */
  readonly #lastOfCall = new Map<string, Promise<void>>();
  readonly #retryTimers = new Set<Timer>();
  #underWay = 0;
  #onIdle: (() => void) | undefined;
  #closed = false;

  constructor(deps: CallbackSenderDeps) {
    this.#deps = deps;
  }

  /** Callbacks whose first try, or retry, is under way or queued; those that wait for a retry do not count. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Takes a callback that is durable in the outbox. `tell` hears how the first try went. */
  send(row: OutboxRow, tell: (result: WebhookResult) => void = () => {}): void {
    const earlier = this.#lastOfCall.get(row.callSid) ?? Promise.resolve();
    const turn = earlier.then(() => this.#try(row, tell));
    this.#lastOfCall.set(row.callSid, turn);
    void turn.then(() => {
      if (this.#lastOfCall.get(row.callSid) === turn) this.#lastOfCall.delete(row.callSid);
    });
  }

  /** Resolves when nothing is under way; what waits for a retry stays in the outbox for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#retryTimers) this.#deps.clock.cancel(timer);
    this.#retryTimers.clear();
    await Promise.all(this.#lastOfCall.values());
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  async #try(row: OutboxRow, tell: (result: WebhookResult) => void): Promise<void> {
    const authToken = this.#deps.authToken(row.accountSid);
    if (authToken === undefined) {
      tell({ kind: 'failure', code: 10001, message: 'the account is gone' });
      return this.#settle(row);
    }
    this.#underWay += 1;
    const result = await this.#deps.client.send({
      url: row.url,
      method: row.method,
      parameters: row.parameters,
      authToken,
      idempotencyToken: row.id,
    });
    tell(result);
    await (result.kind === 'answer' ? this.#settle(row) : this.#failed(row, result.code, result.message));
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onIdle?.();
  }

  async #failed(row: OutboxRow, code: number, message: string): Promise<void> {
    const attempts = row.attempts + 1;
    const givenUp = attempts > this.#deps.retries;
    this.#deps.log.warn(
      { call_sid: row.callSid, url: withoutSecrets(row.url), code, attempts, given_up: givenUp },
      `status callback not taken: ${message}`,
    );
    if (givenUp) return this.#settle(row);
    await this.#deps.outbox.retried(row.id, attempts).catch((error) => this.#lost(row, error));
    if (this.#closed) return;
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** row.attempts, LONGEST_RETRY_MS);
    const timer = this.#deps.clock.after(delayMs, () => {
      this.#retryTimers.delete(timer);
      void this.#try({ ...row, attempts }, () => {});
    });
    this.#retryTimers.add(timer);
  }

  async #settle(row: OutboxRow): Promise<void> {
    await this.#deps.outbox.settle(row.id).catch((error) => this.#lost(row, error));
  }

  /** The store did not take the note: the callback may be sent again after a restart, which at-least-once allows. */
  #lost(row: OutboxRow, error: unknown): void {
    this.#deps.log.error({ call_sid: row.callSid, err: String(error) }, 'the outbox could not be written');
  }
}
