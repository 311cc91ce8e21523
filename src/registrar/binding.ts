// A device of an address of record (AOR): where it registered from, and until when it may be called there.
import type { Row, registration } from '../resources/index.ts';
import type { Endpoint } from '../sip/index.ts';

export type BindingRow = Row<typeof registration>;

/** As the call engine sees it. */
export interface Binding {
  /** SID of the registration. */
  readonly sid: string;
  /** Request-URI of calls to the device: the Contact it gave. */
  readonly uri: string;
  /** Where they are sent: the other end of the flow it registered by, as its own address may be behind NAT. */
  readonly destination: Endpoint;
  /** Wall-clock milliseconds. */
  readonly expiresAtMs: number;
}

export const bindingOf = ({ sid, contact, expiresAt, ...row }: BindingRow): Binding => ({
  sid,
  uri: contact,
  destination: {
    transport: row.transport,
    address: row.sourceIp,
    port: row.sourcePort,
    // The way back through a NAT is open for the datagrams of this one flow only.
    ...(row.transport === 'udp' && { mayUseTcp: false }),
  },
  expiresAtMs: expiresAt,
});
