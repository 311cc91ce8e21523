// The end of a dialog whose process is no more, by what was stored of it.
import type { DialogIdentity, HeaderField, RequestOutcome } from '../agent.ts';
import type { Stack } from '../stack.ts';
import type { Transport } from '../transport/transport.ts';
import { DialogRequests } from './dialog-requests.ts';

/** More requests than a dialog sees between two times that it is stored. Gaps are no error (RFC 3261 §12.2.2). */
const SEQ_JUMP = 1_000_000;

/** @throws {SipSyntaxError} when a part of it cannot be put on the wire. */
export function endLost(
  stack: Stack,
  transport: Transport,
  { peer, ...stored }: DialogIdentity,
  {
    headers,
    done,
  }: {
    readonly headers: readonly HeaderField[];
    readonly done: (outcome: RequestOutcome) => void;
  },
): void {
  const state = { ...stored, localSeq: stored.localSeq + SEQ_JUMP, remoteSeq: -1 };
  const requests = new DialogRequests(stack, state, { transport, peer }, undefined);
  requests.send(
    'BYE',
    { headers },
    {
      response: (response) => {
        if (response.status >= 200) done({ kind: 'response', response });
      },
      failed: (why, message) =>
        done(why === 'timeout' ? { kind: 'timeout' } : { kind: 'transport', message }),
    },
  );
}
