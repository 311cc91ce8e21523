// Every datagram's way in: parse, check, and on to its transaction, its dialog, or the handler of new calls.
import type { Endpoint, RequestView, ServerInvite, ServerRequest } from './agent.ts';
import { dialogKey } from './dialog/dialog.ts';
import { replacedBy } from './dialog/replaced.ts';
import { intervalRefusal } from './dialog/session-interval.ts';
import { inviteRefusal, methodRefusal, type Refusal, refusalOf } from './message/check.ts';
import { HEADER } from './message/headers.ts';
import type { SipMessage } from './message/message.ts';
import { scanMessage } from './message/parse.ts';
import { SipSyntaxError } from './message/syntax-error.ts';
import { takeRequest } from './out-of-dialog.ts';
import { fullBucket, type TokenBucket, takeToken } from './overload.ts';
import { capabilities, newTag, refusing, replyStatelessly, type Stack } from './stack.ts';
import type { Flow, Receive } from './transport/transport.ts';
import { takeInvite } from './uas.ts';

/** What is held at once; a request over that is answered 503 without being remembered. */
export interface Limits {
  readonly serverTransactions: number;
  /** Client and server transactions and dialogs together. */
  readonly state: number;
  /** New calls a second; one over it is answered 503. Any number without it. */
  readonly invitesPerSecond?: number;
}

export interface InboundOptions {
  /** 100,000 server transactions and 300,000 of everything without it. */
  readonly limits?: Partial<Limits>;
  /** An INVITE outside any dialog for which this is true gets no answer at all, not even 100: to play dead in tests. */
  readonly ignore?: (request: RequestView) => boolean;
  /** An INVITE with Max-Forwards 0 is handed on; 483 without it, before anyone is asked. */
  readonly takesSpentHops?: boolean;
}

const DEFAULT_LIMITS: Limits = { serverTransactions: 100_000, state: 300_000 };
const OVERLOADED: Refusal = { status: 503, headers: [['Retry-After', '5']] };
const LOGGED_CHARACTERS = 200;

export class Inbound {
  onInvite: ((invite: ServerInvite) => void) | undefined;
  /** Whether a request that nobody here takes is answered; see `UserAgent.answersStrangers`. */
  mayAnswer: (received: Endpoint) => boolean = () => true;
  /** By method. */
  readonly onRequest = new Map<string, (request: ServerRequest) => void>();
  readonly #stack: Stack;
  readonly #limits: Limits;
  readonly #ignore: (invite: RequestView) => boolean;
  readonly #spentHops: boolean;
  /** To tag of stateless responses: the same for a retransmission (RFC 3261 §8.2.7). */
  readonly #tag: string;
  #dropped = 0;
  #closed = false;
  #bucket: TokenBucket;

  constructor(stack: Stack, { limits, ignore, takesSpentHops = false }: InboundOptions) {
    this.#stack = stack;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#ignore = ignore ?? (() => false);
    this.#spentHops = takesSpentHops;
    this.#tag = newTag(stack.random);
    this.#bucket = fullBucket(this.#limits.invitesPerSecond ?? 0, stack.clock.monotonic());
  }

  /** Datagrams that led to nothing: garbage, and responses nobody waits for. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Nothing is taken any more. */
  close(): void {
    this.#closed = true;
  }

  /** Takes one datagram. The one place where what a message leads to is caught. */
  readonly receive: Receive = (octets, flow) => {
    // Keep-alives (RFC 5626 §3.5.1 and what phones send).
    if (this.#closed || (octets.length <= 4 && octets.trim() === '')) return;
    try {
      const message = scanMessage(octets);
      if (message.isRequest) this.#request(message, flow);
      else this.#response(message, octets, flow);
    } catch (error) {
      if (error instanceof SipSyntaxError) this.#drop(octets, flow, error.message);
      else this.#stack.log.error({ error, from: flow.peer }, 'a SIP message could not be dealt with');
    }
  };

  #drop(octets: string, { peer }: Flow, why: string): void {
    this.#dropped++;
    this.#stack.log.debug(
      { from: peer.address, port: peer.port, why, excerpt: octets.slice(0, LOGGED_CHARACTERS) },
      'SIP datagram dropped',
    );
  }

  #response(response: SipMessage, octets: string, flow: Flow): void {
    if (response.fault) throw response.fault;
    if (this.#stack.layer.response(response)) return;
    const isInviteSuccess =
      response.status >= 200 && response.status < 300 && response.seqMethod === 'INVITE';
    const key = dialogKey(response.callId, response.fromTag, response.toTag);
    const dialog = isInviteSuccess ? this.#stack.dialogs.get(key) : undefined;
    if (dialog) dialog.answeredAgain(response);
    else this.#drop(octets, flow, 'a response to nothing of ours');
  }

  #request(request: SipMessage, flow: Flow): void {
    // Without a Via there is no telling who asks.
    if (request.value(HEADER.via) === undefined) throw request.fault ?? new SipSyntaxError('via', 'no Via');
    const refusal = refusalOf(request);
    if (refusal) return this.#refuseStranger(request, flow, refusal);
    if (request.method === 'ACK') return this.#ack(request);
    if (this.#stack.layer.absorb(request)) return;
    if (request.method === 'CANCEL') return this.#cancel(request, flow);
    // A BYE makes room.
    if (this.#isFull() && request.method !== 'BYE') {
      return this.#refuse(request, flow, OVERLOADED);
    }
    if (request.toTag) this.#inDialog(request, flow);
    else this.#outsideDialog(request, flow);
  }

  #isFull(): boolean {
    const { layer, dialogs } = this.#stack;
    const { serverTransactions, state } = this.#limits;
    return layer.serverSize >= serverTransactions || layer.size + dialogs.size >= state;
  }

  #isOverRate(): boolean {
    const { invitesPerSecond } = this.#limits;
    if (invitesPerSecond === undefined) return false;
    const bucket = takeToken(this.#bucket, invitesPerSecond, this.#stack.clock.monotonic());
    this.#bucket = bucket ?? this.#bucket;
    return bucket === undefined;
  }

  /** Nearly always it is that of a 2xx, which its dialog waits for. */
  #ack(ack: SipMessage): void {
    const dialog = this.#stack.dialogs.get(dialogKey(ack.callId, ack.toTag, ack.fromTag));
    if (!dialog?.acknowledged(ack)) this.#stack.layer.inviteOf(ack)?.acknowledge(ack);
  }

  #cancel(cancel: SipMessage, flow: Flow): void {
    const transaction = this.#stack.layer.inviteOf(cancel);
    if (!transaction) return this.#refuse(cancel, flow, { status: 481 });
    this.#refuse(cancel, flow, { status: 200 });
    transaction.user?.canceled();
  }

  #inDialog(request: SipMessage, flow: Flow): void {
    const dialog = this.#stack.dialogs.get(dialogKey(request.callId, request.toTag, request.fromTag));
    if (dialog) dialog.receive(request, flow);
    else this.#refuseStranger(request, flow, { status: 481 });
  }

  #outsideDialog(request: SipMessage, flow: Flow): void {
    const handler = this.onRequest.get(request.method);
    if (handler) return takeRequest(this.#stack, { request, flow, statelessTag: this.#tag }, handler);
    switch (request.method) {
      case 'INVITE':
        return this.#invite(request, flow);
      case 'OPTIONS':
        return this.#refuseStranger(request, flow, {
          status: 200,
          headers: [...capabilities(this.#stack), ['Accept', 'application/sdp']],
        });
      default:
        return this.#refuseStranger(
          request,
          flow,
          methodRefusal(request.method, this.#stack.allow) ?? { status: 481 },
        );
    }
  }

  #invite(invite: SipMessage, flow: Flow): void {
    if (this.#ignore(invite)) return;
    const refusal = this.#stack.layer.isMerged(invite)
      ? { status: 482 }
      : (inviteRefusal(invite, this.#spentHops) ?? intervalRefusal(invite, this.#stack.sessionTimer));
    if (refusal) return this.#refuse(invite, flow, refusal);
    if (!this.onInvite) return this.#refuse(invite, flow, { status: 404 });
    if (this.#isOverRate()) return this.#refuse(invite, flow, OVERLOADED);
    const replaced = replacedBy(invite, this.#stack.dialogs);
    if (replaced?.kind === 'refused') return this.#refuseStranger(invite, flow, replaced.refusal);
    const incoming = { request: invite, flow, statelessTag: this.#tag, replaces: replaced?.dialog };
    try {
      takeInvite(this.#stack, incoming, this.onInvite);
    } catch (error) {
      if (!(error instanceof SipSyntaxError)) throw error;
      this.#refuse(invite, flow, { status: 400, reason: 'Bad Request: no dialog can be made of it' });
    }
  }

  /** Anyone can ask for these, in anyone's name. */
  #refuseStranger(request: SipMessage, flow: Flow, refusal: Refusal): void {
    if (this.mayAnswer(flow.peer)) this.#refuse(request, flow, refusal);
  }

  #refuse(request: SipMessage, flow: Flow, refusal: Refusal): void {
    replyStatelessly(request, flow, refusing(refusal, this.#tag));
  }
}
