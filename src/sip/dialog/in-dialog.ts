// A request of the layer above inside a dialog: INFO, REFER, NOTIFY, MESSAGE, OPTIONS.
import type { DialogRequest, HeaderField, RequestOutcome } from '../agent.ts';
import { checkHeaders } from '../message/serialize.ts';
import { contactOf } from '../stack.ts';
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
  const contact: HeaderField[] = isRefer ? [['Contact', contactOf(requests.flow.transport)]] : [];
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
