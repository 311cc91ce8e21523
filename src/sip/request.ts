// A request of ours, sent once more where the peer asks for something else: credentials (RFC 3261 §22), or a longer
// session interval (RFC 4028 §7.4).
import type { HeaderField } from './agent.ts';
import { answerChallenge, type Credentials, formatAnswer, parseChallenge } from './auth/digest.ts';
import type { SipMessage } from './message/message.ts';
import type { RequestParts } from './message/serialize.ts';
import { newBranch, type Stack, viaOf } from './stack.ts';
import type { ClientTransaction, ClientUser } from './transaction/client-transaction.ts';
import type { Flow } from './transport/transport.ts';

export interface Outgoing {
  readonly flow: Flow;
  /** Taken where nothing at all came of `flow`. */
  readonly otherwise?: Flow | undefined;
  readonly request: Omit<RequestParts, 'via'>;
  readonly credentials?: Credentials | undefined;
  /** The CSeq of a further try; the next number without it. */
  readonly nextSeq?: () => number;
}

/** Each reason for another try counts once. */
type Reason = 'credentials' | 'interval';

export class SentRequest implements ClientUser {
  readonly #stack: Stack;
  #flow: Flow;
  #otherwise: Flow | undefined;
  readonly #credentials: Credentials | undefined;
  readonly #nextSeq: (() => number) | undefined;
  readonly #user: ClientUser;
  /** Made at the first retry. */
  #retried: Set<Reason> | undefined;
  #request: RequestParts;
  #branch: string;
  #transaction: ClientTransaction;
  #abandoned = false;

  /** @throws {SipSyntaxError} when the request may not go on the wire. */
  constructor(stack: Stack, outgoing: Outgoing, user: ClientUser) {
    this.#stack = stack;
    this.#flow = outgoing.flow;
    this.#otherwise = outgoing.otherwise;
    this.#credentials = outgoing.credentials;
    this.#nextSeq = outgoing.nextSeq;
    this.#user = user;
    this.#branch = newBranch(stack.random);
    this.#request = { ...outgoing.request, via: viaOf(outgoing.flow.transport, this.#branch) };
    this.#transaction = this.#send();
  }

  /** As it was sent last. */
  get request(): RequestParts {
    return this.#request;
  }

  get branch(): string {
    return this.#branch;
  }

  /** Nothing is sent again: further responses are somebody else's. */
  handOver(user: ClientUser): void {
    this.#transaction.user = user;
  }

  abandon(): void {
    this.#abandoned = true;
    this.#transaction.abandon();
  }

  response(response: SipMessage): void {
    this.#otherwise = undefined;
    const headers = response.status >= 400 && !this.#abandoned ? this.#revised(response) : undefined;
    if (headers) this.#again(headers);
    else this.#user.response(response);
  }

  failed(why: 'timeout' | 'transport', message: string): void {
    const flow = this.#otherwise;
    this.#otherwise = undefined;
    if (why === 'transport' && flow && !this.#abandoned) {
      this.#flow = flow;
      return this.#again(this.#request.headers);
    }
    this.#user.failed(why, message);
  }

  cancelDue(): void {
    this.#user.cancelDue?.();
  }

  #send(): ClientTransaction {
    return this.#stack.layer.request(this.#request, this.#branch, this.#flow, this);
  }

  /** A new request as far as its transaction goes: new CSeq and branch, the same Call-ID and tags. */
  #again(headers: readonly HeaderField[]): void {
    this.#branch = newBranch(this.#stack.random);
    const via = viaOf(this.#flow.transport, this.#branch);
    this.#request = { ...this.#request, via, headers, seq: this.#nextSeq?.() ?? this.#request.seq + 1 };
    this.#transaction = this.#send();
  }

  #revised(response: SipMessage): readonly HeaderField[] | undefined {
    const { headers } = this.#request;
    const asked = response.status === 422 ? 'interval' : 'credentials';
    if (this.#retried?.has(asked)) return undefined;
    const revised = asked === 'interval' ? withInterval(headers, response) : this.#withCredentials(response);
    if (!revised) return undefined;
    this.#retried ??= new Set();
    this.#retried.add(asked);
    return revised;
  }

  #withCredentials(response: SipMessage): readonly HeaderField[] | undefined {
    const credentials = this.#credentials;
    const isProxy = response.status === 407;
    if (!credentials || (response.status !== 401 && !isProxy)) return undefined;
    // The topmost that is understood is what the server likes best (RFC 8760 §2.4).
    const challenge = response
      .headers(isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate')
      .map(parseChallenge)
      .find((one) => one !== undefined);
    if (!challenge) return undefined;
    const { method, uri, headers } = this.#request;
    const cnonce = this.#stack.random.hex(8);
    const answer = formatAnswer(answerChallenge(challenge, credentials, { method, uri, cnonce, nc: 1 }));
    return [...headers, [isProxy ? 'Proxy-Authorization' : 'Authorization', answer]];
  }
}

/** The headers with the interval that a 422 names, where they asked for a shorter one. */
function withInterval(headers: readonly HeaderField[], response: SipMessage): HeaderField[] | undefined {
  const minSe = /^\d{1,9}/.exec(response.header('Min-SE') ?? '')?.[0];
  const asked = headers.find(([name]) => name === 'Session-Expires');
  if (minSe === undefined || !asked || Number.parseInt(asked[1], 10) >= Number(minSe)) return undefined;
  const kept = headers.filter(([name]) => name !== 'Session-Expires' && name !== 'Min-SE');
  return [...kept, ['Session-Expires', minSe], ['Min-SE', minSe]];
}

/** The credentials in a request: the ACK of its 2xx carries them too (RFC 3261 §13.2.2.4). */
export function credentialsIn({ headers }: RequestParts): readonly HeaderField[] {
  const found = headers.filter(([name]) => name === 'Authorization' || name === 'Proxy-Authorization');
  return found.length > 0 ? found : NO_HEADERS;
}

const NO_HEADERS: readonly HeaderField[] = [];

/** @throws {SipSyntaxError} when the request may not go on the wire. */
export const sendRequest = (stack: Stack, outgoing: Outgoing, user: ClientUser): SentRequest =>
  new SentRequest(stack, outgoing, user);
