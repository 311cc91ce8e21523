// One attempt of a webhook request: its redirects and its login are followed, and its answer is read up to a bound.
import { type Dispatcher, request as send } from 'undici';
import type { WebhookRequest, WebhookResponse, WebhookResult } from './request.ts';
import type { SessionMemory, UrlCredentials } from './session.ts';
import { decodeForm, sign } from './signature.ts';
import { readWebhookUrl, requestedUrl } from './url.ts';

const MAX_REDIRECTS = 10;
/** A challenge, and one more where the nonce was too old. */
const MAX_LOGINS = 2;

/** How much of an answer is taken, and Twilio's code for more: undefined where the rest may be dropped. */
const BOUNDS = {
  document: { maxBytes: 64 * 1024, code: 11750 },
  audio: { maxBytes: 4 * 1024 * 1024, code: 11751 },
  acknowledgement: { maxBytes: 4096, code: undefined },
} as const;

/** What is asked of one server; a redirect makes another of it. */
export interface Hop {
  readonly url: URL;
  readonly credentials?: UrlCredentials;
  readonly method: 'GET' | 'POST';
  /** Goes into the body of a POST, the query of a GET. */
  readonly form: string;
}

export interface ExchangeParts {
  readonly request: WebhookRequest;
  readonly product: string;
  readonly dispatcher: Dispatcher;
  readonly readMs: number;
  readonly memory: SessionMemory;
  readonly signal: AbortSignal;
  /** Set when the first byte of an answer that counts has come. */
  readonly progress: { hasBegun: boolean };
}

/** @throws whatever the connection fails with. */
export async function sendHop(first: Hop, parts: ExchangeParts): Promise<WebhookResult> {
  let hop: Hop = first;
  for (let redirects = 0; ; redirects++) {
    const response = await loggedIn(hop, parts);
    const next = redirectOf(hop, response);
    if (!next) {
      parts.progress.hasBegun = true;
      return read(response, hop, parts.request.wanted ?? 'document');
    }
    await response.body.dump({ limit: BOUNDS.acknowledgement.maxBytes });
    if ('code' in next) return { kind: 'failure', ...next };
    if (redirects === MAX_REDIRECTS) {
      return { kind: 'failure', code: 11215, message: `more than ${MAX_REDIRECTS} redirects` };
    }
    hop = next;
  }
}

type Response = Dispatcher.ResponseData;

/** With the URL's credentials, once the server asks for them. */
async function loggedIn(hop: Hop, parts: ExchangeParts): Promise<Response> {
  const { memory } = parts;
  const placed = placedOf(hop);
  for (let logins = 0; ; logins++) {
    const response = await exchange(placed, parts);
    memory.keepCookies(placed.url, response.headers['set-cookie']);
    const { credentials } = placed;
    const isAsked = response.statusCode === 401 && credentials !== undefined && logins < MAX_LOGINS;
    if (!isAsked || !memory.challenged(placed.url, credentials, response.headers['www-authenticate'])) {
      return response;
    }
    await response.body.dump({ limit: BOUNDS.acknowledgement.maxBytes });
  }
}

/** The parameters of a GET go behind what its query says already. */
function placedOf(hop: Hop): Hop {
  if (hop.method === 'POST' || hop.form === '') return hop;
  const url = new URL(hop.url);
  url.search += `${url.search ? '&' : '?'}${hop.form}`;
  return { ...hop, url, form: '' };
}

function exchange({ url, credentials, method, form }: Hop, parts: ExchangeParts): Promise<Response> {
  const { request, memory, product, dispatcher, readMs, signal } = parts;
  const isPost = method === 'POST';
  const cookie = memory.cookieHeader(url);
  const authorization = memory.authorization(url, method, credentials);
  const signed = sign(request.authToken, requestedUrl(url), isPost ? decodeForm(form) : []);
  return send(url, {
    dispatcher,
    method,
    headers: {
      'user-agent': product,
      accept: '*/*',
      'x-twilio-signature': signed,
      'i-twilio-idempotency-token': asUuid(request.idempotencyToken),
      ...(isPost && { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' }),
      ...(cookie !== undefined && { cookie }),
      ...(authorization !== undefined && { authorization }),
    },
    body: isPost ? form : null,
    headersTimeout: readMs,
    bodyTimeout: readMs,
    signal,
  });
}

const asUuid = (token: string): string =>
  token.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/, '$1-$2-$3-$4-$5');

/** Where the response leads (RFC 9110 §15.4); undefined where it is the last. */
function redirectOf(
  { url, credentials, method, form }: Hop,
  { statusCode, headers }: Response,
): Hop | { readonly code: number; readonly message: string } | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode)) return undefined;
  const location = String(headers.location ?? '');
  const target = location === '' ? null : URL.parse(location, url.href);
  const next = target && readWebhookUrl(target.href);
  if (!next || 'code' in next) {
    return { code: 11216, message: `${url.origin} answered ${statusCode} and no address to go on to` };
  }
  const isSame = next.url.origin === url.origin;
  const keepsForm = statusCode > 303 && method === 'POST';
  const known = next.credentials ?? (isSame ? credentials : undefined);
  return {
    url: next.url,
    ...(known && { credentials: known }),
    // As browsers do, and Twilio does: only 307 and 308 repeat the form.
    method: keepsForm ? 'POST' : 'GET',
    form: keepsForm ? form : '',
  };
}

async function read(response: Response, { url }: Hop, wanted: keyof typeof BOUNDS): Promise<WebhookResult> {
  const { maxBytes, code } = BOUNDS[wanted];
  const { statusCode: status, headers } = response;
  const body = await readBounded(response.body, { maxBytes, cuts: code === undefined || status >= 300 });
  const fault = (faultCode: number, message: string): WebhookResult => ({
    kind: 'failure',
    code: faultCode,
    message,
    response: { status, headers, body: body ?? Buffer.alloc(0) } satisfies WebhookResponse,
  });
  if (status >= 300) return fault(11200, `${url.origin} answered ${status}`);
  if (body === undefined) return fault(code ?? 11200, `the answer is larger than ${maxBytes} bytes`);
  const isEmptyChunked = body.length === 0 && headers['transfer-encoding'] === 'chunked';
  if (isEmptyChunked && wanted !== 'acknowledgement') return fault(11770, 'the answer is chunked, and empty');
  return { kind: 'answer', status, contentType: String(headers['content-type'] ?? ''), body, headers };
}

/** Undefined for more than `maxBytes`, or the first of them where it `cuts`. */
async function readBounded(
  stream: AsyncIterable<Buffer>,
  { maxBytes, cuts }: { readonly maxBytes: number; readonly cuts: boolean },
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > maxBytes) return cuts ? Buffer.concat(chunks).subarray(0, maxBytes) : undefined;
  }
  return Buffer.concat(chunks);
}
