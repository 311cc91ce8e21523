// What a call leaves to read beside its record: the requests it made (Events) and what went wrong (Notifications).
// Everything is bounded in size, and secrets are masked here and nowhere else.
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { callEvent, callNotification, maskUserinfo, newRow } from '../resources/index.ts';
import type { Along } from '../store/index.ts';
import type { WebhookResponse, WebhookResult } from './webhook/request.ts';
import { decodeForm, encodeForm, type FormParameters } from './webhook/signature.ts';

/** A request to the user's web application. */
export interface LoggedRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Form-encoded, whether they went in the body or in the query. */
  readonly parameters: string;
}

/** A request and what became of it. */
export interface Exchange {
  readonly request: LoggedRequest;
  readonly result: WebhookResult;
  readonly durationMs: number;
}

/** Something that a call's owner should know, under Twilio's error code. */
export interface Notice {
  readonly code: number;
  readonly level: 'error' | 'warning';
  readonly text: string;
  /** The request it happened in, where there was one. */
  readonly request?: LoggedRequest;
  readonly response?: WebhookResponse;
}

/** Of each kind and call: a call that redirects for hours must not fill the disk. */
const MAX_ROWS = 200;
const MAX_TEXT = 1_000;
const MAX_BODY = 4_096;
const MASK = '****';
/** What callers type may be card numbers and PINs. */
const SECRET_PARAMETERS = new Set(['Digits', 'SpeechResult']);
const SECRET_HEADERS = new Set(['set-cookie', 'authorization', 'www-authenticate']);

export interface CallLogDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/** Makes the rows; the call's record writes them. */
export class CallLog {
  readonly #deps: CallLogDeps;
  readonly #call: { readonly accountSid: string; readonly callSid: string };
  #events = 0;
  #notices = 0;

  constructor(deps: CallLogDeps, call: { readonly accountSid: string; readonly callSid: string }) {
    this.#deps = deps;
    this.#call = call;
  }

  /** Undefined when the call has as many as one may have. */
  event({ request, result, durationMs }: Exchange): Along | undefined {
    if (++this.#events > MAX_ROWS) return undefined;
    const response = responseOf(result);
    const { clock, random } = this.#deps;
    const values = {
      ...this.#call,
      // Nobody sees it. In the order of time it goes to the end of its index, where a random one costs a page each.
      sid: `${callEvent.sid}${clock.now().toString(16).padStart(12, '0')}${random.hex(10)}`,
      request: JSON.stringify({
        method: request.method,
        url: maskUserinfo(request.url),
        parameters: Object.fromEntries(masked(decodeForm(cut(request.parameters, MAX_BODY)))),
      }),
      response: JSON.stringify({
        response_code: response?.status ?? null,
        request_duration: Math.round(durationMs),
        content_type: response?.headers['content-type'] ?? null,
        response_body: response && bodyText(response),
        date_created: new Date(clock.now()).toUTCString().replace('GMT', '+0000'),
        ...(result.kind === 'failure' && { error_code: result.code, error_message: result.message }),
      }),
    };
    return { definition: callEvent, row: newRow(callEvent, values, this.#deps) };
  }

  /** Undefined when the call has as many as one may have. */
  notice({ code, level, text, request, response }: Notice): Along | undefined {
    if (++this.#notices > MAX_ROWS) return undefined;
    const values = {
      ...this.#call,
      log: level === 'error' ? 0 : 1,
      errorCode: String(code),
      messageText: cut(text, MAX_TEXT),
      messageDate: this.#deps.clock.now(),
      requestMethod: request?.method ?? null,
      requestUrl: request?.url ?? null,
      requestVariables: request ? encodeForm(masked(decodeForm(cut(request.parameters, MAX_BODY)))) : null,
      responseHeaders: response ? cut(headerText(response), MAX_BODY) : null,
      responseBody: response ? bodyText(response) : null,
    };
    return { definition: callNotification, row: newRow(callNotification, values, this.#deps) };
  }
}

/** The response that a result rests on; undefined where none came. */
export function responseOf(result: WebhookResult): WebhookResponse | undefined {
  if (result.kind === 'failure') return result.response;
  const { status, contentType, body, headers = { 'content-type': contentType } } = result;
  return { status, headers, body };
}

/** The response as a row keeps it: headers as JSON, all of it bounded and masked. */
export function loggedResponse(result: WebhookResult): {
  readonly responseStatus: number | null;
  readonly responseHeaders: string | null;
  readonly responseBody: string | null;
} {
  const response = responseOf(result);
  if (!response) return { responseStatus: null, responseHeaders: null, responseBody: null };
  const headers = Object.entries(response.headers).map(([name, value]) => [
    name,
    SECRET_HEADERS.has(name) ? MASK : cut(String(value), MAX_TEXT),
  ]);
  return {
    responseStatus: response.status,
    responseHeaders: JSON.stringify(Object.fromEntries(headers)),
    responseBody: bodyText(response),
  };
}

const masked = (form: FormParameters): FormParameters =>
  form.map(([name, value]) => [name, SECRET_PARAMETERS.has(name) ? MASK : value]);

const headerText = ({ headers }: WebhookResponse): string =>
  encodeForm(
    Object.entries(headers).map(([name, value]) => [name, SECRET_HEADERS.has(name) ? MASK : String(value)]),
  );

/** TwiML may carry a SIP password. */
function bodyText({ body, headers }: WebhookResponse): string {
  if (body.length === 0) return '';
  if (/^(audio|video|image)\//i.test(String(headers['content-type']))) return `(${body.length} bytes)`;
  const text = body.toString('utf8', 0, MAX_BODY).replaceAll('\0', '');
  return text.replaceAll(/(password\s*=\s*)("[^"]*"?|'[^']*'?)/gi, `$1"${MASK}"`);
}

const cut = (text: string, max: number): string =>
  text.length > max ? `${text.slice(0, max - 1).toWellFormed()}…` : text;
