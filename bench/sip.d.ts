// The bit of npm `sip` that is measured; the package has no types of its own.
declare module 'sip/sip.js' {
  interface Address {
    uri: string;
    params: Record<string, string | null>;
  }
  interface Headers {
    via: { params: Record<string, string | null> }[];
    from: Address;
    to: Address;
    contact: Address[];
    cseq: { seq: number; method: string };
    'call-id': string;
    'record-route'?: Address[] | undefined;
  }
  export interface Message {
    method: string;
    uri: string;
    content: string;
    headers: Headers;
  }
  export interface Response {
    status: number;
    reason: string;
    headers: Omit<Headers, 'contact'>;
  }
  export function parse(datagram: Buffer): Message | undefined;
  export function makeResponse(request: Message, status: number, reason: string): Response;
  export function stringify(message: Omit<Response, 'headers'> & { headers: object }): string;
}
