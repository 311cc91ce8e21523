// An INVITE that came in: its provisional and final responses, and its CANCEL (RFC 3261 §13.3, §9.2).
import type { Body, Dialog, HeaderField, ServerInvite } from './agent.ts';
import { type DialogState, uasDialog } from './dialog/dialog.ts';
import { DialogSession } from './dialog/dialog-session.ts';
import type { SipMessage } from './message/message.ts';
import { bracketed } from './message/uri.ts';
import { capabilities, contactOf, newTag, replyStatelessly, responseOctets, type Stack } from './stack.ts';
import type { ServerTransaction, ServerUser } from './transaction/server-transaction.ts';
import type { Flow } from './transport/transport.ts';

interface Incoming {
  readonly request: SipMessage;
  readonly flow: Flow;
  /** To tag of a stateless response. */
  readonly statelessTag: string;
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

class UasInvite implements ServerInvite, ServerUser {
  readonly request: SipMessage;
  onCancel: () => void = () => {};
  readonly #stack: Stack;
  readonly #incoming: Incoming;
  readonly #dialog: DialogState;
  #served: ServerTransaction | undefined;
  #session: DialogSession | undefined;
  #phase: 'new' | 'proceeding' | 'final' = 'new';

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

  get received(): Flow['peer'] {
    return this.#incoming.flow.peer;
  }

  trying(): void {
    if (this.#phase !== 'new') return;
    this.#phase = 'proceeding';
    this.#transaction.respond(100, responseOctets(this.request, this.#transaction.flow, { status: 100 }));
  }

  progress(status: number, body?: Body): void {
    if (status <= 100 || status >= 200) throw new RangeError(`${status} is no provisional response over 100`);
    if (this.#phase === 'final') return;
    this.#transaction.respond(status, this.#octets(status, body));
    this.#phase = 'proceeding';
  }

  accept(body: Body): Dialog {
    const { flow } = this.#transaction;
    if (this.#session) return this.#session;
    const session = new DialogSession(this.#stack, this.#dialog, flow, body);
    this.#session = session;
    if (this.#phase === 'final') {
      // The CANCEL was faster: the dialog that the caller of this gets has ended.
      session.endedBefore();
      return session;
    }
    const octets = this.#octets(200, body);
    this.#phase = 'final';
    this.#transaction.respond(200, octets);
    session.awaitAck(octets, this.request.seq, flow);
    return session;
  }

  reject(status: number, headers: readonly HeaderField[] = [], how = { stateless: false }): void {
    if (status < 300 || status > 699) throw new RangeError(`${status} is no final response of 300 or more`);
    if (this.#phase === 'final') return;
    if (how.stateless && this.#phase === 'new') {
      const { flow, statelessTag } = this.#incoming;
      replyStatelessly(this.request, flow, { status, headers, toTag: statelessTag });
      this.#phase = 'final';
      return;
    }
    const reply = { status, headers, toTag: this.#dialog.localTag };
    this.#transaction.respond(status, responseOctets(this.request, this.#transaction.flow, reply));
    this.#phase = 'final';
  }

  canceled(): void {
    if (this.#phase === 'final') return;
    this.reject(487);
    this.onCancel();
  }

  acknowledged(ack: SipMessage): void {
    this.#session?.acknowledged(ack);
  }

  #octets(status: number, body: Body | undefined): string {
    const { flow } = this.#transaction;
    return responseOctets(this.request, flow, {
      status,
      toTag: this.#dialog.localTag,
      copyRecordRoute: true,
      headers: [['Contact', contactOf(flow.transport)], ...capabilities(this.#stack)],
      ...(body && { body }),
    });
  }
}
