// The stack alone, on real sockets, as these tests use it: a user agent, and calls as promises.
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import {
  type Authentication,
  type Body,
  createUserAgent,
  type Dialog,
  type DialogHandlers,
  type DialogRequest,
  type DigestAlgorithm,
  ha1Of,
  type InviteFailure,
  type InviteOptions,
  Nonces,
  type RequestOptions,
  type RequestOutcome,
  type RequestView,
  type SipUserAgent,
  type TransportName,
  type UserAgentOptions,
} from '../../src/sip/index.ts';
import { certificateFor } from '../support/certificates.ts';

export const TRANSPORTS: readonly TransportName[] = ['udp', 'tcp', 'tls'];

export const sdp = (line = ''): Body => ({
  contentType: 'application/sdp',
  content:
    'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n' +
    `m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n${line}`,
});

/** Listens on 127.0.0.1 with every transport; shows a certificate for that address. */
export const openAgent = (options: Partial<UserAgentOptions> = {}): Promise<SipUserAgent> =>
  createUserAgent({
    clock: systemClock,
    random: systemRandom(),
    log: silentLog,
    listen: TRANSPORTS.map((transport) => ({ host: '127.0.0.1', port: 0, transport })),
    tls: certificateFor('127.0.0.1'),
    dialogMethods: ['INFO', 'REFER'],
    ...options,
  });

export const portOf = (agent: SipUserAgent, transport: TransportName = 'udp'): number =>
  agent.listening.find((each) => each.transport === transport)?.port ?? 0;

/** `sip:user@127.0.0.1:port`, with the transport where it is not UDP. */
export const uriAt = (user: string, port: number, transport: TransportName): string =>
  `sip:${user}@127.0.0.1:${port}${transport === 'udp' ? '' : `;transport=${transport}`}`;

/** Where a program listens; its certificate is its own affair. */
export const placeAt = (port: number, transport: TransportName) =>
  ({ transport, address: '127.0.0.1', port, insecure: true }) as const;

/** Places a call; resolves with its dialog, or with how it failed. */
export const place = (
  agent: SipUserAgent,
  options: Omit<InviteOptions, 'from' | 'body'>,
  watch: (dialog: Dialog) => void = () => {},
): Promise<Dialog | InviteFailure> =>
  new Promise((resolve) => {
    agent.invite(
      { from: 'sip:tandem@127.0.0.1', body: sdp(), ...options },
      {
        provisional: () => {},
        answered: (dialog) => {
          watch(dialog);
          resolve(dialog);
        },
        failed: resolve,
      },
    );
  });

export const isDialog = (outcome: Dialog | InviteFailure): outcome is Dialog => !('kind' in outcome);

/** The dialog of a call that must succeed. */
export async function placed(...args: Parameters<typeof place>): Promise<Dialog> {
  const outcome = await place(...args);
  if (isDialog(outcome)) return outcome;
  throw new Error(outcome.kind === 'response' ? `the call got ${outcome.response.status}` : outcome.kind);
}

const told = (outcome: RequestOutcome | { kind: 'pending' }): string =>
  outcome.kind === 'response' ? `${outcome.response.status}` : outcome.kind;

/** Offers once the last offer is over: its ACK may be on its way yet. */
export async function reoffer(
  dialog: Dialog,
  body = sdp(),
  method: 'INVITE' | 'UPDATE' = 'INVITE',
): Promise<string> {
  for (;;) {
    const outcome = await new Promise<string>((resolve) =>
      dialog.reoffer(body, (reached) => resolve(told(reached)), method),
    );
    if (outcome !== 'pending') return outcome;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const ask = (dialog: Dialog, request: DialogRequest): Promise<string> =>
  new Promise((resolve) => dialog.request(request, (outcome) => resolve(told(outcome))));

export const request = (agent: SipUserAgent, options: RequestOptions): Promise<RequestOutcome> =>
  new Promise((resolve) => agent.request(options, resolve));

/** What one side of a call saw of the other. */
export interface Seen {
  readonly ended: Promise<{ by: string; request: RequestView | undefined }>;
  readonly requests: RequestView[];
  readonly offers: string[];
}

/** Takes whatever comes inside a dialog with 200. */
export function watch(dialog: Dialog, handlers: Partial<DialogHandlers> = {}): Seen {
  const requests: RequestView[] = [];
  const offers: string[] = [];
  const ended = new Promise<{ by: string; request: RequestView | undefined }>((resolve) =>
    dialog.handle({
      ended: (by, request) => resolve({ by, request }),
      offered: (offer) => {
        offers.push(offer);
        return sdp();
      },
      requested: (request) => {
        requests.push(request);
        return 200;
      },
      ...handlers,
    }),
  );
  return { ended, requests, offers };
}

export const PASSWORD = 'circle-of-life';

/** Terms by which everyone is known who knows `PASSWORD`. */
export const terms = (status: 401 | 407, algorithms: readonly DigestAlgorithm[]): Authentication => ({
  status,
  realm: 'tandem',
  domain: 'tandem',
  nonces: new Nonces({ key: Buffer.alloc(32, 7), clock: systemClock, random: systemRandom() }),
  algorithms,
  ha1s: (username, algorithm) => [ha1Of(algorithm, { username, password: PASSWORD }, 'tandem')],
});
