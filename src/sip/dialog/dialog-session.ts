// An INVITE dialog under way, early or confirmed: the shell around dialog.ts that sends, answers and ends.
import type {
  Body,
  Dialog,
  DialogHandlers,
  DialogRequest,
  HeaderField,
  ReofferOutcome,
  RequestOutcome,
  RequestReply,
  RequestView,
} from '../agent.ts';
import type { Credentials } from '../auth/digest.ts';
import { bodyRefusal, methodRefusal, type Refusal } from '../message/check.ts';
import type { SipMessage } from '../message/message.ts';
import { checkHeaders } from '../message/serialize.ts';
import { capabilities, contactOf, type InboundDialog, responseOctets, type Stack } from '../stack.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Flow } from '../transport/transport.ts';
import { type DialogState, dialogKey, received, refreshed } from './dialog.ts';
import { DialogRequests, type Extras } from './dialog-requests.ts';
import { Referrals } from './referral.ts';
import { type Offer, Reoffer } from './reoffer.ts';
import { Retransmission } from './retransmission.ts';
import { askingFor, intervalRefusal, type SessionInterval, settled, settledBy } from './session-interval.ts';
import { SessionTimer } from './session-timer.ts';

type EndedBy = 'remote' | 'local' | 'failure';

/** The INVITE of an early dialog: what it does with requests inside that. */
export interface EarlyInvite {
  /** An UPDATE's offer. */
  offered(offer: string): Body | number;
  prack(prack: SipMessage): Body | number | undefined;
  /** What waited for the PRACK may be sent: its own response has been. */
  pracked(): void;
  /** The caller's BYE. */
  ended(): void;
}

export interface SessionOptions {
  readonly state: DialogState;
  readonly flow: Flow;
  /** The peer's INVITE or response: what it allows is remembered. */
  readonly peer: SipMessage;
  readonly ownsCallId: boolean;
  readonly credentials?: Credentials | undefined;
}

export class DialogSession implements Dialog, InboundDialog {
  /** Set while the INVITE has no final response, and for late PRACKs. */
  early: EarlyInvite | undefined;
  readonly requests: DialogRequests;
  readonly #stack: Stack;
  readonly #options: SessionOptions;
  readonly #key: string;
  readonly #inviteSeq: number;
  readonly #referrals = new Referrals();
  readonly #sessionTimer: SessionTimer;
  #confirmed = false;
  /** Our session description: what the answer to a re-INVITE without an offer repeats. */
  #body: Body | undefined;
  #handlers: DialogHandlers | undefined;
  #end: { by: EndedBy; request?: RequestView } | undefined;
  #ack: (() => void) | undefined;
  /** A 2xx of ours without its ACK yet, the CSeq of its INVITE, and whether that ACK brings an answer. */
  #unacknowledged: { sending: Retransmission; seq: number; isOffer: boolean } | undefined;
  /** BYE headers, kept until the ACK has come: a UAS may not send BYE before (RFC 3261 §15). */
  #heldBye: readonly HeaderField[] | undefined;
  #reoffer: Reoffer | undefined;

  constructor(stack: Stack, options: SessionOptions) {
    const { state, flow, credentials } = options;
    this.#stack = stack;
    this.#options = options;
    this.requests = new DialogRequests(stack, state, flow, credentials);
    this.#inviteSeq = state.localSeq;
    this.#sessionTimer = new SessionTimer({
      clock: stack.clock,
      refresh: () => this.#refresh(),
      expired: () => this.#giveUp(),
    });
    this.#key = dialogKey(state.callId, state.localTag, state.remoteTag);
    stack.dialogs.set(this.#key, this);
  }

  get callId(): string {
    return this.requests.state.callId;
  }

  get localTag(): string {
    return this.requests.state.localTag;
  }

  get remoteTag(): string {
    return this.requests.state.remoteTag;
  }

  handle(handlers: DialogHandlers): void {
    this.#handlers = handlers;
    if (this.#end) handlers.ended(this.#end.by, this.#end.request);
  }

  /** The INVITE has its 2xx. `state` is that of the 2xx, whose route set counts (RFC 3261 §13.2.2.4). */
  confirm(body: Body | undefined, interval?: SessionInterval, state?: DialogState): void {
    const { localSeq, remoteSeq } = this.requests.state;
    if (state) this.requests.state = { ...state, localSeq, remoteSeq };
    this.#confirmed = true;
    this.#body = body;
    this.#sessionTimer.restart(interval);
  }

  bye(headers: readonly HeaderField[] = []): void {
    if (this.#end) return;
    checkHeaders(headers);
    if (this.#unacknowledged || !this.#confirmed) this.#heldBye = headers;
    else this.#sendBye(headers);
    this.#ended('local');
  }

  reoffer(body: Body, done: (outcome: ReofferOutcome) => void, method: 'INVITE' | 'UPDATE' = 'INVITE'): void {
    this.#offer({ method, body, headers: this.#intervalHeaders() }, (outcome) => {
      if (isSuccess(outcome)) this.#body = body;
      done(outcome);
    });
  }

  /** Marks a dialog that the peer gave up before it came to be. */
  endedBefore(): void {
    this.dispose();
    this.#ended('remote');
  }

  /** Acknowledges the 2xx of our INVITE, the first time and every further one. */
  acknowledge(extras: Extras = {}): void {
    this.#ack ??= this.requests.ack(this.#inviteSeq, extras);
    this.#ack();
  }

  /** Keeps sending a 2xx of ours, whose first copy has been sent, until the ACK of the INVITE `seq` comes. */
  awaitAck(octets: string, invite: SipMessage, flow: Flow): void {
    const again = (): void => flow.transport.send(octets, flow.peer);
    const sending = new Retransmission(this.#stack, this.#stack.timers, again, () => this.#ackMissing());
    this.#unacknowledged = { sending, seq: invite.seq, isOffer: invite.bodyOctets === '' };
  }

  acknowledged(ack: SipMessage): void {
    const acknowledged = this.#unacknowledged;
    if (acknowledged?.seq !== ack.seq) return;
    acknowledged.sending.acknowledged();
    this.#unacknowledged = undefined;
    this.#sendHeldBye();
    if (acknowledged.isOffer && ack.bodyOctets !== '' && !this.#end) this.#handlers?.answered?.(ack.body);
  }

  answeredAgain(response: SipMessage): void {
    if (response.seq === this.#inviteSeq) this.acknowledge();
  }

  dispose(): void {
    this.#unacknowledged?.sending.dispose();
    this.#reoffer?.dispose();
    this.#sessionTimer.stop();
    this.#stack.dialogs.delete(this.#key);
  }

  receive(request: SipMessage, flow: Flow): void {
    const transaction = this.#stack.layer.serve(request, flow);
    const next = received(this.requests.state, request.seq);
    if (!next) return this.#respond(transaction, { status: 500 });
    this.requests.state = next;
    switch (request.method) {
      case 'BYE':
        return this.#byeReceived(transaction);
      case 'INVITE':
      case 'UPDATE':
        return this.#offerReceived(transaction);
      case 'PRACK':
        return this.#prackReceived(transaction);
      case 'OPTIONS': {
        const headers: HeaderField[] = [...capabilities(this.#stack), ['Accept', 'application/sdp']];
        return this.#respond(transaction, { status: 200, headers });
      }
      default:
        return this.#respond(transaction, this.#replyTo(request));
    }
  }

  /** REFER, NOTIFY, INFO and the like are the layer's above, where it takes them at all. */
  #replyTo(request: SipMessage): RequestReply {
    const isNotify = request.method === 'NOTIFY';
    if (isNotify && !this.#referrals.takes(request)) return { status: 481 };
    const refusal = methodRefusal(request.method, this.#stack.allow);
    if (refusal && !isNotify) return refusal;
    if (this.#end) return { status: 481 };
    if (request.method === 'REFER' && (!this.#confirmed || this.#isOfferPending())) return { status: 491 };
    const reply = this.#handlers?.requested?.(request) ?? (isNotify ? 200 : 403);
    return typeof reply === 'number' ? { status: reply } : reply;
  }

  #byeReceived(transaction: ServerTransaction): void {
    this.#respond(transaction, { status: 200 });
    if (!this.#confirmed) this.early?.ended();
    this.dispose();
    this.#ended('remote', transaction.request);
  }

  #prackReceived(transaction: ServerTransaction): void {
    const { request } = transaction;
    const refusal = bodyRefusal(request);
    if (refusal) return this.#respond(transaction, refusal);
    const answer = this.early?.prack(request) ?? 481;
    if (typeof answer === 'number') return this.#respond(transaction, { status: answer });
    this.#respond(transaction, { status: 200, ...(answer.content !== '' && { body: answer }) });
    this.early?.pracked();
  }

  #offerReceived(transaction: ServerTransaction): void {
    const { request } = transaction;
    const refusal =
      this.#offerRefusal(request) ??
      bodyRefusal(request) ??
      intervalRefusal(request, this.#stack.sessionTimer);
    if (refusal) return this.#respond(transaction, refusal);
    const answer = this.#answerTo(request);
    if (typeof answer === 'number') return this.#respond(transaction, { status: answer });
    this.requests.state = refreshed(this.requests.state, request);
    const { interval, headers: intervalHeaders } = settled(request, this.#stack.sessionTimer);
    const headers: HeaderField[] = [
      ['Contact', contactOf(transaction.flow.transport)],
      ...capabilities(this.#stack),
      ...intervalHeaders,
    ];
    const octets = responseOctets(request, transaction.flow, {
      status: 200,
      headers,
      ...(answer && { body: answer }),
    });
    transaction.respond(200, octets);
    if (this.#confirmed) this.#sessionTimer.restart(interval);
    if (request.method === 'INVITE') this.awaitAck(octets, request, transaction.flow);
  }

  /** What keeps a re-INVITE or UPDATE from being looked at now (RFC 3261 §14.2, RFC 3311 §5.2). */
  #offerRefusal(request: SipMessage): Refusal | undefined {
    if (this.#end) return { status: 481 };
    const isInvite = request.method === 'INVITE';
    if (isInvite && !this.#confirmed) return { status: 500, headers: [['Retry-After', '2']] };
    // A mere refresh is never in the way.
    if (!isInvite && request.bodyOctets === '') return undefined;
    return this.#isOfferPending() ? { status: 491 } : undefined;
  }

  #isOfferPending(): boolean {
    return this.#unacknowledged !== undefined || this.#reoffer?.isUnderWay === true;
  }

  #answerTo(request: SipMessage): Body | number | undefined {
    // An INVITE without an offer asks for ours: the session stays as it is. The UPDATE is a mere refresh.
    if (request.bodyOctets === '') return request.method === 'INVITE' ? this.#body : undefined;
    const offered = this.#confirmed
      ? this.#handlers?.offered(request.body)
      : this.early?.offered(request.body);
    const answer = offered ?? 488;
    if (typeof answer !== 'number') this.#body = answer;
    return answer;
  }

  #respond(transaction: ServerTransaction, reply: RequestReply & Refusal): void {
    transaction.respond(reply.status, responseOctets(transaction.request, transaction.flow, reply));
  }

  #ackMissing(): void {
    this.#unacknowledged = undefined;
    if (this.#heldBye) return this.#sendHeldBye();
    this.#giveUp();
  }

  /** Ends a dialog that works no more. */
  #giveUp(): void {
    if (this.#end) return;
    this.#sendBye([]);
    this.#ended('failure');
  }

  #sendHeldBye(): void {
    const headers = this.#heldBye;
    this.#heldBye = undefined;
    if (headers) this.#sendBye(headers);
  }

  /** The dialog stays until its BYE is answered, so that the peer's own BYE, crossing ours, gets its 200. */
  #sendBye(headers: readonly HeaderField[]): void {
    this.requests.send(
      'BYE',
      { headers },
      {
        response: (response) => {
          if (response.status >= 200) this.dispose();
        },
        failed: () => this.dispose(),
      },
    );
  }

  request(
    { method, headers, body }: DialogRequest,
    done: (outcome: RequestOutcome) => void = () => {},
  ): void {
    if (this.#end) return done({ kind: 'transport', message: 'the dialog has ended' });
    const isRefer = method === 'REFER';
    const contact: HeaderField[] = isRefer ? [['Contact', contactOf(this.requests.flow.transport)]] : [];
    const sent = this.requests.send(
      method,
      { headers: [...contact, ...(headers ?? [])], body },
      {
        response: (response) => {
          if (response.status < 200) return;
          if (response.status >= 300) this.#referrals.closed(sent.request.seq);
          done({ kind: 'response', response });
        },
        failed: (why, message) => {
          this.#referrals.closed(sent.request.seq);
          done(why === 'timeout' ? { kind: 'timeout' } : { kind: 'transport', message });
        },
      },
    );
    if (isRefer) this.#referrals.opened(sent.request.seq);
  }

  #offer(offer: Offer, done: (outcome: ReofferOutcome) => void): void {
    if (this.#end || this.#reoffer || this.#isOfferPending()) return done({ kind: 'pending' });
    const { ownsCallId } = this.#options;
    this.#reoffer = new Reoffer({
      stack: this.#stack,
      requests: this.requests,
      offer,
      ownsCallId,
      done: (outcome) => {
        this.#reoffer = undefined;
        this.#reoffered(outcome);
        done(outcome);
      },
    });
  }

  #reoffered(outcome: ReofferOutcome): void {
    if (outcome.kind === 'response' && isSuccess(outcome)) {
      const response = outcome.response as SipMessage;
      this.requests.state = refreshed(this.requests.state, response);
      this.#sessionTimer.restart(settledBy(response));
    } else if (
      outcome.kind === 'timeout' ||
      (outcome.kind === 'response' && isGone(outcome.response.status))
    ) {
      this.#giveUp();
    }
  }

  #intervalHeaders(): readonly HeaderField[] {
    const { sessionTimer } = this.#stack;
    const { interval } = this.#sessionTimer;
    if (!interval) return askingFor(sessionTimer);
    const { expiresS, refresher } = interval;
    return askingFor({ ...sessionTimer, expiresS }, refresher === 'us' ? 'uac' : 'uas');
  }

  /** Refreshes the session by UPDATE, or by re-INVITE where the peer knows no UPDATE. */
  #refresh(): void {
    const headers = this.#intervalHeaders();
    const knowsUpdate = this.#options.peer.headers('Allow').includes('UPDATE');
    this.#offer(
      knowsUpdate ? { method: 'UPDATE', headers } : { method: 'INVITE', headers, body: this.#body },
      () => {},
    );
  }

  #ended(by: EndedBy, request?: RequestView): void {
    if (this.#end) return;
    this.#end = request ? { by, request } : { by };
    this.#reoffer?.dispose();
    this.#sessionTimer.stop();
    this.#handlers?.ended(by, request);
  }
}

const isSuccess = (outcome: ReofferOutcome): boolean =>
  outcome.kind === 'response' && outcome.response.status < 300;

/** The peer knows nothing of the dialog any more (RFC 3261 §14.1). */
const isGone = (status: number): boolean => status === 481 || status === 408;
