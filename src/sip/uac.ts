// An INVITE of ours on its way: its request, its answers, giving it up (RFC 3261 §13.2, §9.1).
import type { Body, ClientInvite, HeaderField, InviteHandlers, InviteOptions } from './agent.ts';
import { type DialogState, uacDialog } from './dialog/dialog.ts';
import { DialogSession } from './dialog/dialog-session.ts';
import { askingFor, settledBy } from './dialog/session-interval.ts';
import { parseDigits } from './message/grammar.ts';
import type { SipMessage } from './message/message.ts';
import { formatNameAddr } from './message/name-addr.ts';
import { checkHeaders, type RequestParts } from './message/serialize.ts';
import { SipSyntaxError } from './message/syntax-error.ts';
import { formatUri, parseUri } from './message/uri.ts';
import { credentialsIn, SentRequest } from './request.ts';
import { contactOf, newTag, requestCapabilities, requestHeaders, type Stack } from './stack.ts';
import type { ClientUser } from './transaction/client-transaction.ts';
import type { Flow, Transport } from './transport/transport.ts';

/** Headers that carry the transaction and the dialog: nobody above may set them. */
const RESERVED = new Set(
  'via from to call-id cseq contact route record-route content-length content-type allow supported'.split(
    ' ',
  ),
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
  const request = inviteRequest(stack, flow, options, localTag);
  return new UacInvite({ stack, flow, options, handlers, request, localTag });
}

function inviteRequest(
  stack: Stack,
  flow: Flow,
  options: InviteOptions,
  localTag: string,
): Omit<RequestParts, 'via'> {
  const uri = requestUri(options.uri);
  parseUri(options.from);
  return {
    method: 'INVITE',
    uri,
    from: `${formatNameAddr(options.from, options.fromName)};tag=${localTag}`,
    to: formatNameAddr(uri),
    callId: stack.random.hex(16),
    seq: 1,
    routes: [],
    headers: [
      ['Contact', contactOf(flow.transport)],
      ...requestCapabilities(stack),
      ...askingFor(stack.sessionTimer),
      ...withDefaults(options.headers ?? [], requestHeaders(stack)),
    ],
    ...(options.body && { body: options.body }),
  };
}

/** Headers of a URI belong into the request, not into its Request-URI (RFC 3261 §19.1.5). */
export function requestUri(text: string): string {
  const uri = parseUri(text);
  return uri.headers.length ? formatUri({ ...uri, headers: [] }) : text;
}

/** @throws {SipSyntaxError} `reserved-header` at one that the stack itself sets. */
export function withDefaults(
  headers: readonly HeaderField[],
  defaults: readonly HeaderField[],
): HeaderField[] {
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
  readonly request: Omit<RequestParts, 'via'>;
  readonly localTag: string;
}

/** A dialog before its 2xx, and the RSeq of its last reliable response. */
interface EarlyDialog {
  readonly session: DialogSession;
  rseq: number;
}

class UacInvite implements ClientInvite, ClientUser {
  readonly #options: UacInviteOptions;
  readonly #sent: SentRequest;
  /** The dialogs that reliable provisional responses made, by remote tag. */
  readonly #early = new Map<string, EarlyDialog>();
  /** The dialogs its 2xx made, by remote tag: one, or several where a proxy forked. */
  readonly #dialogs = new Map<string, DialogSession>();
  #hasProgressed = false;
  #canceled = false;
  #cancelHeaders: readonly HeaderField[] = [];

  constructor(options: UacInviteOptions) {
    this.#options = options;
    const { stack, request, flow } = options;
    this.#sent = new SentRequest(stack, { request, flow, credentials: options.options.credentials }, this);
  }

  get callId(): string {
    return this.#options.request.callId;
  }

  cancel(headers: readonly HeaderField[] = []): void {
    if (this.#canceled) return;
    checkHeaders(headers);
    this.#canceled = true;
    this.#cancelHeaders = headers;
    this.#sent.abandon();
  }

  response(response: SipMessage): void {
    const { handlers } = this.#options;
    if (response.status < 200) return this.#progressed(response);
    if (response.status < 300) return this.#succeeded(response);
    this.#endEarly();
    if (this.#canceled) handlers.late?.({ kind: 'final', status: response.status });
    else handlers.failed({ kind: 'response', response });
  }

  failed(why: 'timeout' | 'transport', message: string): void {
    this.#endEarly();
    if (this.#canceled) return;
    this.#options.handlers.failed(why === 'timeout' ? { kind: 'timeout' } : { kind: 'transport', message });
  }

  cancelDue(): void {
    const { stack, flow } = this.#options;
    const { body: _, ...bodiless } = this.#sent.request;
    // Same branch and Via as the INVITE's: so the peer finds what is cancelled (RFC 3261 §9.1).
    const headers = [...requestHeaders(stack), ...this.#cancelHeaders];
    const cancel = { ...bodiless, method: 'CANCEL', headers };
    stack.layer.request(cancel, this.#sent.branch, flow, IGNORE_OUTCOME);
  }

  #progressed(response: SipMessage): void {
    const { handlers } = this.#options;
    const isFirst = !this.#hasProgressed;
    this.#hasProgressed = true;
    if (this.#canceled) {
      if (isFirst) handlers.late?.({ kind: 'provisional', status: response.status, sent: 'CANCEL' });
      return;
    }
    if (this.#isNext(response)) handlers.provisional(response);
  }

  /** Acknowledges a reliable response by PRACK; false for one that came again or too early (RFC 3262 §4). */
  #isNext(response: SipMessage): boolean {
    const rseq = parseDigits(response.header('RSeq') ?? '');
    const isReliable = response.headers('Require').some((tag) => tag.toLowerCase() === '100rel');
    if (!isReliable || rseq < 1 || response.status === 100 || response.toTag === '') return true;
    let early = this.#early.get(response.toTag);
    if (early && rseq !== early.rseq + 1) return false;
    if (!early) {
      early = { session: this.#session(this.#dialogOf(response), response), rseq };
      early.session.early = this.#earlyInvite();
      this.#early.set(response.toTag, early);
    }
    early.rseq = rseq;
    const rack: HeaderField = ['RAck', `${rseq} ${this.#sent.request.seq} INVITE`];
    early.session.requests.send('PRACK', { headers: [rack], body: this.#answerTo(response) }, IGNORE_OUTCOME);
    return true;
  }

  #succeeded(response: SipMessage): void {
    const known = this.#dialogs.get(response.toTag);
    if (known) return known.acknowledge();
    const isFirst = this.#dialogs.size === 0 && !this.#canceled;
    try {
      this.#confirm(response, isFirst);
    } catch (error) {
      if (!(error instanceof SipSyntaxError) || !isFirst) throw error;
      // No request could be made to this peer, not even the ACK.
      this.#canceled = true;
      this.#endEarly();
      this.#options.handlers.failed({ kind: 'transport', message: error.message });
    }
  }

  #confirm(response: SipMessage, isFirst: boolean): void {
    const { options, handlers } = this.#options;
    const state = this.#dialogOf(response);
    const early = this.#early.get(response.toTag)?.session;
    this.#early.delete(response.toTag);
    const session = early ?? this.#session(state, response);
    session.early = undefined;
    // An offer that an early PRACK answered is not there any more.
    const answer = early ? undefined : this.#answerTo(response);
    this.#dialogs.set(response.toTag, session);
    session.confirm(options.body ?? answer, settledBy(response), state);
    session.acknowledge({ headers: credentialsIn(this.#sent.request), body: answer });
    this.#endEarly();
    const isUsable = options.body !== undefined || answer !== undefined || early !== undefined;
    if (isFirst && isUsable) return handlers.answered(session, response);
    session.bye();
    if (isFirst) handlers.failed({ kind: 'response', response });
    else handlers.late?.({ kind: 'answer', status: response.status, sent: 'ACK, BYE' });
  }

  /** The answer to an offer that came because ours was left out. */
  #answerTo(response: SipMessage): Body | undefined {
    const { options, handlers } = this.#options;
    if (options.body || response.bodyOctets === '' || this.#canceled) return undefined;
    const answer = handlers.offered?.(response.body);
    return typeof answer === 'object' ? answer : undefined;
  }

  #dialogOf(response: SipMessage): DialogState {
    return uacDialog(this.#sent.request, this.#options.localTag, response);
  }

  #session(state: DialogState, peer: SipMessage): DialogSession {
    const { stack, flow, options } = this.#options;
    return new DialogSession(stack, {
      state,
      flow,
      peer,
      ownsCallId: true,
      credentials: options.credentials,
    });
  }

  #earlyInvite(): DialogSession['early'] {
    const { handlers } = this.#options;
    return {
      offered: (offer) => (this.#canceled ? 488 : (handlers.offered?.(offer) ?? 488)),
      prack: () => undefined,
      pracked() {},
      ended() {},
    };
  }

  #endEarly(): void {
    for (const { session } of this.#early.values()) session.dispose();
    this.#early.clear();
  }
}

/** What counts is the INVITE's own final response. */
const IGNORE_OUTCOME: ClientUser = { response() {}, failed() {} };
