// A request of the layer above inside a dialog: INFO, REFER, NOTIFY, MESSAGE, OPTIONS.
import type { DialogRequest, HeaderField, RequestOutcome, RequestReply, RequestView } from '../agent.ts';
import { checkHeaders } from '../message/serialize.ts';
import { contactOf } from '../stack.ts';
import type { Flow } from '../transport/transport.ts';
import type { DialogRequests } from './dialog-requests.ts';
import type { Referrals } from './referral.ts';

/** @throws {SipSyntaxError} for a request that will be sent later. */
export const checkInDialog = ({ headers = [], body }: DialogRequest): void =>
  checkHeaders(body ? [...headers, ['Content-Type', body.contentType]] : headers);

/** @throws {SipSyntaxError} when it cannot be put on the wire. */
export function sendInDialog(
  requests: DialogRequests,
  referrals: Referrals | undefined,
  { method, headers = [], body }: DialogRequest,
  done: (outcome: RequestOutcome) => void,
): void {
  const isRefer = method === 'REFER';
  const contact = refreshesTarget(method) ? [contactHeader(requests.flow)] : [];
  const sent = requests.send(
    method,
    { headers: [...contact, ...headers], body },
    {
      response: (response) => {
        if (response.status < 200) return;
        if (response.status >= 300) referrals?.closed(sent.request.seq);
        done({ kind: 'response', response });
      },
      failed: (why, message) => {
        referrals?.closed(sent.request.seq);
        done(why === 'timeout' ? { kind: 'timeout' } : { kind: 'transport', message });
      },
    },
  );
  if (isRefer) referrals?.opened(sent.request.seq);
}

/** What answers a request that the layer above has looked at; a NOTIFY that it does not care for was welcome. */
export function replyInDialog(
  { method }: RequestView,
  given: RequestReply | number | undefined,
  flow: Flow,
): RequestReply {
  const reply = given ?? (method === 'NOTIFY' ? 200 : 403);
  const { headers = [], ...rest } = typeof reply === 'number' ? { status: reply } : reply;
  const isAccepted = rest.status < 300 && refreshesTarget(method);
  return { ...rest, headers: isAccepted ? [contactHeader(flow), ...headers] : headers };
}

/** Those, and their 2xx, name a Contact (RFC 3515 §2, RFC 6665 §8.1). */
const refreshesTarget = (method: string): boolean => method === 'REFER' || method === 'NOTIFY';

const contactHeader = ({ transport }: Flow): HeaderField => ['Contact', contactOf(transport)];
