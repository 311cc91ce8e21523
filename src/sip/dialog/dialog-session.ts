// A confirmed INVITE dialog under way: the shell around dialog.ts that sends, answers and ends.
import type { Body, Dialog, DialogHandlers, Endpoint, HeaderField, RequestView } from '../agent.ts';
import { bodyRefusal, methodRefusal } from '../message/check.ts';
import type { SipMessage } from '../message/message.ts';
import { checkHeaders, type RequestParts, serializeRequest } from '../message/serialize.ts';
import {
  capabilities,
  contactOf,
  dialogDestination,
  type InboundDialog,
  newBranch,
  requestHeaders,
  responseOctets,
  type Stack,
  viaOf,
} from '../stack.ts';
import { Runner } from '../transaction/runner.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Flow } from '../transport/transport.ts';
import { type DialogState, dialogKey, received, refreshed, targetOf } from './dialog.ts';
import {
  SUCCESS_RESPONSE,
  type SuccessResponseInput,
  type SuccessResponseState,
  stepSuccessResponse,
} from './success-response.ts';

type EndedBy = 'remote' | 'local' | 'failure';

export class DialogSession implements Dialog, InboundDialog {
  readonly #stack: Stack;
  readonly #flow: Flow;
  /** Our session description: what the answer to a re-INVITE without an offer repeats. */
  readonly #body: Body;
  readonly #key: string;
  readonly #inviteSeq: number;
  #state: DialogState;
  #handlers: DialogHandlers | undefined;
  #end: { by: EndedBy; request?: RequestView } | undefined;
  #ack: { octets: string; flow: Flow } | undefined;
  /** A 2xx of ours without its ACK yet, and the CSeq of its INVITE. */
  #unacknowledged: { runner: Runner<SuccessResponseState, SuccessResponseInput>; seq: number } | undefined;
  /** BYE headers, kept until the ACK has come: a UAS may not send BYE before (RFC 3261 §15). */
  #heldBye: readonly HeaderField[] | undefined;

  constructor(stack: Stack, state: DialogState, flow: Flow, body: Body) {
    this.#stack = stack;
    this.#state = state;
    this.#flow = flow;
    this.#body = body;
    this.#inviteSeq = state.localSeq;
    this.#key = dialogKey(state.callId, state.localTag, state.remoteTag);
    stack.dialogs.set(this.#key, this);
  }

  get callId(): string {
    return this.#state.callId;
  }

  get localTag(): string {
    return this.#state.localTag;
  }

  get remoteTag(): string {
    return this.#state.remoteTag;
  }

  handle(handlers: DialogHandlers): void {
    this.#handlers = handlers;
    if (this.#end) handlers.ended(this.#end.by, this.#end.request);
  }

  bye(headers: readonly HeaderField[] = []): void {
    if (this.#end) return;
    checkHeaders(headers);
    if (this.#unacknowledged) this.#heldBye = headers;
    else this.#sendBye(headers);
    this.#ended('local');
  }

  /** Marks a dialog that the peer gave up before it came to be. */
  endedBefore(): void {
    this.dispose();
    this.#ended('remote');
  }

  /** Acknowledges the 2xx of our INVITE, the first time and every further one. */
  acknowledge(): void {
    if (!this.#ack) {
      const { request, flow } = this.#inDialog('ACK', this.#inviteSeq, []);
      this.#ack = { octets: serializeRequest(request), flow };
    }
    this.#ack.flow.transport.send(this.#ack.octets, this.#ack.flow.peer);
  }

  /** Keeps sending a 2xx of ours, whose first copy has been sent, until the ACK of the INVITE `seq` comes. */
  awaitAck(octets: string, seq: number, flow: Flow): void {
    const { clock, timers } = this.#stack;
    const runner = new Runner<SuccessResponseState, SuccessResponseInput>({
      clock,
      timers,
      initial: SUCCESS_RESPONSE,
      step: stepSuccessResponse,
      perform: (action) => {
        if (action.type === 'send') flow.transport.send(octets, flow.peer);
        else if (action.type === 'fail') this.#ackMissing();
      },
    });
    this.#unacknowledged = { runner, seq };
    runner.feed({ type: 'start' });
  }

  acknowledged(ack: SipMessage): void {
    if (this.#unacknowledged?.seq !== ack.seq) return;
    this.#unacknowledged.runner.feed({ type: 'ack' });
    this.#unacknowledged = undefined;
    this.#sendHeldBye();
  }

  answeredAgain(response: SipMessage): void {
    if (response.seq === this.#inviteSeq) this.acknowledge();
  }

  request(request: SipMessage, flow: Flow): void {
    const transaction = this.#stack.layer.serve(request, flow);
    const next = received(this.#state, request.seq);
    if (!next) return this.#respond(transaction, 500);
    this.#state = next;
    switch (request.method) {
      case 'BYE':
        return this.#byeReceived(transaction);
      case 'INVITE':
      case 'UPDATE':
        return this.#offerReceived(transaction);
      case 'OPTIONS':
        return this.#respond(transaction, 200, [...capabilities(this.#stack), ['Accept', 'application/sdp']]);
      // No subscription and no reliable provisional response exists that they could belong to.
      case 'NOTIFY':
      case 'PRACK':
        return this.#respond(transaction, 481);
      default: {
        const refusal = methodRefusal(request.method);
        return this.#respond(transaction, refusal?.status ?? 405, refusal?.headers);
      }
    }
  }

  dispose(): void {
    this.#unacknowledged?.runner.dispose();
    this.#stack.dialogs.delete(this.#key);
  }

  #byeReceived(transaction: ServerTransaction): void {
    this.#respond(transaction, 200);
    this.dispose();
    this.#ended('remote', transaction.request);
  }

  #offerReceived(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (this.#end) return this.#respond(transaction, 481);
    if (request.method === 'INVITE' && this.#unacknowledged) return this.#respond(transaction, 491);
    const refusal = bodyRefusal(request);
    if (refusal) return this.#respond(transaction, refusal.status, refusal.headers);
    const answer = this.#answerTo(request);
    if (typeof answer === 'number') return this.#respond(transaction, answer);
    this.#state = refreshed(this.#state, request);
    const headers: HeaderField[] = [
      ['Contact', contactOf(transaction.flow.transport)],
      ...capabilities(this.#stack),
    ];
    const reply = { status: 200, headers, ...(answer && { body: answer }) };
    const octets = responseOctets(request, transaction.flow, reply);
    transaction.respond(200, octets);
    if (request.method === 'INVITE') this.awaitAck(octets, request.seq, transaction.flow);
  }

  #answerTo(request: SipMessage): Body | number | undefined {
    if (request.bodyOctets !== '') return this.#handlers?.offered(request.body) ?? 488;
    // An INVITE without an offer asks for ours: the session stays as it is. The UPDATE is a mere refresh.
    return request.method === 'INVITE' ? this.#body : undefined;
  }

  #respond(transaction: ServerTransaction, status: number, headers: readonly HeaderField[] = []): void {
    transaction.respond(status, responseOctets(transaction.request, transaction.flow, { status, headers }));
  }

  #ackMissing(): void {
    this.#unacknowledged = undefined;
    if (this.#heldBye) return this.#sendHeldBye();
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
    this.#state = { ...this.#state, localSeq: this.#state.localSeq + 1 };
    const branch = newBranch(this.#stack.random);
    const { request: bye, flow } = this.#inDialog('BYE', this.#state.localSeq, headers, branch);
    this.#stack.layer.request(bye, branch, flow, {
      response: (response) => {
        if (response.status >= 200) this.dispose();
      },
      failed: () => this.dispose(),
    });
  }

  #inDialog(
    method: string,
    seq: number,
    headers: readonly HeaderField[],
    branch = newBranch(this.#stack.random),
  ): { request: RequestParts; flow: Flow } {
    const { transport } = this.#flow;
    const { uri, routes, nextHop } = targetOf(this.#state);
    const peer: Endpoint = dialogDestination(this.#stack, nextHop, this.#flow);
    const request: RequestParts = {
      method,
      uri,
      via: viaOf(transport, branch),
      from: this.#state.local,
      to: this.#state.remote,
      callId: this.#state.callId,
      seq,
      routes,
      headers: [...requestHeaders(this.#stack), ...headers],
    };
    return { request, flow: { transport, peer } };
  }

  #ended(by: EndedBy, request?: RequestView): void {
    if (this.#end) return;
    this.#end = request ? { by, request } : { by };
    this.#handlers?.ended(by, request);
  }
}
