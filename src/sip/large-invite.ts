// An INVITE too large for a datagram: by TCP, and by UDP after all where TCP is not to be had (RFC 3261 §18.1.1).
import type { ClientInvite, InviteHandlers, InviteOptions } from './agent.ts';

/** Without knowledge of the path: leaves room for what grows on the way (RFC 3261 §18.1.1). */
const MAX_DATAGRAM_OCTETS = 1300;
/** Start line, Via, From, To, Call-ID, CSeq, Contact, Allow, … without what the options bring; IPv6 takes all of it. */
const STACK_OCTETS = 400;

/** Whether an INVITE will be larger than a datagram should be. */
export function isLarge({ uri, from, fromName = '', headers = [], body }: InviteOptions): boolean {
  const octets = [
    uri,
    uri,
    from,
    fromName,
    body?.contentType ?? '',
    body?.content ?? '',
    ...headers.flat(),
  ].reduce((sum, text) => sum + Buffer.byteLength(text), STACK_OCTETS + 4 * headers.length);
  return octets > MAX_DATAGRAM_OCTETS;
}

type Send = (handlers: InviteHandlers) => ClientInvite;

/** Sends by `stream`, and again by `datagram` when the stream failed before any answer. */
export function sendLargeInvite(stream: Send, datagram: Send, handlers: InviteHandlers): ClientInvite {
  let isAnswered = false;
  let current: ClientInvite = stream({
    provisional: (response) => {
      isAnswered = true;
      handlers.provisional(response);
    },
    answered: (dialog, response) => handlers.answered(dialog, response),
    failed: (failure) => {
      if (failure.kind === 'transport' && !isAnswered) current = datagram(handlers);
      else handlers.failed(failure);
    },
    late: (event) => handlers.late?.(event),
    ...(handlers.offered && { offered: (offer: string) => handlers.offered?.(offer) ?? 488 }),
  });
  return {
    get callId() {
      return current.callId;
    },
    cancel: (headers) => current.cancel(headers),
  };
}
