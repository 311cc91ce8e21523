// An INVITE of ours on its way: its request, its answers, giving it up (RFC 3261 §13.2, §9.1).
import type { ClientInvite, HeaderField, InviteHandlers, InviteOptions } from './agent.ts';
import { uacDialog } from './dialog/dialog.ts';
import { DialogSession } from './dialog/dialog-session.ts';
import { ALLOWED_METHODS } from './message/check.ts';
import type { SipMessage } from './message/message.ts';
import { formatNameAddr } from './message/name-addr.ts';
import { checkHeaders, type RequestParts } from './message/serialize.ts';
import { SipSyntaxError } from './message/syntax-error.ts';
import { formatUri, parseUri } from './message/uri.ts';
import { contactOf, newBranch, newTag, requestHeaders, type Stack, viaOf } from './stack.ts';
import type { ClientTransaction, ClientUser } from './transaction/client-transaction.ts';
import type { Flow, Transport } from './transport/transport.ts';

/** Headers that carry the transaction and the dialog: nobody above may set them. */
const RESERVED = new Set(
  'via from to call-id cseq contact route record-route content-length content-type allow'.split(' '),
);

/**
 * Sends an INVITE.
 * @throws {SipSyntaxError} when an option cannot be put on the wire.
 */
export function sendInvite(
  stack: Stack,
  transport: Transport,
  options: InviteOptions,
  handlers: InviteHandlers,
): ClientInvite {
  const flow = { transport, peer: options.destination };
  const localTag = newTag(stack.random);
  const branch = newBranch(stack.random);
  const request = inviteRequest(stack, flow, options, { localTag, branch });
  return new UacInvite({ stack, flow, options, handlers, request, localTag, branch });
}

function inviteRequest(
  stack: Stack,
  flow: Flow,
  options: InviteOptions,
  { localTag, branch }: { localTag: string; branch: string },
): RequestParts {
  const uri = requestUri(options.uri);
  parseUri(options.from);
  return {
    method: 'INVITE',
    uri,
    via: viaOf(flow.transport, branch),
    from: `${formatNameAddr(options.from, options.fromName)};tag=${localTag}`,
    to: formatNameAddr(uri),
    callId: stack.random.hex(16),
    seq: 1,
    routes: [],
    headers: [
      ['Contact', contactOf(flow.transport)],
      ['Allow', ALLOWED_METHODS],
      ...withDefaults(options.headers ?? [], requestHeaders(stack)),
    ],
    body: options.body,
  };
}

/** Headers of a URI belong into the request, not into its Request-URI (RFC 3261 §19.1.5). */
function requestUri(text: string): string {
  const uri = parseUri(text);
  return uri.headers.length ? formatUri({ ...uri, headers: [] }) : text;
}

function withDefaults(headers: readonly HeaderField[], defaults: readonly HeaderField[]): HeaderField[] {
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  for (const name of given) {
    if (RESERVED.has(name)) throw new SipSyntaxError('reserved-header', `the stack itself sets ${name}`);
  }
  return [...defaults.filter(([name]) => !given.has(name.toLowerCase())), ...headers];
}

interface UacInviteOptions {
  readonly stack: Stack;
  readonly flow: Flow;
  readonly options: InviteOptions;
  readonly handlers: InviteHandlers;
  readonly request: RequestParts;
  readonly localTag: string;
  readonly branch: string;
}

class UacInvite implements ClientInvite, ClientUser {
  readonly #options: UacInviteOptions;
  readonly #transaction: ClientTransaction;
  /** The dialogs its 2xx made, by remote tag: one, or several where a proxy forked. */
  readonly #dialogs = new Map<string, DialogSession>();
  #hasProgressed = false;
  #canceled = false;
  #cancelHeaders: readonly HeaderField[] = [];

  constructor(options: UacInviteOptions) {
    this.#options = options;
    const { stack, request, branch, flow } = options;
    this.#transaction = stack.layer.request(request, branch, flow, this);
  }

  get callId(): string {
    return this.#options.request.callId;
  }

  cancel(headers: readonly HeaderField[] = []): void {
    if (this.#canceled) return;
    checkHeaders(headers);
    this.#canceled = true;
    this.#cancelHeaders = headers;
    this.#transaction.abandon();
  }

  response(response: SipMessage): void {
    const { handlers } = this.#options;
    if (response.status < 200) this.#progressed(response);
    else if (response.status < 300) this.#succeeded(response);
    else if (this.#canceled) handlers.late?.({ kind: 'final', status: response.status });
    else handlers.failed({ kind: 'response', response });
  }

  failed(why: 'timeout' | 'transport', message: string): void {
    if (this.#canceled) return;
    this.#options.handlers.failed(why === 'timeout' ? { kind: 'timeout' } : { kind: 'transport', message });
  }

  cancelDue(): void {
    const { stack, flow, request, branch } = this.#options;
    const { body: _, ...bodiless } = request;
    // Same branch and Via as the INVITE's: so the peer finds what is cancelled (RFC 3261 §9.1).
    const headers = [...requestHeaders(stack), ...this.#cancelHeaders];
    stack.layer.request({ ...bodiless, method: 'CANCEL', headers }, branch, flow, IGNORE_OUTCOME);
  }

  #progressed(response: SipMessage): void {
    const { handlers } = this.#options;
    const isFirst = !this.#hasProgressed;
    this.#hasProgressed = true;
    if (!this.#canceled) handlers.provisional(response);
    else if (isFirst) handlers.late?.({ kind: 'provisional', status: response.status, sent: 'CANCEL' });
  }

  #succeeded(response: SipMessage): void {
    const known = this.#dialogs.get(response.toTag);
    if (known) return known.acknowledge();
    const { stack, flow, options, request, localTag, handlers } = this.#options;
    const dialog = new DialogSession(stack, uacDialog(request, localTag, response), flow, options.body);
    const isFirst = this.#dialogs.size === 0 && !this.#canceled;
    this.#dialogs.set(response.toTag, dialog);
    dialog.acknowledge();
    if (isFirst) return handlers.answered(dialog, response);
    dialog.bye();
    handlers.late?.({ kind: 'answer', status: response.status, sent: 'ACK, BYE' });
  }
}

/** What counts is the INVITE's own final response, which the CANCEL brings about. */
const IGNORE_OUTCOME: ClientUser = { response() {}, failed() {} };
