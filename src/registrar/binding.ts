// A device of an address of record (AOR): where it registered from, and until when it may be called there.
import type { Row, registration } from '../resources/index.ts';
import { type Endpoint, parseUri, type UserAgent } from '../sip/index.ts';

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

/** Where a user is reached now. */
export interface Contacts {
  /** Every device that has registered and can be called; empty for none. */
  readonly bindings: readonly Binding[];
  /** The other exchanges, in words, that hold the connections of further devices, which they alone can call. */
  readonly elsewhere: readonly string[];
}

/** What is asked of the stack. */
type Flows = Pick<UserAgent, 'hasFlow'>;

/** What another exchange's bindings are called by: its connections are not ours, datagrams go from anywhere. */
export const NO_CONNECTIONS: Flows = { hasFlow: ({ transport }) => transport === 'udp' };

/** Undefined where the device cannot be reached: the connection it registered by is gone, and it takes no other. */
export function bindingOf(row: BindingRow, flows: Flows): Binding | undefined {
  const flow = flowOf(row);
  const destination = flows.hasFlow(flow) ? flow : listenerOf(row);
  return destination && { sid: row.sid, uri: row.contact, destination, expiresAtMs: row.expiresAt };
}

export const flowOf = (row: BindingRow): Endpoint => ({
  transport: row.transport,
  address: row.sourceIp,
  port: row.sourcePort,
  ...(row.ownAddress !== null && { local: row.ownAddress }),
  // The way back through a NAT is open for the datagrams of this one flow only.
  ...(row.transport === 'udp' && { mayUseTcp: false }),
});

/**
 * Where a device takes connections itself: by TCP, at the address it registered from, no NAT between. One that says which
 * flow it registered by (RFC 5626 §4.2) wants no other; over TLS a phone has no certificate to show.
 */
function listenerOf(row: BindingRow): Endpoint | undefined {
  const { host, port = 5060, params } = parseUri(row.contact);
  const isListening = row.transport === 'tcp' && params.get('transport')?.toLowerCase() === 'tcp';
  if (!isListening || row.regId !== null || host !== row.sourceIp || port === row.sourcePort)
    return undefined;
  return { ...flowOf(row), port };
}
