// One attempt of a webhook request: its redirects and its login are followed, and its answer is read up to a bound.
import type { Dispatcher } from 'undici';
import { type Answer, ask, ClosedIdle } from './answer.ts';
import type { WebhookRequest, WebhookResponse, WebhookResult } from './request.ts';
import type { SessionMemory, UrlCredentials } from './session.ts';
import { decodeForm, sign } from './signature.ts';
import { readWebhookUrl, requestedUrl } from './url.ts';

const MAX_REDIRECTS = 10;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** A challenge, and one more where the nonce was too old. */
const MAX_LOGINS = 2;

/** How much of an answer is taken, and Twilio's code for more: undefined where the rest may be dropped. */
const BOUNDS = {
  document: { maxBytes: 64 * 1024, code: 11750 },
  audio: { maxBytes: 4 * 1024 * 1024, code: 11751 },
  acknowledgement: { maxBytes: 4096, code: undefined },
} as const;

/** Sound may come where a document was wanted: it is played. */
const boundOf = (wanted: keyof typeof BOUNDS, headers: Answer['headers']) =>
  BOUNDS[wanted === 'document' && /^audio\//i.test(String(headers['content-type'])) ? 'audio' : wanted];

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
  /** Over connections that are kept for the next request, or over one that nobody has used. */
  readonly dispatcher: (kept: boolean) => Dispatcher;
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
    const answer = await loggedIn(hop, parts);
    const next = redirectOf(hop, answer);
    if (!next) return resultOf(answer, hop, parts.request.wanted ?? 'document');
    if ('code' in next) return { kind: 'failure', ...next };
    if (redirects === MAX_REDIRECTS) {
      return { kind: 'failure', code: 11215, message: `more than ${MAX_REDIRECTS} redirects` };
    }
    hop = next;
  }
}

/** With the URL's credentials, once the server asks for them. */
async function loggedIn(hop: Hop, parts: ExchangeParts): Promise<Answer> {
  const { memory } = parts;
  const placed = placedOf(hop);
  for (let logins = 0; ; logins++) {
    const answer = await exchange(placed, parts);
    memory.keepCookies(placed.url, answer.headers['set-cookie']);
    const { credentials } = placed;
    const isAsked = answer.status === 401 && credentials !== undefined && logins < MAX_LOGINS;
    if (!isAsked || !memory.challenged(placed.url, credentials, answer.headers['www-authenticate'])) {
      return answer;
    }
  }
}

/** The parameters of a GET go behind what its query says already. */
function placedOf(hop: Hop): Hop {
  if (hop.method === 'POST' || hop.form === '') return hop;
  const url = new URL(hop.url);
  url.search += `${url.search ? '&' : '?'}${hop.form}`;
  return { ...hop, url, form: '' };
}

/** Once more over a new connection, where the app closed the old one under it: to the app, that was no try. */
async function exchange(hop: Hop, parts: ExchangeParts): Promise<Answer> {
  try {
    return await exchangeOver(parts.dispatcher(true), hop, parts);
  } catch (error) {
    if (!(error instanceof ClosedIdle)) throw error;
    return exchangeOver(parts.dispatcher(false), hop, parts);
  }
}

function exchangeOver(
  dispatcher: Dispatcher,
  { url, credentials, method, form }: Hop,
  parts: ExchangeParts,
): Promise<Answer> {
  const { request, memory, product, readMs } = parts;
  const isPost = method === 'POST';
  const cookie = memory.cookieHeader(url);
  const authorization = memory.authorization(url, method, credentials);
  const signed = sign(request.authToken, requestedUrl(url), isPost ? decodeForm(form) : []);
  const headers = {
    'user-agent': product,
    accept: '*/*',
    'x-twilio-signature': signed,
    'i-twilio-idempotency-token': asUuid(request.idempotencyToken),
    ...(isPost && { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' }),
    ...(cookie !== undefined && { cookie }),
    ...(authorization !== undefined && { authorization }),
  };
  const timeouts = { headersTimeout: readMs, bodyTimeout: readMs };
  const path = url.pathname + url.search;
  return ask(
    { origin: url.origin, path, method, headers, body: isPost ? form : null, ...timeouts },
    { dispatcher, ...boundsOf(parts) },
  );
}

/** Of what leads elsewhere nothing is wanted. */
function boundsOf({ request, signal, progress }: ExchangeParts) {
  const { wanted = 'document' } = request;
  const maxBytes = (status: number, headers: Answer['headers']): number => {
    if (REDIRECTS.includes(status)) return BOUNDS.acknowledgement.maxBytes;
    // After a challenge comes another request.
    if (status !== 401) progress.hasBegun = true;
    return boundOf(wanted, headers).maxBytes;
  };
  return { signal, maxBytes };
}

const asUuid = (token: string): string =>
  /^[0-9a-f]{32}$/.test(token) ? token.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : token;

/** Where the response leads (RFC 9110 §15.4); undefined where it is the last. */
function redirectOf(
  { url, credentials, method, form }: Hop,
  { status, headers }: Answer,
): Hop | { readonly code: number; readonly message: string } | undefined {
  if (!REDIRECTS.includes(status)) return undefined;
  const location = String(headers.location ?? '');
  const target = location === '' ? null : URL.parse(location, url.href);
  const next = target && readWebhookUrl(target.href);
  if (!next || 'code' in next) {
    return { code: 11216, message: `${url.origin} answered ${status} and no address to go on to` };
  }
  const isSame = next.url.origin === url.origin;
  const keepsForm = status > 303 && method === 'POST';
  const known = next.credentials ?? (isSame ? credentials : undefined);
  return {
    url: next.url,
    ...(known && { credentials: known }),
    // As browsers do, and Twilio does: only 307 and 308 repeat the form.
    method: keepsForm ? 'POST' : 'GET',
    form: keepsForm ? form : '',
  };
}

function resultOf(
  { status, headers, body, isCut }: Answer,
  { url }: Hop,
  wanted: keyof typeof BOUNDS,
): WebhookResult {
  const { maxBytes, code } = boundOf(wanted, headers);
  const isTooLong = isCut && code !== undefined && status < 300;
  const fault = (faultCode: number, message: string): WebhookResult => ({
    kind: 'failure',
    code: faultCode,
    message,
    response: { status, headers, body: isTooLong ? Buffer.alloc(0) : body } satisfies WebhookResponse,
  });
  if (status >= 300) return fault(11200, `${url.origin} answered ${status}`);
  if (isTooLong) return fault(code, `the answer is larger than ${maxBytes} bytes`);
  const isEmptyChunked = body.length === 0 && headers['transfer-encoding'] === 'chunked';
  if (isEmptyChunked && wanted !== 'acknowledgement') return fault(11770, 'the answer is chunked, and empty');
  return { kind: 'answer', status, contentType: String(headers['content-type'] ?? ''), body, headers };
}
