// What a route is to those who write one: no HTTP server in sight.
import type { Readable } from 'node:stream';
import type { account, Form, Row } from '../resources/index.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

export interface ApiRequest {
  /** The account that is acted on. */
  readonly account: Row<typeof account>;
  /** Who acts: the SID of that account, of the account above it, or of an API key. */
  readonly actorSid: string;
  /** Decoded parts of the path, by name. */
  readonly params: { readonly [name: string]: string };
  /** As it was asked for, without the query. */
  readonly path: string;
  readonly query: Form;
  readonly form: Form;
  /** The Range header, as it came. */
  readonly range?: string;
  /** `https://tandem.example`, no slash at the end. */
  readonly baseUrl: string;
  /** Calls back when the connection closes, which before the answer means that nobody waits for it any more. */
  onClosed(closed: () => void): void;
}

export interface Answer {
  readonly status: number;
  readonly body?: JsonObject;
  /** In place of a body, what is not JSON. */
  readonly content?: Content;
}

export interface Content {
  readonly type: string;
  readonly headers: { readonly [name: string]: string | number };
  readonly stream: Readable;
}

export type Handler = (request: ApiRequest) => Promise<Answer>;

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `:Name` parts, and without `.json`. */
  readonly path: string;
  /** Answers the path where it has no `.json`: another content of the same thing. */
  readonly isBare?: boolean;
  /** Lets in whoever names an account and says nothing of who asks. */
  readonly isOpen?: boolean;
  readonly answer: Handler;
}
