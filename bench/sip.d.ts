// The bit of npm `sip` that is measured; the package has no types of its own.
declare module 'sip/sip.js' {
  interface Address {
    uri: string;
    params: Record<string, string | null>;
  }
  interface Message {
    method: string;
    uri: string;
    content: string;
    headers: {
      via: { params: Record<string, string | null> }[];
      from: Address;
      to: Address;
      contact: Address[];
      cseq: { seq: number; method: string };
      'call-id': string;
    };
  }
  export function parse(datagram: Buffer): Message | undefined;
}
