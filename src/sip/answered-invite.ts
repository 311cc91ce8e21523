// An INVITE of ours that has its 2xx. Copies of that and the 2xx of further forks may come for 64·T1 (RFC 3261
// §13.2.2.4): all that is kept so long is what their ACKs need and do not tell themselves, as thousands wait at once.
import type { InviteHandlers } from './agent.ts';
import type { Credentials } from './auth/digest.ts';
import { type DialogState, dialogKey, uacDialog } from './dialog/dialog.ts';
import { DialogRequests, type Extras } from './dialog/dialog-requests.ts';
import { DialogSession } from './dialog/dialog-session.ts';
import { settledBy } from './dialog/session-interval.ts';
import { HEADER } from './message/headers.ts';
import type { SipMessage } from './message/message.ts';
import { addressUri } from './message/name-addr.ts';
import type { Stack } from './stack.ts';
import type { ClientUser } from './transaction/client-transaction.ts';
import type { Flow } from './transport/transport.ts';

/** No more dialogs come of one INVITE: no proxy forks that widely. */
export const MAX_FORKS = 32;

interface AnsweredOptions {
  readonly stack: Stack;
  readonly flow: Flow;
  readonly credentials: Credentials | undefined;
  /** Who is told of further 2xx; without it, whoever the first dialog says. */
  readonly told: Pick<InviteHandlers, 'late'> | undefined;
  /** The ACK of its first 2xx. */
  readonly ack: Extras & { readonly branch: string };
}

export class AnsweredInvite implements ClientUser {
  readonly #stack: Stack;
  readonly #flow: Flow;
  readonly #credentials: Credentials | undefined;
  readonly #told: Pick<InviteHandlers, 'late'> | undefined;
  readonly #ack: AnsweredOptions['ack'];
  /** Of the dialog that its first 2xx made. */
  readonly #first: string;
  /** Of the others, where a proxy forked. */
  #forks: readonly string[] = NONE;

  /** The dialog that the first 2xx made has been acknowledged. */
  constructor({ stack, flow, credentials, told, ack }: AnsweredOptions, first: DialogSession) {
    this.#stack = stack;
    this.#flow = flow;
    this.#credentials = credentials;
    this.#told = told;
    this.#ack = ack;
    this.#first = first.key;
  }

  response(response: SipMessage): void {
    const key = dialogKey(response.callId, response.fromTag, response.toTag);
    if (key === this.#first || this.#forks.includes(key)) this.#acknowledgeAgain(response, key);
    else if (this.#forks.length < MAX_FORKS - 1) this.#endFork(response);
  }

  failed(): void {}

  #acknowledgeAgain(response: SipMessage, key: string): void {
    const state = dialogOf(response);
    const requests = new DialogRequests(this.#stack, state, this.#flow, undefined);
    const { headers, branch } = this.#ack;
    if (key === this.#first) requests.ack(response.seq, this.#ack, branch)();
    else requests.ack(response.seq, { headers })();
  }

  #endFork(response: SipMessage): void {
    const state = dialogOf(response);
    const options = { state, flow: this.#flow, ownsCallId: true, credentials: this.#credentials };
    const session = new DialogSession(this.#stack, options);
    session.confirm({ body: undefined, interval: settledBy(response), peer: response });
    session.acknowledge({ headers: this.#ack.headers });
    this.#forks = [...this.#forks, session.key];
    session.bye();
    const told = this.#told ?? this.#stack.dialogs.get(this.#first)?.told;
    told?.late?.({ kind: 'answer', status: response.status, sent: 'ACK, BYE' });
  }
}

const NONE: readonly string[] = [];

/** A 2xx repeats what the INVITE said (RFC 3261 §8.2.6.2). */
function dialogOf(response: SipMessage): DialogState {
  const [from, to] = [response.value(HEADER.from) ?? '', response.value(HEADER.to) ?? ''];
  const { callId, seq, fromTag } = response;
  return uacDialog({ callId, seq, from, to, uri: addressUri(to) }, fromTag, response);
}
