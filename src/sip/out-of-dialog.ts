// Requests outside any dialog that make none: REGISTER, OPTIONS, MESSAGE and the like, both ways.
import type { HeaderField, RequestOptions, RequestOutcome, RequestReply, ServerRequest } from './agent.ts';
import type { SipMessage } from './message/message.ts';
import { formatNameAddr } from './message/name-addr.ts';
import { parseUri } from './message/uri.ts';
import { sendRequest } from './request.ts';
import { contactOf, newTag, requestHeaders, responseOctets, type Stack } from './stack.ts';
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

/** Takes a request and hands it on; a handler that throws becomes 500. */
export function takeRequest(
  stack: Stack,
  request: SipMessage,
  flow: Flow,
  handler: (request: ServerRequest) => void,
): void {
  const transaction = stack.layer.serve(request, flow);
  const toTag = newTag(stack.random);
  const respond = (status: number, reply: Omit<RequestReply, 'status'> = {}): void => {
    const headers: HeaderField[] = [['Server', stack.product], ...(reply.headers ?? [])];
    transaction.respond(status, responseOctets(request, flow, { ...reply, headers, status, toTag }));
  };
  transaction.awaitResponse();
  try {
    handler({ request, received: flow.peer, respond });
  } catch (error) {
    stack.log.error({ error, method: request.method }, 'the handler of a request failed');
    respond(500);
  }
}
