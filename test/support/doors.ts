// A SIP domain with users, made by the official client, and phones that knock at its door.
import type { DomainListInstanceCreateOptions } from 'twilio/lib/rest/api/v2010/account/sip/domain.js';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import {
  createUserAgent,
  type Endpoint,
  type InviteFailure,
  type InviteOptions,
  type RequestOptions,
  type ResponseView,
  type SipUserAgent,
  type TransportName,
} from '../../src/sip/index.ts';
import { certificateFor } from './certificates.ts';
import type { Exchange } from './exchange.ts';

export const PASSWORD = 'Correct-horse-1';

export interface TestDomain {
  readonly sid: string;
  readonly name: string;
  /** SID of its credential list. */
  readonly listSid: string;
}

let made = 0;

/** A domain that takes registrations, and calls with the same passwords, of `users`. */
export async function domainWith(
  { client }: Pick<Exchange, 'client'>,
  users: readonly string[],
  settings: Omit<DomainListInstanceCreateOptions, 'domainName'> = {},
): Promise<TestDomain> {
  const name = `door-${++made}.sip.twilio.com`;
  const { sid } = await client.sip.domains.create({ domainName: name, sipRegistration: true, ...settings });
  const list = await client.sip.credentialLists.create({ friendlyName: `users of ${name}` });
  for (const username of users) {
    await client.sip.credentialLists(list.sid).credentials.create({ username, password: PASSWORD });
  }
  const { auth } = client.sip.domains(sid);
  await auth.registrations.credentialListMappings.create({ credentialListSid: list.sid });
  await auth.calls.credentialListMappings.create({ credentialListSid: list.sid });
  return { sid, name, listSid: list.sid };
}

/** Where the exchange listens for one transport; `host` where it has several. */
export function listenerOf({ tandem }: Exchange, transport: TransportName, host?: string): Endpoint {
  const places = (transport === 'tls' ? tandem.sips : tandem.sip)?.split(',') ?? [];
  const found = places
    .map((place) => /^\[?(.*?)\]?:(\d+)$/.exec(place) ?? [])
    .find(([, address]) => host === undefined || address === host);
  const [, address = '', port = ''] = found ?? [];
  return { transport, address, port: Number(port), ...(transport === 'tls' && { insecure: true }) };
}

/** Closed when the test is over. */
export async function openPhone(host = '127.0.0.1'): Promise<SipUserAgent> {
  const phone = await createUserAgent({
    clock: systemClock,
    random: systemRandom(),
    log: silentLog,
    listen: [
      { host, port: 0 },
      { host, port: 0, transport: 'tcp' },
      { host, port: 0, transport: 'tls' },
    ],
    tls: certificateFor('phone.example'),
  });
  onTestFinished(() => phone.close());
  return phone;
}

/** REGISTER, and once more with credentials. @returns the final response. */
export function register(
  phone: SipUserAgent,
  destination: Endpoint,
  given: Partial<RequestOptions> & {
    readonly domain: Pick<TestDomain, 'name'>;
    readonly user: string;
    readonly password?: string;
  },
): Promise<ResponseView> {
  const { domain, user, password = PASSWORD, ...options } = given;
  const aor = `sip:${user}@${domain.name}`;
  return new Promise((resolve, reject) => {
    phone.request(
      {
        method: 'REGISTER',
        uri: `sip:${domain.name}`,
        from: aor,
        to: aor,
        destination,
        credentials: { username: user, password },
        ...options,
      },
      (outcome) =>
        outcome.kind === 'response' ? resolve(outcome.response) : reject(new Error(outcome.kind)),
    );
  });
}

/** INVITE; the final response, which is none of success. */
export function call(
  phone: SipUserAgent,
  options: Omit<InviteOptions, 'from'> & { readonly from?: string },
): Promise<ResponseView> {
  return new Promise((resolve, reject) => {
    const failed = (failure: InviteFailure) =>
      failure.kind === 'response' ? resolve(failure.response) : reject(new Error(failure.kind));
    const answered = (_: unknown, response: ResponseView) => resolve(response);
    phone.invite(
      { from: 'sip:caller@elsewhere.example', ...options },
      { provisional() {}, answered, failed },
    );
  });
}

/** Rows of one of the exchange's own resources, newest first. */
export async function listOf(
  { ours }: Exchange,
  resource: 'RejectedCalls' | 'Registrations',
  query = '',
): Promise<readonly Record<string, unknown>[]> {
  const answer = await ours(resource + query);
  const body: Record<string, readonly Record<string, unknown>[]> = answer.body;
  if (answer.status !== 200) throw new Error(JSON.stringify(body));
  return body[resource === 'Registrations' ? 'registrations' : 'rejected_calls'] ?? [];
}
