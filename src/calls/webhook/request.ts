// What is asked of an app, and what came of it.
import type { WebhookTarget } from '../order.ts';

export interface WebhookRequest extends WebhookTarget {
  /** Form-encoded. */
  readonly parameters: string;
  /** The account's auth token, which signs. */
  readonly authToken: string;
  /** The same for every attempt of one logical request; 32 hex digits are sent as a UUID. */
  readonly idempotencyToken: string;
  /**
   * What is asked for, which bounds the answer: 64 KiB for a document, 4 MiB for audio, also in a document's place; of the answer to a callback
   * 4 KiB are kept and the rest is nobody's concern. Default `document`.
   */
  readonly wanted?: 'document' | 'audio' | 'acknowledgement';
}

/** What came back, whether it is of use or not. Header names are in lower case. */
export interface WebhookResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Empty where it was larger than what is taken. */
  readonly body: Buffer;
}

/** `status` is below 300 for an `answer`; everything else is a `failure` with Twilio's code. */
export type WebhookResult =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly contentType: string;
      readonly body: Buffer;
      readonly headers?: WebhookResponse['headers'];
    }
  | {
      readonly kind: 'failure';
      readonly code: number;
      readonly message: string;
      /** Where there was one. */
      readonly response?: WebhookResponse;
    };

export type WebhookAnswer = Extract<WebhookResult, { readonly kind: 'answer' }>;
