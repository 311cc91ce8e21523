// The ends of a flow.
export type TransportName = 'udp' | 'tcp' | 'tls';

/** One side of a flow: where a datagram came from, or where a request is sent to. */
export interface Endpoint {
  readonly transport: TransportName;
  /** IPv4 or IPv6 address, no brackets; v4-mapped addresses are normalised. */
  readonly address: string;
  readonly port: number;
  /** Of our own listener at this end; chosen by the destination without one. */
  readonly local?: string;
  /** TLS: the name that the peer's certificate must be for; the address without one. */
  readonly host?: string;
  /** TLS: the peer's certificate is not checked at all. */
  readonly insecure?: boolean;
  /** UDP: a request too large for a datagram may go by TCP; false where the peer is known to want UDP. */
  readonly mayUseTcp?: boolean;
}
