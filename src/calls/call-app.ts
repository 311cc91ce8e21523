// A call's side of the web application: its requests, which become Events, and what went wrong in them.
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { type Exchange, type Notice, responseOf } from './call-log.ts';
import type { CallRecord } from './call-record.ts';
import { voiceParameters } from './callback/status-callback.ts';
import type { WebhookTarget } from './order.ts';
import type { WebhookClient, WebhookSession } from './webhook/client.ts';
import type { WebhookResult } from './webhook/request.ts';
import { encodeForm, type FormParameters } from './webhook/signature.ts';

export interface CallAppDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly webhooks: WebhookClient;
  authToken(accountSid: string): string | undefined;
}

export class CallApp {
  readonly #deps: CallAppDeps;
  readonly #record: CallRecord;
  /** Cookies and logins last as long as the call. */
  readonly #session: WebhookSession;
  readonly #parameters: () => FormParameters;
  /** The request that brought the TwiML that runs; undefined where it came with the call. */
  #document: Exchange | undefined;

  /** @param parameters what every request carries beside the usual */
  constructor(deps: CallAppDeps, record: CallRecord, parameters: () => FormParameters = () => []) {
    this.#deps = deps;
    this.#record = record;
    this.#session = deps.webhooks.session();
    this.#parameters = parameters;
  }

  async fetch(target: WebhookTarget, extra: Readonly<Record<string, string>>): Promise<WebhookResult> {
    const parameters = encodeForm([
      ...voiceParameters(this.#record.row),
      ...this.#parameters(),
      ...Object.entries(extra),
    ]);
    this.#document = await this.#ask(target, { parameters });
    return this.#document.result;
  }

  async download(url: string): Promise<WebhookResult> {
    const { result } = await this.#ask({ url, method: 'GET' }, { parameters: '', wanted: 'audio' });
    return result;
  }

  /** A Notification, with the request that the running TwiML came from. */
  notify(notice: Pick<Notice, 'code' | 'level' | 'text'>): void {
    if (!this.#document) return this.#record.notify(notice);
    const { request, result } = this.#document;
    const response = responseOf(result);
    this.#record.notify({ ...notice, request, ...(response && { response }) });
  }

  /** TwiML that came without a request runs now. */
  forget(): void {
    this.#document = undefined;
  }

  async #ask(
    target: WebhookTarget,
    content: { readonly parameters: string; readonly wanted?: 'audio' },
  ): Promise<Exchange> {
    const { random, clock, authToken } = this.#deps;
    const startedMs = clock.monotonic();
    const result = await this.#session.send({
      ...target,
      ...content,
      authToken: authToken(this.#record.row.accountSid) ?? '',
      idempotencyToken: random.hex(16),
    });
    const request = { ...target, parameters: content.parameters };
    const exchange = { request, result, durationMs: clock.monotonic() - startedMs };
    this.#record.exchanged(exchange);
    return exchange;
  }
}

/** What an update leaves unsaid stays as it is. */
export function changedTarget(
  before: WebhookTarget | undefined,
  { url = before?.url, method = before?.method ?? 'POST' }: Partial<WebhookTarget>,
): WebhookTarget | undefined {
  return url === undefined ? undefined : { url, method };
}
