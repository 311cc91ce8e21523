// Configuration for the doors' unit tests: a directory filled by hand, requests as phones write them.
import { seededRandom } from '../../src/lib/random.ts';
import {
  account,
  callsCredentialListMapping,
  callsIpAccessControlListMapping,
  credential,
  credentialList,
  domain,
  incomingPhoneNumber,
  ipAccessControlList,
  ipAddress,
  ipRecord,
  newRow,
  outgoingCallerId,
  type Row,
  registrationsCredentialListMapping,
  sourceIpMapping,
  trunk,
  trunkCredentialList,
  trunkIpAccessControlList,
} from '../../src/resources/index.ts';
import { digestSecret } from '../../src/resources/sip/digest-secret.ts';
import { parseMessage, type SipMessage } from '../../src/sip/index.ts';
import { DirectoryMirror } from '../../src/store/directory.ts';
import { FakeClock } from './fake-clock.ts';

export const OWNER = `AC${'1'.repeat(32)}`;

export class World {
  readonly clock = new FakeClock();
  readonly random = seededRandom(7);
  readonly directory = new DirectoryMirror();
  readonly suffixes = { sip: ['sip.twilio.com'], trunk: ['pstn.twilio.com'] };

  constructor() {
    this.account(OWNER, OWNER);
  }

  account(sid: string, accountSid: string): void {
    this.directory.put(account, newRow(account, { sid, accountSid, authToken: 't' }, this));
  }

  domain(domainName: string, values: Partial<Row<typeof domain>> = {}): Row<typeof domain> {
    const row = newRow(domain, { accountSid: OWNER, domainName, ...values }, this);
    this.directory.put(domain, row);
    return row;
  }

  trunk(domainName: string, values: Partial<Row<typeof trunk>> = {}): Row<typeof trunk> {
    const row = newRow(trunk, { accountSid: OWNER, domainName, ...values }, this);
    this.directory.put(trunk, row);
    return row;
  }

  number(phoneNumber: string, accountSid = OWNER): void {
    this.directory.put(incomingPhoneNumber, newRow(incomingPhoneNumber, { accountSid, phoneNumber }, this));
  }

  callerId(phoneNumber: string): void {
    this.directory.put(outgoingCallerId, newRow(outgoingCallerId, { accountSid: OWNER, phoneNumber }, this));
  }

  /** A record, mapped where a domain is given. */
  ipRecord(address: string, cidrPrefixLength: number, to?: Row<typeof domain>): void {
    const record = newRow(ipRecord, { accountSid: OWNER, ipAddress: address, cidrPrefixLength }, this);
    this.directory.put(ipRecord, record);
    if (!to) return;
    const values = { accountSid: OWNER, ipRecordSid: record.sid, sipDomainSid: to.sid };
    this.directory.put(sourceIpMapping, newRow(sourceIpMapping, values, this));
  }

  /** An access control list of these networks, mapped to the domain or trunk. @returns its SID. */
  accessList(to: { readonly sid: string }, ...networks: readonly (readonly [string, number])[]): string {
    const list = newRow(ipAccessControlList, { accountSid: OWNER, friendlyName: 'office' }, this);
    this.directory.put(ipAccessControlList, list);
    const mapping = { accountSid: OWNER, ipAccessControlListSid: list.sid };
    if (to.sid.startsWith('SD')) {
      const row = newRow(callsIpAccessControlListMapping, { ...mapping, domainSid: to.sid }, this);
      this.directory.put(callsIpAccessControlListMapping, row);
    } else {
      const row = newRow(trunkIpAccessControlList, { ...mapping, trunkSid: to.sid }, this);
      this.directory.put(trunkIpAccessControlList, row);
    }
    for (const [address, cidrPrefixLength] of networks) {
      const values = { friendlyName: address, ipAddress: address, cidrPrefixLength };
      const row = newRow(ipAddress, { accountSid: OWNER, ipAccessControlListSid: list.sid, ...values }, this);
      this.directory.put(ipAddress, row);
    }
    return list.sid;
  }

  /** A credential list mapped for calls. @returns its SID. */
  credentials(to: { readonly sid: string }, users: Readonly<Record<string, string>>): string {
    const list = newRow(credentialList, { accountSid: OWNER, friendlyName: 'users' }, this);
    this.directory.put(credentialList, list);
    const mapping = { accountSid: OWNER, credentialListSid: list.sid };
    if (to.sid.startsWith('SD')) {
      const row = newRow(callsCredentialListMapping, { ...mapping, domainSid: to.sid }, this);
      this.directory.put(callsCredentialListMapping, row);
    } else {
      const row = newRow(trunkCredentialList, { ...mapping, trunkSid: to.sid }, this);
      this.directory.put(trunkCredentialList, row);
    }
    for (const [username, password] of Object.entries(users)) {
      const values = { username, password: digestSecret(username, password) };
      const row = newRow(credential, { accountSid: OWNER, credentialListSid: list.sid, ...values }, this);
      this.directory.put(credential, row);
    }
    return list.sid;
  }

  /** The domain's credential list counts for registrations too. */
  registers(to: { readonly sid: string }, credentialListSid: string): void {
    const values = { accountSid: OWNER, domainSid: to.sid, credentialListSid };
    const row = newRow(registrationsCredentialListMapping, values, this);
    this.directory.put(registrationsCredentialListMapping, row);
  }
}

export const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.1',
  's=-',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  'm=audio 4000 RTP/AVP 0 8 101',
  'a=rtpmap:101 telephone-event/8000',
  '',
].join('\r\n');

/** A request as a phone writes it; `headers` replace those of the same name, empty ones are left out. */
export function requestOf(
  method: string,
  uri: string,
  { headers = {}, body = '' }: { headers?: Readonly<Record<string, string>>; body?: string } = {},
): SipMessage {
  const all = {
    Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
    'Max-Forwards': '70',
    From: '<sip:+14155550100@pbx.example>;tag=1',
    To: `<${uri}>`,
    'Call-ID': 'a@b',
    CSeq: `1 ${method}`,
    Contact: '<sip:pbx@192.0.2.1>',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}`]));
  return parseMessage(
    `${method} ${uri} SIP/2.0\r\n${lines.join('\r\n')}\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}
