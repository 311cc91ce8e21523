// An INVITE of ours on its way: its request, its answers, giving it up (RFC 3261 §13.2, §9.1).
import type { Body, ClientInvite, HeaderField, InviteHandlers, InviteOptions } from './agent.ts';
import { AnsweredInvite, MAX_FORKS } from './answered-invite.ts';
import type { Credentials } from './auth/digest.ts';
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
import { contactOf, newBranch, newTag, requestHeaders, type Stack } from './stack.ts';
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
  const { credentials } = options;
  return new UacInvite({ stack, flow, handlers, localTag, credentials }, request);
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
    fixed: stack.lines.offer,
    headers: [
      ['Contact', contactOf(flow.transport, options.contactName)],
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
  if (headers.length === 0) return [...defaults];
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  for (const name of given) {
    if (RESERVED.has(name)) throw new SipSyntaxError('reserved-header', `the stack itself sets ${name}`);
  }
  return [...defaults.filter(([name]) => !given.has(name.toLowerCase())), ...headers];
}

interface UacInviteOptions {
  readonly stack: Stack;
  readonly flow: Flow;
  readonly handlers: InviteHandlers;
  readonly localTag: string;
  readonly credentials: Credentials | undefined;
}

/** A dialog before its 2xx, and the RSeq of its last reliable response. */
interface EarlyDialog {
  readonly session: DialogSession;
  rseq: number;
  /** Whether our offer has its answer. */
  isAgreed: boolean;
}

const NONE: readonly never[] = [];

class UacInvite implements ClientInvite, ClientUser {
  readonly callId: string;
  readonly #options: UacInviteOptions;
  /** Until it has its final response. */
  #sent: SentRequest | undefined;
  /** The dialogs that reliable provisional responses made. */
  #early: readonly EarlyDialog[] = NONE;
  #hasProgressed = false;
  #canceled = false;
  #cancelHeaders: readonly HeaderField[] = NONE;

  constructor(options: UacInviteOptions, request: Omit<RequestParts, 'via'>) {
    const { stack, flow, credentials } = options;
    this.callId = request.callId;
    this.#options = options;
    this.#sent = new SentRequest(stack, { flow, request, credentials }, this);
  }

  cancel(headers: readonly HeaderField[] = []): void {
    if (this.#canceled) return;
    checkHeaders(headers);
    this.#canceled = true;
    this.#cancelHeaders = headers;
    this.#sent?.abandon();
  }

  response(response: SipMessage): void {
    const sent = this.#sent;
    const { handlers } = this.#options;
    if (!sent) return;
    if (response.status < 200) return this.#progressed(response, sent.request);
    if (response.status < 300) return this.#succeeded(response, sent);
    this.#over();
    if (this.#canceled) handlers.late?.({ kind: 'final', status: response.status });
    else handlers.failed({ kind: 'response', response });
  }

  failed(why: 'timeout' | 'transport', message: string): void {
    this.#over();
    if (this.#canceled) return;
    this.#options.handlers.failed(why === 'timeout' ? { kind: 'timeout' } : { kind: 'transport', message });
  }

  cancelDue(): void {
    const sent = this.#sent;
    const { stack, flow } = this.#options;
    if (!sent) return;
    const { body: _, ...bodiless } = sent.request;
    // Same branch and Via as the INVITE's: so the peer finds what is cancelled (RFC 3261 §9.1).
    const headers = [...requestHeaders(stack), ...this.#cancelHeaders];
    const cancel = { ...bodiless, method: 'CANCEL', fixed: '', headers };
    stack.layer.request(cancel, sent.branch, flow, IGNORE_OUTCOME);
  }

  #progressed(response: SipMessage, request: RequestParts): void {
    const { handlers } = this.#options;
    const isFirst = !this.#hasProgressed;
    this.#hasProgressed = true;
    if (this.#canceled) {
      if (isFirst) handlers.late?.({ kind: 'provisional', status: response.status, sent: 'CANCEL' });
      return;
    }
    if (this.#isNext(response, request)) handlers.provisional(response);
  }

  /** Acknowledges a reliable response by PRACK; false for one that came again or too early (RFC 3262 §4). */
  #isNext(response: SipMessage, request: RequestParts): boolean {
    if (!response.headers('Require').some((tag) => tag.toLowerCase() === '100rel')) return true;
    const rseq = parseDigits(response.header('RSeq') ?? '');
    if (rseq < 1 || response.status === 100 || response.toTag === '') return true;
    let early = this.#earlyOf(response);
    if (early && rseq !== early.rseq + 1) return false;
    if (!early) {
      if (this.#early.length === MAX_FORKS) return false;
      const state = uacDialog(request, this.#options.localTag, response);
      early = { session: this.#session(state), rseq, isAgreed: request.body === undefined };
      early.session.early = this.#earlyInvite(early);
      this.#early = [...this.#early, early];
    }
    early.rseq = rseq;
    early.isAgreed ||= response.bodyOctets !== '';
    const headers: HeaderField[] = [['RAck', `${rseq} ${request.seq} INVITE`]];
    const body = this.#answerTo(response, request);
    early.session.requests.send('PRACK', { headers, body }, IGNORE_OUTCOME);
    return true;
  }

  #succeeded(response: SipMessage, sent: SentRequest): void {
    try {
      this.#confirm(response, sent);
    } catch (error) {
      if (!(error instanceof SipSyntaxError) || this.#canceled) throw error;
      // No request could be made to this peer, not even the ACK.
      this.#canceled = true;
      this.#endEarly();
      this.#options.handlers.failed({ kind: 'transport', message: error.message });
    }
  }

  #confirm(response: SipMessage, sent: SentRequest): void {
    const { handlers } = this.#options;
    const { request } = sent;
    const state = uacDialog(request, this.#options.localTag, response);
    const early = this.#earlyOf(response)?.session;
    this.#early = this.#early.filter(({ session }) => session !== early);
    const session = early ?? this.#session(state);
    session.early = undefined;
    // An offer that an early PRACK answered is not there any more.
    const answer = early ? undefined : this.#answerTo(response, request);
    const body = request.body ?? answer;
    session.confirm({ body, interval: settledBy(response), peer: response, state });
    const branch = newBranch(this.#options.stack.random);
    const ack = { headers: credentialsIn(request), body: answer, branch };
    session.acknowledge(ack, branch);
    // An answered call is held by its dialog alone: what the layer above keeps of it is much, and 64·T1 are long.
    if (handlers.late) session.told = handlers;
    const told = this.#canceled ? handlers : undefined;
    sent.handOver(new AnsweredInvite({ ...this.#options, ack, told }, session));
    this.#over();
    const isUsable = body !== undefined || early !== undefined;
    if (!this.#canceled && isUsable) return handlers.answered(session, response);
    session.bye();
    if (this.#canceled) handlers.late?.({ kind: 'answer', status: response.status, sent: 'ACK, BYE' });
    else handlers.failed({ kind: 'response', response });
  }

  /** The answer to an offer that came because ours was left out. */
  #answerTo(response: SipMessage, request: RequestParts): Body | undefined {
    if (request.body || response.bodyOctets === '' || this.#canceled) return undefined;
    const answer = this.#options.handlers.offered?.(response.body);
    return typeof answer === 'object' ? answer : undefined;
  }

  #session(state: DialogState): DialogSession {
    const { stack, flow, credentials } = this.#options;
    return new DialogSession(stack, { state, flow, ownsCallId: true, credentials });
  }

  #earlyInvite(early: EarlyDialog): DialogSession['early'] {
    const { handlers } = this.#options;
    return {
      refusal: () => (early.isAgreed ? undefined : { status: 491 }),
      offered: (offer) => (this.#canceled ? 488 : (handlers.offered?.(offer) ?? 488)),
      prack: () => undefined,
      pracked() {},
      ended() {},
    };
  }

  #earlyOf({ toTag }: SipMessage): EarlyDialog | undefined {
    return this.#early.find(({ session }) => session.remoteTag === toTag);
  }

  #over(): void {
    this.#sent = undefined;
    this.#endEarly();
  }

  #endEarly(): void {
    for (const { session } of this.#early) session.dispose();
    this.#early = NONE;
  }
}

/** What counts is the INVITE's own final response. */
const IGNORE_OUTCOME: ClientUser = { response() {}, failed() {} };
