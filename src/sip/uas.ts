// An INVITE that came in: its provisional and final responses, and its CANCEL (RFC 3261 §13.3, §9.2, RFC 3262).
import type { Body, Dialog, HeaderField, ServerInvite, ServerInviteHandlers } from './agent.ts';
import { type DialogState, uasDialog } from './dialog/dialog.ts';
import { DialogSession } from './dialog/dialog-session.ts';
import { ReliableResponses } from './dialog/reliable-responses.ts';
import { settled } from './dialog/session-interval.ts';
import type { EarlyInvite } from './dialog/session-options.ts';
import type { Refusal } from './message/check.ts';
import type { SipMessage } from './message/message.ts';
import { echoedLines } from './message/serialize.ts';
import { bracketed } from './message/uri.ts';
import { contactOf, newTag, replyStatelessly, responseOctets, retrySoon, type Stack } from './stack.ts';
import type { ServerTransaction, ServerUser } from './transaction/server-transaction.ts';
import type { Flow } from './transport/transport.ts';

interface Incoming {
  readonly request: SipMessage;
  readonly flow: Flow;
  /** To tag of a stateless response. */
  readonly statelessTag: string;
  readonly replaces: Dialog | undefined;
}

/**
 * Takes an INVITE outside any dialog, hands it on, and sends 100 unless it was answered at once.
 * @throws {SipSyntaxError} when no dialog can be made of it; nothing has been sent then.
 */
export function takeInvite(stack: Stack, incoming: Incoming, handler: (invite: ServerInvite) => void): void {
  const { request, flow } = incoming;
  const { address, port } = flow.peer;
  const dialog = uasDialog(request, newTag(stack.random), `sip:${bracketed(address)}:${port}`);
  const invite = new UasInvite(stack, incoming, dialog);
  try {
    handler(invite);
  } catch (error) {
    stack.log.error({ error, callId: request.callId }, 'the handler of an INVITE failed');
    return invite.reject(500);
  }
  invite.trying();
}

/** Nothing to answer with: the 200 of a PRACK or UPDATE goes without a body. */
const NO_BODY: Body = { contentType: '', content: '' };

const NO_HANDLERS: ServerInviteHandlers = {};

class UasInvite implements ServerInvite, ServerUser, EarlyInvite {
  readonly request: SipMessage;
  readonly #stack: Stack;
  readonly #incoming: Incoming;
  readonly #dialog: DialogState;
  #handlers = NO_HANDLERS;
  /** Made by the first reliable response: most calls go without. */
  #reliable: ReliableResponses | undefined;
  #served: ServerTransaction | undefined;
  #session: DialogSession | undefined;
  /** What its responses with a tag have in common. */
  #echoed: string | undefined;
  #phase: 'new' | 'proceeding' | 'final' = 'new';
  /** Whether offer and answer have been exchanged by reliable responses: before, an UPDATE may not offer. */
  #isAgreed = false;

  constructor(stack: Stack, incoming: Incoming, dialog: DialogState) {
    this.request = incoming.request;
    this.#stack = stack;
    this.#incoming = incoming;
    this.#dialog = dialog;
  }

  /** Made by the first response that has to be remembered. */
  get #transaction(): ServerTransaction {
    if (this.#served) return this.#served;
    this.#served = this.#stack.layer.serve(this.request, this.#incoming.flow);
    this.#served.user = this;
    return this.#served;
  }

  get replaces(): Dialog | undefined {
    return this.#incoming.replaces;
  }

  get received(): Flow['peer'] {
    return this.#incoming.flow.peer;
  }

  handle(handlers: ServerInviteHandlers): void {
    this.#handlers = handlers;
  }

  trying(): void {
    if (this.#phase !== 'new') return;
    this.#phase = 'proceeding';
    this.#transaction.respond(100, responseOctets(this.request, this.#transaction.flow, { status: 100 }));
  }

  progress(status: number, body?: Body, how = { reliable: false }): void {
    if (status <= 100 || status >= 200) throw new RangeError(`${status} is no provisional response over 100`);
    if (this.#phase === 'final') return;
    this.#openEarly();
    const isReliable = this.#asks('Require') || (how.reliable && this.#asks('Supported'));
    if (isReliable) this.#reliably().inTurn(() => this.#progressReliably(status, body));
    else this.#transaction.respond(status, this.#octets(status, body));
    this.#phase = 'proceeding';
  }

  accept(body: Body): Dialog {
    if (this.#phase === 'final' && this.#session) return this.#session;
    const session = this.#dialogSession();
    if (this.#phase === 'final') {
      // The CANCEL was faster: the dialog that the caller of this gets has ended.
      session.endedBefore();
      return session;
    }
    this.#phase = 'final';
    this.#isHeld = true;
    if (this.#reliable) this.#reliable.inTurn(() => this.#sendSuccess(session, body));
    else this.#sendSuccess(session, body);
    this.replaces?.bye();
    return session;
  }

  reject(
    status: number,
    headers: readonly HeaderField[] = [],
    { stateless = false, reason }: { stateless?: boolean; reason?: string } = {},
  ): void {
    if (status < 300 || status > 699) throw new RangeError(`${status} is no final response of 300 or more`);
    if (this.#phase === 'final') return;
    const reply = { status, headers, ...(reason !== undefined && { reason }) };
    if (stateless && this.#phase === 'new') {
      const { flow, statelessTag } = this.#incoming;
      replyStatelessly(this.request, flow, { ...reply, toTag: statelessTag });
    } else {
      const { flow } = this.#transaction;
      const octets = responseOctets(this.request, flow, { ...reply, toTag: this.#dialog.localTag });
      this.#transaction.respond(status, octets);
    }
    this.#phase = 'final';
    this.#reliable?.dispose();
    this.#session?.dispose();
  }

  ignore(): void {
    if (this.#phase === 'new') this.#phase = 'final';
  }

  canceled(): void {
    this.#givenUp(487);
  }

  acknowledged(ack: SipMessage): void {
    this.#session?.acknowledged(ack);
  }

  #givenUp(status: number): void {
    if (this.#phase === 'final') {
      // Accepted, but the 200 still waits for a PRACK.
      if (!this.#isHeld) return;
      this.#isHeld = false;
      this.#session?.endedBefore();
    }
    this.#phase = 'proceeding';
    this.reject(status);
    this.#handlers.canceled?.();
  }

  /** Whether the 200 waits for a PRACK. */
  #isHeld = false;

  #sendSuccess(session: DialogSession, body: Body): void {
    this.#isHeld = false;
    const { interval, headers } = settled(this.request, this.#stack.sessionTimer);
    const octets = this.#octets(200, body, headers);
    this.#echoed = undefined;
    this.#transaction.respond(200, octets);
    session.confirm({ body, interval, peer: this.request });
    session.awaitAck(octets, { request: this.#incoming.request, transaction: this.#transaction });
  }

  #progressReliably(status: number, body: Body | undefined): void {
    // The INVITE's offer has its answer; an offer of ours gets it by PRACK.
    if (body && this.request.bodyOctets !== '') this.#isAgreed = true;
    this.#reliably().send((rseq) => {
      const octets = this.#octets(status, body, [
        ['Require', '100rel'],
        ['RSeq', `${rseq}`],
      ]);
      const { transport, peer } = this.#transaction.flow;
      this.#transaction.respond(status, octets);
      return () => transport.send(octets, peer);
    });
  }

  /** A tag in a provisional response makes a dialog, in which the caller may ask and hang up (RFC 3261 §12.1.1, §15). */
  #openEarly(): void {
    this.#dialogSession().early ??= this;
  }

  #reliably(): ReliableResponses {
    this.#reliable ??= new ReliableResponses(this.#stack, () => this.#givenUp(504));
    return this.#reliable;
  }

  refusal(): Refusal | undefined {
    if (this.#isAgreed) return undefined;
    // The offer that has no answer yet is ours.
    if (this.request.bodyOctets === '') return { status: 491 };
    return retrySoon(this.#stack);
  }

  offered(offer: string): Body | number {
    return this.#handlers.offered?.(offer) ?? 488;
  }

  ended(): void {
    this.#givenUp(487);
  }

  pracked(): void {
    this.#reliable?.goOn();
  }

  prack(prack: SipMessage): Body | number | undefined {
    if (!this.#reliable?.acknowledged(prack, this.request.seq)) return undefined;
    if (prack.bodyOctets === '') return NO_BODY;
    if (this.#isAgreed) return this.offered(prack.body);
    this.#isAgreed = true;
    this.#handlers.answered?.(prack.body);
    return NO_BODY;
  }

  #dialogSession(): DialogSession {
    const { flow } = this.#incoming;
    this.#session ??= new DialogSession(this.#stack, {
      state: this.#dialog,
      flow,
      ownsCallId: false,
    });
    return this.#session;
  }

  #asks(header: 'Require' | 'Supported'): boolean {
    return this.request.headers(header).some((tag) => tag.toLowerCase() === '100rel');
  }

  #octets(status: number, body: Body | undefined, headers: readonly HeaderField[] = []): string {
    const { flow } = this.#transaction;
    const toTag = this.#dialog.localTag;
    this.#echoed ??= echoedLines(this.request, flow.peer, { toTag, copyRecordRoute: true });
    return responseOctets(this.request, flow, {
      status,
      echoed: this.#echoed,
      fixed: this.#stack.lines.answer,
      headers: [['Contact', contactOf(flow.transport)], ...headers],
      ...(body && { body }),
    });
  }
}
