// Requests to the user's web application: signed, bounded in time and size, and never to a network that is not allowed.
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, interceptors, request } from 'undici';
import type { Networks } from '../lib/networks.ts';
import type { WebhookTarget } from './control.ts';
import { decodeForm, sign } from './signature.ts';

/** Twilio's ceiling for a call-related request, connecting and redirects included. */
const TOTAL_MS = 15_000;
const CONNECT_MS = 5_000;
const MAX_REDIRECTS = 10;
/** Twilio's limit for a TwiML document; a larger answer is refused with 11750. */
const MAX_DOCUMENT_BYTES = 64 * 1024;
/** Larger audio is refused with 11751. */
const MAX_AUDIO_BYTES = 4 * 1024 * 1024;

export interface WebhookRequest extends WebhookTarget {
  /** Form-encoded. */
  readonly parameters: string;
  /** The account's auth token, which signs. */
  readonly authToken: string;
  /** The same for every attempt of one logical request. */
  readonly idempotencyToken: string;
  /** What is asked for, which bounds the answer: 64 KiB for a document, 4 MiB for audio. Default `document`. */
  readonly wanted?: 'document' | 'audio';
}

/** `status` is below 400 for an `answer`; everything else is a `failure` with Twilio's code. */
export type WebhookResult =
  | { readonly kind: 'answer'; readonly status: number; readonly contentType: string; readonly body: Buffer }
  | { readonly kind: 'failure'; readonly code: number; readonly message: string };

export interface WebhookClient {
  /** Never rejects: what goes wrong is a `failure`. */
  send(request: WebhookRequest): Promise<WebhookResult>;
  close(): Promise<void>;
}

export function createWebhookClient(networks: Networks, product: string): WebhookClient {
  const agent = new Agent({ connect: guardedConnector(networks), connections: 64, pipelining: 1 });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTS }));
  return {
    async send(webhook) {
      try {
        return await exchange(webhook, dispatcher, product);
      } catch (error) {
        return classify(error);
      }
    },
    close: () => agent.destroy(),
  };
}

async function exchange(
  webhook: WebhookRequest,
  dispatcher: NonNullable<Parameters<typeof request>[1]>['dispatcher'] & object,
  product: string,
): Promise<WebhookResult> {
  const form = webhook.parameters;
  const url = new URL(webhook.url);
  const authorization = takeCredentials(url);
  const isPost = webhook.method === 'POST';
  if (!isPost && form) url.search += `${url.search ? '&' : '?'}${form}`;
  const response = await request(url, {
    dispatcher,
    method: webhook.method,
    headers: {
      'user-agent': product,
      accept: '*/*',
      'x-twilio-signature': sign(webhook.authToken, url.href, isPost ? decodeForm(form) : []),
      'i-twilio-idempotency-token': webhook.idempotencyToken,
      ...(isPost ? { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' } : {}),
      ...(authorization ? { authorization } : {}),
    },
    body: isPost ? form : null,
    signal: AbortSignal.timeout(TOTAL_MS),
  });
  const isAudio = webhook.wanted === 'audio';
  const maxBytes = isAudio ? MAX_AUDIO_BYTES : MAX_DOCUMENT_BYTES;
  const body = await readBounded(response.body, maxBytes);
  if (response.statusCode >= 300) {
    return { kind: 'failure', code: 11200, message: `${url.origin} answered ${response.statusCode}` };
  }
  if (body === undefined) {
    return {
      kind: 'failure',
      code: isAudio ? 11751 : 11750,
      message: `the answer is larger than ${maxBytes} bytes`,
    };
  }
  const contentType = String(response.headers['content-type'] ?? '');
  return { kind: 'answer', status: response.statusCode, contentType, body };
}

/** Removes fragment and user info from `url`; returns the latter as a Basic Authorization header. */
function takeCredentials(url: URL): string | undefined {
  const { username, password } = url;
  url.hash = url.username = url.password = '';
  if (!username) return undefined;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

async function readBounded(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

class ForbiddenNetwork extends Error {
  readonly code = 'ERR_FORBIDDEN_NETWORK';

  constructor(address: string) {
    super(`${address} is in a network that webhooks may not reach; TANDEM_ALLOW_NETS can allow it`);
  }
}

/** Judges literal addresses before connecting and looked-up ones before they are used, redirects included. */
function guardedConnector(networks: Networks): buildConnector.connector {
  const lookup: LookupFunction = (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      const allowed = addresses.filter(({ address }) => networks.allows(address));
      const [first] = allowed;
      if (!first) return callback(new ForbiddenNetwork(hostname), '');
      if (options.all) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ timeout: CONNECT_MS, lookup });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) && !networks.allows(host)) return callback(new ForbiddenNetwork(host), null);
    return connect(options, callback);
  };
}

const FAILURE_CODES: Readonly<Record<string, number>> = {
  UND_ERR_CONNECT_TIMEOUT: 11201,
  ECONNREFUSED: 11202,
  ENOTFOUND: 11210,
  EAI_AGAIN: 11210,
  ERR_TLS_CERT_ALTNAME_INVALID: 11235,
  CERT_HAS_EXPIRED: 11236,
  DEPTH_ZERO_SELF_SIGNED_CERT: 11237,
  SELF_SIGNED_CERT_IN_CHAIN: 11237,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 11237,
  ERR_INVALID_URL: 11100,
  ERR_FORBIDDEN_NETWORK: 11205,
};

function classify(error: unknown): WebhookResult {
  if (!(error instanceof Error)) return { kind: 'failure', code: 11200, message: String(error) };
  if (error.name === 'TimeoutError') {
    return { kind: 'failure', code: 11203, message: `no answer within ${TOTAL_MS / 1000} s` };
  }
  const code = 'code' in error ? FAILURE_CODES[String(error.code)] : undefined;
  return { kind: 'failure', code: code ?? 11200, message: error.message };
}
