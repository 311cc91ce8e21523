// An INVITE of ours that has its 2xx. Copies of that and the 2xx of further forks may come for 64·T1 (RFC 3261
// §13.2.2.4): all that is kept so long is what their ACKs need, as thousands wait at once.
import type { InviteHandlers } from './agent.ts';
import type { Credentials } from './auth/digest.ts';
import { dialogKey, uacDialog } from './dialog/dialog.ts';
import { DialogRequests, type Extras } from './dialog/dialog-requests.ts';
import { DialogSession } from './dialog/dialog-session.ts';
import { settledBy } from './dialog/session-interval.ts';
import type { SipMessage } from './message/message.ts';
import type { RequestParts } from './message/serialize.ts';
import type { Stack } from './stack.ts';
import type { ClientUser } from './transaction/client-transaction.ts';
import type { Flow } from './transport/transport.ts';

/** No more dialogs come of one INVITE: no proxy forks that widely. */
export const MAX_FORKS = 32;

interface AnsweredOptions {
  readonly stack: Stack;
  readonly flow: Flow;
  /** As it was sent last. */
  readonly request: RequestParts;
  readonly localTag: string;
  readonly credentials: Credentials | undefined;
  /** Who is told of further 2xx; without it, whoever the first dialog says. */
  readonly told: Pick<InviteHandlers, 'late'> | undefined;
  /** The ACK of its first 2xx. */
  readonly ack: Extras & { readonly branch: string };
}

export class AnsweredInvite implements ClientUser {
  readonly callId: string;
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly seq: number;
  readonly #stack: Stack;
  readonly #flow: Flow;
  readonly #localTag: string;
  readonly #credentials: Credentials | undefined;
  readonly #told: Pick<InviteHandlers, 'late'> | undefined;
  readonly #ack: AnsweredOptions['ack'];
  /** Of the dialogs that its 2xx have made: one, or several where a proxy forked. */
  #dialogKeys: readonly string[];

  /** The dialog that the first 2xx made has been acknowledged. */
  constructor({ request, ...options }: AnsweredOptions, first: DialogSession) {
    this.callId = request.callId;
    this.uri = request.uri;
    this.from = request.from;
    this.to = request.to;
    this.seq = request.seq;
    this.#stack = options.stack;
    this.#flow = options.flow;
    this.#localTag = options.localTag;
    this.#credentials = options.credentials;
    this.#told = options.told;
    this.#ack = options.ack;
    this.#dialogKeys = [first.key];
  }

  response(response: SipMessage): void {
    const key = dialogKey(this.callId, this.#localTag, response.toTag);
    if (this.#dialogKeys.includes(key)) this.#acknowledgeAgain(response, key);
    else if (this.#dialogKeys.length < MAX_FORKS) this.#endFork(response);
  }

  failed(): void {}

  #acknowledgeAgain(response: SipMessage, key: string): void {
    const state = uacDialog(this, this.#localTag, response);
    const requests = new DialogRequests(this.#stack, state, this.#flow, undefined);
    const { headers, branch } = this.#ack;
    if (key === this.#dialogKeys[0]) requests.ack(this.seq, this.#ack, branch)();
    else requests.ack(this.seq, { headers })();
  }

  #endFork(response: SipMessage): void {
    const state = uacDialog(this, this.#localTag, response);
    const options = { state, flow: this.#flow, ownsCallId: true, credentials: this.#credentials };
    const session = new DialogSession(this.#stack, options);
    session.confirm({ body: undefined, interval: settledBy(response), peer: response });
    session.acknowledge({ headers: this.#ack.headers });
    this.#dialogKeys = [...this.#dialogKeys, session.key];
    session.bye();
    const told = this.#told ?? this.#stack.dialogs.get(this.#dialogKeys[0] ?? '')?.told;
    told?.late?.({ kind: 'answer', status: response.status, sent: 'ACK, BYE' });
  }
}
