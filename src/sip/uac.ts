// An INVITE of ours on its way: its request, its answers, giving it up (RFC 3261 §13.2, §9.1).
import type { Body, ClientInvite, HeaderField, InviteHandlers, InviteOptions } from './agent.ts';
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
import { contactOf, newTag, requestHeaders, type Stack } from './stack.ts';
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
  const { body, credentials } = options;
  return new UacInvite({ stack, flow, handlers, request, localTag, body, credentials });
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
  readonly request: Omit<RequestParts, 'via'>;
  readonly localTag: string;
  /** Our offer. */
  readonly body: Body | undefined;
  readonly credentials: Credentials | undefined;
}

/** A dialog before its 2xx, and the RSeq of its last reliable response. */
interface EarlyDialog {
  readonly session: DialogSession;
  rseq: number;
  /** Whether our offer has its answer. */
  isAgreed: boolean;
}

/** A 2xx, and what acknowledges it again. */
interface Answer {
  readonly tag: string;
  readonly acknowledge: () => void;
}

const NONE: readonly never[] = [];
/** No more dialogs come of one INVITE: no proxy forks that widely. */
const MAX_FORKS = 32;

class UacInvite implements ClientInvite, ClientUser {
  #options: UacInviteOptions;
  readonly #sent: SentRequest;
  /** The dialogs that reliable provisional responses made. */
  #early: readonly EarlyDialog[] = NONE;
  /** Its 2xx: one, or several where a proxy forked. */
  #answers: readonly Answer[] = NONE;
  #hasProgressed = false;
  #canceled = false;
  #cancelHeaders: readonly HeaderField[] = NONE;

  constructor(options: UacInviteOptions) {
    this.#options = options;
    this.#sent = new SentRequest(options.stack, options, this);
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
    const cancel = { ...bodiless, method: 'CANCEL', fixed: '', headers };
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
    if (!response.headers('Require').some((tag) => tag.toLowerCase() === '100rel')) return true;
    const rseq = parseDigits(response.header('RSeq') ?? '');
    if (rseq < 1 || response.status === 100 || response.toTag === '') return true;
    let early = this.#earlyOf(response);
    if (early && rseq !== early.rseq + 1) return false;
    if (!early) {
      if (this.#early.length === MAX_FORKS) return false;
      const isAgreed = this.#options.body === undefined;
      early = { session: this.#session(this.#dialogOf(response)), rseq, isAgreed };
      early.session.early = this.#earlyInvite(early);
      this.#early = [...this.#early, early];
    }
    early.rseq = rseq;
    early.isAgreed ||= response.bodyOctets !== '';
    const rack: HeaderField = ['RAck', `${rseq} ${this.#sent.request.seq} INVITE`];
    early.session.requests.send('PRACK', { headers: [rack], body: this.#answerTo(response) }, IGNORE_OUTCOME);
    return true;
  }

  #succeeded(response: SipMessage): void {
    const known = this.#answers.find(({ tag }) => tag === response.toTag);
    if (known) return known.acknowledge();
    if (this.#answers.length === MAX_FORKS) return;
    const isFirst = this.#answers.length === 0 && !this.#canceled;
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
    const { body, handlers } = this.#options;
    const state = this.#dialogOf(response);
    const early = this.#earlyOf(response)?.session;
    this.#early = this.#early.filter(({ session }) => session !== early);
    const session = early ?? this.#session(state);
    session.early = undefined;
    // An offer that an early PRACK answered is not there any more.
    const answer = early ? undefined : this.#answerTo(response);
    session.confirm({
      body: body ?? answer,
      interval: settledBy(response),
      peer: response,
      state,
    });
    const acknowledge = session.acknowledge({ headers: credentialsIn(this.#sent.request), body: answer });
    this.#answers = [...this.#answers, { tag: state.remoteTag, acknowledge }];
    this.#endEarly();
    this.#letGo();
    const isUsable = body !== undefined || answer !== undefined || early !== undefined;
    if (isFirst && isUsable) return handlers.answered(session, response);
    session.bye();
    if (isFirst) handlers.failed({ kind: 'response', response });
    else handlers.late?.({ kind: 'answer', status: response.status, sent: 'ACK, BYE' });
  }

  /** A copy of the 2xx, or another one, may come for 64·T1: what that does not need is not kept so long. */
  #letGo(): void {
    this.#sent.letGo();
    this.#options = {
      ...this.#options,
      request: this.#sent.request,
      body: undefined,
      handlers: this.#options.handlers.late ? this.#options.handlers : SILENT,
    };
  }

  /** The answer to an offer that came because ours was left out. */
  #answerTo(response: SipMessage): Body | undefined {
    const { body, handlers } = this.#options;
    if (body || response.bodyOctets === '' || this.#canceled) return undefined;
    const answer = handlers.offered?.(response.body);
    return typeof answer === 'object' ? answer : undefined;
  }

  #dialogOf(response: SipMessage): DialogState {
    return uacDialog(this.#sent.request, this.#options.localTag, response);
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

  #endEarly(): void {
    for (const { session } of this.#early) session.dispose();
    this.#early = NONE;
  }
}

/** Of an INVITE whose outcome has been told. */
const SILENT: InviteHandlers = { provisional() {}, answered() {}, failed() {} };

/** What counts is the INVITE's own final response. */
const IGNORE_OUTCOME: ClientUser = { response() {}, failed() {} };
