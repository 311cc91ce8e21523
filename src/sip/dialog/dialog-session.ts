// An INVITE dialog under way, early or confirmed: the shell around dialog.ts that sends, answers and ends.
import type {
  Body,
  Dialog,
  DialogHandlers,
  DialogIdentity,
  DialogRequest,
  HeaderField,
  ReofferOutcome,
  RequestOutcome,
  RequestReply,
  RequestView,
} from '../agent.ts';
import { bodyRefusal, methodRefusal, type Refusal } from '../message/check.ts';
import type { SipMessage } from '../message/message.ts';
import { checkHeaders } from '../message/serialize.ts';
import { capabilities, type InboundDialog, responseOctets, retrySoon, type Stack } from '../stack.ts';
import type { Flow } from '../transport/transport.ts';
import { dialogKey, received, refreshed } from './dialog.ts';
import { DialogRequests, type Extras } from './dialog-requests.ts';
import { failureOf } from './failure.ts';
import { LayerRequests, replyInDialog } from './in-dialog.ts';
import { acceptOffer, PendingOffer, type Served } from './pending-offer.ts';
import { isGone, isSuccess, type Offer, Reoffer } from './reoffer.ts';
import { SentSuccess } from './sent-success.ts';
import { askingAgain, intervalRefusal, type SessionInterval, settledBy } from './session-interval.ts';
import type { Confirmation, EarlyInvite, SessionOptions } from './session-options.ts';
import { SessionTimer } from './session-timer.ts';

type EndedBy = 'remote' | 'local' | 'failure';

export class DialogSession implements Dialog, InboundDialog {
  /** Until the INVITE has its final response, and a 2xx of ours its ACK. */
  early: EarlyInvite | undefined;
  told: InboundDialog['told'];
  readonly requests: DialogRequests;
  /** Under which it is found. */
  readonly key: string;
  readonly #stack: Stack;
  readonly #options: SessionOptions;
  readonly #inviteSeq: number;
  /** Made where they are needed: most dialogs live without. */
  #layerRequests: LayerRequests | undefined;
  #sessionTimer: SessionTimer | undefined;
  /** Whether the peer said that it takes UPDATE; asked where a session timer runs. */
  #knowsUpdate = false;
  #confirmed = false;
  /** Our session description: what the answer to a re-INVITE without an offer repeats. */
  #body: Body | undefined;
  #handlers: DialogHandlers | undefined;
  #end: { by: EndedBy; request?: RequestView } | undefined;
  #ack: (() => void) | undefined;
  #unacknowledged: SentSuccess | undefined;
  /** BYE headers, kept until the ACK has come: a UAS may not send BYE before (RFC 3261 §15). */
  #heldBye: readonly HeaderField[] | undefined;
  #reoffer: Reoffer | undefined;
  /** The peer's offer that is to be answered. */
  #pending: PendingOffer | undefined;
  /** The layer above looks at a request of the peer's. */
  #isServing = false;

  constructor(stack: Stack, options: SessionOptions) {
    const { state, flow, credentials } = options;
    this.#stack = stack;
    this.#options = options;
    this.requests = new DialogRequests(stack, state, flow, credentials);
    this.#inviteSeq = state.localSeq;
    this.key = dialogKey(state.callId, state.localTag, state.remoteTag);
    stack.dialogs.set(this.key, this);
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

  get standing(): InboundDialog['standing'] {
    return this.#end ? 'ended' : this.#confirmed ? 'confirmed' : 'early';
  }

  get identity(): DialogIdentity {
    return this.requests.identity;
  }

  handle(handlers: DialogHandlers): void {
    this.#handlers = handlers;
    if (this.#end) handlers.ended(this.#end.by, this.#end.request);
  }

  /** The INVITE has its 2xx. */
  confirm({ body, interval, state, peer }: Confirmation): void {
    const { localSeq, remoteSeq } = this.requests.state;
    if (state) this.requests.state = { ...state, localSeq, remoteSeq };
    this.#confirmed = true;
    this.#body = body;
    if (interval) this.#knowsUpdate = peer.headers('Allow').includes('UPDATE');
    this.#restartTimer(interval);
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

  /** Acknowledges the 2xx of our INVITE; each time by the same ACK. */
  acknowledge(extras: Extras = {}, branch?: string): void {
    this.#ack ??= this.requests.ack(this.#inviteSeq, extras, branch);
    this.#ack();
  }

  /** Keeps sending a 2xx of ours, whose first copy has been sent, until the ACK of the INVITE comes. */
  awaitAck(octets: string, invite: Served): void {
    this.#unacknowledged = new SentSuccess(this.#stack, invite, octets, () => this.#ackMissing());
  }

  acknowledged(ack: SipMessage): boolean {
    const acknowledged = this.#unacknowledged;
    if (!acknowledged?.takes(ack)) return false;
    this.#unacknowledged = this.early = undefined;
    this.#sendHeldBye();
    if (acknowledged.isOffer && ack.bodyOctets !== '' && !this.#end) this.#handlers?.answered?.(ack.body);
    this.#layerRequests?.release();
    return true;
  }

  answeredAgain(response: SipMessage): void {
    if (response.seq === this.#inviteSeq) this.acknowledge();
  }

  dispose(): void {
    this.#unacknowledged?.dispose();
    this.#reoffer?.dispose();
    this.#pending?.dispose();
    this.#sessionTimer?.stop();
    this.#stack.dialogs.delete(this.key);
  }

  receive(request: SipMessage, flow: Flow): void {
    const served = { request, transaction: this.#stack.layer.serve(request, flow) };
    const next = received(this.requests.state, request.seq);
    if (!next) return this.#respond(served, { status: 500 });
    this.requests.state = next;
    try {
      this.#take(served);
    } catch (error) {
      this.#respond(served, { status: failureOf(this.#stack, request, error) });
    }
  }

  #take(served: Served): void {
    const { request } = served;
    switch (request.method) {
      case 'BYE':
        return this.#byeReceived(served);
      case 'INVITE':
      case 'UPDATE':
        return this.#offerReceived(served);
      case 'PRACK':
        return this.#prackReceived(served);
      case 'OPTIONS': {
        const headers: HeaderField[] = [...capabilities(this.#stack), ['Accept', 'application/sdp']];
        return this.#respond(served, { status: 200, headers });
      }
      default:
        return this.#otherReceived(served);
    }
  }

  #otherReceived(served: Served): void {
    this.#isServing = true;
    try {
      this.#respond(served, this.#replyTo(served.request));
    } finally {
      this.#isServing = false;
      this.#layerRequests?.release();
    }
  }

  /** REFER, NOTIFY, INFO and the like are the layer's above, where it takes them at all. */
  #replyTo(request: SipMessage): RequestReply {
    const isNotify = request.method === 'NOTIFY';
    if (isNotify && !this.#layerRequests?.takes(request)) return { status: 481 };
    const refusal = methodRefusal(request.method, this.#stack.allow);
    if (refusal && !isNotify) return refusal;
    if (this.#end) return { status: 481 };
    if (request.method === 'REFER' && (!this.#confirmed || this.#isOfferPending())) return { status: 491 };
    return replyInDialog(request, this.#handlers?.requested?.(request), this.requests.flow);
  }

  #byeReceived(bye: Served): void {
    this.#respond(bye, { status: 200 });
    if (!this.#confirmed) this.early?.ended();
    this.#pending?.refuse(487);
    this.dispose();
    this.#ended('remote', bye.request);
  }

  #prackReceived(prack: Served): void {
    const { request } = prack;
    const refusal = bodyRefusal(request);
    if (refusal) return this.#respond(prack, refusal);
    const answer = this.early?.prack(request) ?? 481;
    if (typeof answer === 'number') return this.#respond(prack, { status: answer });
    this.#respond(prack, { status: 200, ...(answer.content !== '' && { body: answer }) });
    this.early?.pracked();
  }

  #offerReceived(served: Served): void {
    const { request } = served;
    const refusal =
      this.#offerRefusal(request) ??
      bodyRefusal(request) ??
      intervalRefusal(request, this.#stack.sessionTimer);
    if (refusal) return this.#respond(served, refusal);
    const answer = this.#answerTo(request);
    if (answer instanceof Promise) this.#await(served, answer);
    else this.#answer(served, answer);
  }

  #await(served: Served, answer: Promise<Body | number>): void {
    const options = {
      stack: this.#stack,
      served,
      answered: (settled: Body | number) => {
        this.#pending = undefined;
        this.#answer(served, settled);
      },
      withdrawn: () => {
        this.#pending = undefined;
        this.#handlers?.withdrawn?.();
      },
    };
    this.#pending = new PendingOffer(options, answer);
  }

  #answer(served: Served, answer: Body | number | undefined): void {
    if (typeof answer === 'number') return this.#respond(served, { status: answer });
    const { request } = served;
    if (answer) this.#body = answer;
    this.requests.state = refreshed(this.requests.state, request);
    const { octets, interval } = acceptOffer(this.#stack, served, answer);
    if (this.#confirmed) this.#restartTimer(interval);
    if (request.method === 'INVITE') this.awaitAck(octets, served);
  }

  /** What keeps a re-INVITE or UPDATE from being looked at now (RFC 3261 §14.2, RFC 3311 §5.2). */
  #offerRefusal(request: SipMessage): Refusal | undefined {
    if (this.#end) return { status: 481 };
    const isInvite = request.method === 'INVITE';
    if (isInvite && !this.#confirmed) return { status: 500, headers: [['Retry-After', '2']] };
    // A mere refresh is never in the way.
    if (!isInvite && request.bodyOctets === '') return undefined;
    if (this.#pending) return retrySoon(this.#stack);
    if (this.#isOfferPending()) return { status: 491 };
    return this.#confirmed ? undefined : this.early?.refusal();
  }

  #isOfferPending(): boolean {
    return (
      this.#unacknowledged !== undefined || this.#pending !== undefined || this.#reoffer?.isUnderWay === true
    );
  }

  #answerTo(request: SipMessage): Body | number | Promise<Body | number> | undefined {
    // An INVITE without an offer asks for ours: the session stays as it is. The UPDATE is a mere refresh.
    if (request.bodyOctets === '') return request.method === 'INVITE' ? this.#body : undefined;
    const offered = this.#confirmed
      ? this.#handlers?.offered(request.body)
      : this.early?.offered(request.body);
    return offered ?? 488;
  }

  #respond({ request, transaction }: Served, reply: RequestReply & Refusal): void {
    transaction.respond(reply.status, responseOctets(request, transaction.flow, reply));
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
    const over = () => this.dispose();
    const response = ({ status }: SipMessage) => (status < 200 ? undefined : over());
    this.requests.send('BYE', { headers }, { response, failed: over });
  }

  request(request: DialogRequest, done: (outcome: RequestOutcome) => void = () => {}): void {
    if (this.#end) return done({ kind: 'transport', message: 'the dialog has ended' });
    this.#layerRequests ??= new LayerRequests(this.requests);
    // After the response to the peer's own; and many a peer takes nothing between the 2xx and its ACK.
    if (this.#isServing || this.#unacknowledged)
      this.#layerRequests.hold(request, () => this.request(request, done));
    else this.#layerRequests.send(request, done);
  }

  #offer(offer: Offer, done: (outcome: ReofferOutcome) => void): void {
    if (this.#end || this.#reoffer || this.#isOfferPending()) return done({ kind: 'pending' });
    this.#reoffer = new Reoffer({
      stack: this.#stack,
      requests: this.requests,
      offer,
      ownsCallId: this.#options.ownsCallId,
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
      this.#restartTimer(settledBy(response));
    } else if (
      outcome.kind === 'timeout' ||
      (outcome.kind === 'response' && isGone(outcome.response.status))
    ) {
      this.#giveUp();
    }
  }

  #intervalHeaders(): readonly HeaderField[] {
    return askingAgain(this.#stack.sessionTimer, this.#sessionTimer?.interval);
  }

  /** Refreshes the session by UPDATE, or by re-INVITE where the peer knows no UPDATE. */
  #refresh(): void {
    const headers = this.#intervalHeaders();
    this.#offer(
      this.#knowsUpdate ? { method: 'UPDATE', headers } : { method: 'INVITE', headers, body: this.#body },
      () => {},
    );
  }

  /** A session was set up or refreshed; without an interval it needs no more refreshes. */
  #restartTimer(interval: SessionInterval | undefined): void {
    if (interval) {
      this.#sessionTimer ??= new SessionTimer({
        clock: this.#stack.clock,
        refresh: () => this.#refresh(),
        expired: () => this.#giveUp(),
      });
    }
    this.#sessionTimer?.restart(interval);
  }

  #ended(by: EndedBy, request?: RequestView): void {
    if (this.#end) return;
    this.#end = request ? { by, request } : { by };
    this.#pending?.refuse(487);
    this.#reoffer?.dispose();
    this.#sessionTimer?.stop();
    this.#handlers?.ended(by, request);
    this.#layerRequests?.release();
  }
}
