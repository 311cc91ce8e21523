// A request too large for a datagram: by TCP, and by UDP after all where TCP is not to be had (RFC 3261 §18.1.1).
import type {
  Body,
  ClientInvite,
  HeaderField,
  InviteHandlers,
  InviteOptions,
  RequestOptions,
  RequestOutcome,
} from './agent.ts';
import type { RequestParts } from './message/serialize.ts';

/** Without knowledge of the path: leaves room for what grows on the way (RFC 3261 §18.1.1). */
const MAX_DATAGRAM_OCTETS = 1300;
/** Start line, Via, From, To, Call-ID, CSeq, Contact, Allow, … without what the options bring; IPv6 takes all of it. */
const STACK_OCTETS = 425;

/** Whether a request will be larger than a datagram should be. */
export function isLarge(options: InviteOptions | RequestOptions): boolean {
  const { uri, from, fromName = '', headers = [], body } = options;
  const to = 'to' in options ? (options.to ?? uri) : uri;
  const contactName = 'contactName' in options ? (options.contactName ?? '') : '';
  return exceedsDatagram([uri, to, from, fromName, contactName], headers, body);
}

/** The same of a request inside a dialog. */
export const isLargeInDialog = ({
  uri,
  from,
  to,
  routes,
  headers,
  body,
}: Omit<RequestParts, 'via'>): boolean => exceedsDatagram([uri, to, from, ...routes], headers, body);

function exceedsDatagram(
  values: readonly string[],
  headers: readonly HeaderField[],
  body: Body | undefined,
): boolean {
  const texts = [...values, body?.contentType ?? '', body?.content ?? '', ...headers.flat()];
  const fixed = STACK_OCTETS + 4 * headers.length;
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), fixed) > MAX_DATAGRAM_OCTETS;
}

type SendInvite = (handlers: InviteHandlers) => ClientInvite;

/** Sends by `stream`, and again by `datagram` when the stream failed before any answer. */
export function sendLargeInvite(
  stream: SendInvite,
  datagram: SendInvite,
  handlers: InviteHandlers,
): ClientInvite {
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

type Done = (outcome: RequestOutcome) => void;
type SendRequest = (done: Done) => void;

/** As `sendLargeInvite`, for a request that makes no dialog. */
export function sendLargeRequest(stream: SendRequest, datagram: SendRequest, done: Done): void {
  stream((outcome) => (outcome.kind === 'transport' ? datagram(done) : done(outcome)));
}
