// The port between messages and the network.
import type { Endpoint } from './endpoint.ts';

export interface Transport {
  /** The address and real port it listens on. */
  readonly local: Endpoint;
  /** `host:port` as it stands in our Via and Contact. */
  readonly sentBy: string;
  /** Sends the octets of one message. `failed` is called at most once, later, when the system refuses them. */
  send(octets: string, to: Endpoint, failed?: (error: Error) => void): void;
  /** Whether a peer is reached without a connection being opened first: always by datagrams. */
  hasFlow(to: Endpoint): boolean;
  close(): Promise<void>;
}

/** Takes the octets of one datagram; never throws. */
export type Receive = (octets: string, flow: Flow) => void;

/** A transport and the peer at its other end. */
export interface Flow {
  readonly transport: Transport;
  readonly peer: Endpoint;
}
