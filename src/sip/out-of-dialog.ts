// Requests outside any dialog that make none: REGISTER, OPTIONS, MESSAGE and the like, both ways.
import type { Endpoint, HeaderField, RequestOptions, RequestOutcome, ServerRequest } from './agent.ts';
import type { SipMessage } from './message/message.ts';
import { formatNameAddr } from './message/name-addr.ts';
import { parseUri } from './message/uri.ts';
import { sendRequest } from './request.ts';
import { contactOf, newTag, replyStatelessly, requestHeaders, responseOctets, type Stack } from './stack.ts';
import type { ServerTransaction } from './transaction/server-transaction.ts';
import type { Flow, Transport } from './transport/transport.ts';
import { requestUri, withDefaults } from './uac.ts';

/** @throws {SipSyntaxError} when an option cannot be put on the wire. */
export function sendOutOfDialog(
  stack: Stack,
  transport: Transport,
  options: RequestOptions,
  done: (outcome: RequestOutcome) => void,
): void {
  const { method, from, fromName, destination, credentials, contact, body } = options;
  const uri = requestUri(options.uri);
  parseUri(from);
  const headers: HeaderField[] = [
    ['Contact', contact ?? contactOf(transport)],
    ...withDefaults(options.headers ?? [], requestHeaders(stack)),
  ];
  const request = {
    method,
    uri,
    from: `${formatNameAddr(from, fromName)};tag=${newTag(stack.random)}`,
    to: formatNameAddr(options.to ?? uri),
    callId: options.callId ?? stack.random.hex(16),
    seq: options.seq ?? 1,
    routes: [],
    headers,
    ...(body && { body }),
  };
  sendRequest(
    stack,
    { request, flow: { transport, peer: destination }, credentials },
    {
      response: (response) => {
        if (response.status >= 200) done({ kind: 'response', response });
      },
      failed: (why, message) =>
        done(why === 'timeout' ? { kind: 'timeout' } : { kind: 'transport', message }),
    },
  );
}

/**
 * Takes a request and hands it on; a handler that throws becomes 500. It is remembered, so that retransmissions are
 * absorbed, unless the handler answered it statelessly or not at all.
 */
export function takeRequest(
  stack: Stack,
  { request, flow, statelessTag }: IncomingRequest,
  handler: (request: ServerRequest) => void,
): void {
  const taken = new TakenRequest(stack, { request, flow, statelessTag });
  try {
    handler(taken);
  } catch (error) {
    stack.log.error({ error, method: request.method }, 'the handler of a request failed');
    taken.respond(500);
  }
  taken.awaitResponse();
}

interface IncomingRequest {
  readonly request: SipMessage;
  readonly flow: Flow;
  /** To tag of a stateless response. */
  readonly statelessTag: string;
}

class TakenRequest implements ServerRequest {
  readonly request: SipMessage;
  readonly received: Endpoint;
  readonly #stack: Stack;
  readonly #incoming: IncomingRequest;
  #transaction: ServerTransaction | undefined;
  #isOver = false;

  constructor(stack: Stack, incoming: IncomingRequest) {
    this.request = incoming.request;
    this.received = incoming.flow.peer;
    this.#stack = stack;
    this.#incoming = incoming;
  }

  readonly respond: ServerRequest['respond'] = (status, reply = {}, how = { stateless: false }) => {
    if (this.#isOver) return;
    this.#isOver = true;
    const { request, flow, statelessTag } = this.#incoming;
    const headers: HeaderField[] = [['Server', this.#stack.product], ...(reply.headers ?? [])];
    if (how.stateless && !this.#transaction) {
      replyStatelessly(request, flow, { ...reply, headers, status, toTag: statelessTag });
      return;
    }
    const toTag = newTag(this.#stack.random);
    this.#serve().respond(status, responseOctets(request, flow, { ...reply, headers, status, toTag }));
  };

  readonly ignore = (): void => {
    if (!this.#transaction) this.#isOver = true;
  };

  /** The handler has returned: what it has not answered yet it may answer later. */
  awaitResponse(): void {
    if (!this.#isOver) this.#serve();
  }

  #serve(): ServerTransaction {
    if (this.#transaction) return this.#transaction;
    this.#transaction = this.#stack.layer.serve(this.request, this.#incoming.flow);
    this.#transaction.awaitResponse();
    return this.#transaction;
  }
}
