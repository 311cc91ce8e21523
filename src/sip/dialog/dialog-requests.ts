// Requests of ours inside a dialog: their numbers, their route, and the credentials they are challenged for.
import type { Body, DialogIdentity, Endpoint, HeaderField } from '../agent.ts';
import type { Credentials } from '../auth/digest.ts';
import { isLargeInDialog } from '../large-request.ts';
import { type RequestParts, serializeRequest } from '../message/serialize.ts';
import { type Outgoing, SentRequest } from '../request.ts';
import { dialogDestination, newBranch, type Stack, viaOf } from '../stack.ts';
import type { ClientUser } from '../transaction/client-transaction.ts';
import type { Flow } from '../transport/transport.ts';
import { type DialogState, type DialogTarget, targetOf } from './dialog.ts';

export interface Extras {
  readonly headers?: readonly HeaderField[] | undefined;
  readonly body?: Body | undefined;
}

export class DialogRequests {
  /** Replaced, never changed, as requests come and go. */
  state: DialogState;
  /** The flow by which the dialog came to be. */
  readonly flow: Flow;
  readonly #stack: Stack;
  readonly #credentials: Credentials | undefined;
  /** Where requests go; good while the peer's Contact stays the same. */
  #target:
    | (DialogTarget & {
        readonly contact: string;
        readonly routeSet: readonly string[];
        readonly peer: Endpoint;
      })
    | undefined;

  constructor(stack: Stack, state: DialogState, flow: Flow, credentials: Credentials | undefined) {
    this.#stack = stack;
    this.state = state;
    this.flow = flow;
    this.#credentials = credentials;
  }

  get identity(): DialogIdentity {
    const { remoteSeq: _, ...state } = this.state;
    const { transport, peer } = this.flow;
    return { ...state, peer: { ...peer, local: transport.local.address } };
  }

  /** @throws {SipSyntaxError} when it may not go on the wire; nothing is sent then. */
  send(method: string, extras: Extras, user: ClientUser): SentRequest {
    const { request, flow } = this.#build(method, this.#nextSeq(), extras);
    const credentials = this.#credentials;
    const nextSeq = () => this.#nextSeq();
    const stream = this.#streamFor(request, flow.peer);
    const outgoing: Outgoing = stream
      ? { request, flow: stream, otherwise: flow, credentials, nextSeq }
      : { request, flow, credentials, nextSeq };
    return new SentRequest(this.#stack, outgoing, user);
  }

  /** The ACK of a 2xx to the INVITE `seq`, ready to be sent as often as that comes. */
  ack(seq: number, extras: Extras, branch = newBranch(this.#stack.random)): () => void {
    const { request, flow } = this.#build('ACK', seq, extras);
    const via = viaOf(flow.transport, branch);
    const octets = serializeRequest({ ...request, via });
    return () => flow.transport.send(octets, flow.peer);
  }

  /** The way of a request that is too large for a datagram (RFC 3261 §18.1.1). */
  #streamFor(request: Omit<RequestParts, 'via'>, peer: Endpoint): Flow | undefined {
    if (peer.transport !== 'udp' || !peer.mayUseTcp || !isLargeInDialog(request)) return undefined;
    const byStream: Endpoint = { ...peer, transport: 'tcp' };
    const transport = this.#stack.transportTo(byStream);
    return transport && { transport, peer: byStream };
  }

  #nextSeq(): number {
    const localSeq = this.state.localSeq + 1;
    this.state = { ...this.state, localSeq };
    return localSeq;
  }

  #whereTo(): DialogTarget & { readonly peer: Endpoint } {
    const { remoteTarget, routeSet } = this.state;
    if (this.#target?.contact === remoteTarget && this.#target.routeSet === routeSet) return this.#target;
    const target = targetOf(this.state);
    const peer = dialogDestination(this.#stack, target.nextHop, this.flow);
    this.#target = { ...target, contact: remoteTarget, routeSet, peer };
    return this.#target;
  }

  #build(method: string, seq: number, extras: Extras): { request: Omit<RequestParts, 'via'>; flow: Flow } {
    const { transport } = this.flow;
    const { uri, routes, peer } = this.#whereTo();
    const request = {
      method,
      uri,
      from: this.state.local,
      to: this.state.remote,
      callId: this.state.callId,
      seq,
      routes,
      fixed: this.#stack.lines.request,
      headers: extras.headers ?? [],
      ...(extras.body && { body: extras.body }),
    };
    return { request, flow: { transport, peer } };
  }
}
