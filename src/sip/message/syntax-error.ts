// The one error of the message layer: text that is no SIP, or that may not be put on the wire.

export type SipSyntaxCode =
  | 'start-line'
  | 'version'
  | 'header'
  | 'too-large'
  | 'too-many-headers'
  | 'content-length'
  | 'uri'
  | 'scheme'
  | 'name-addr'
  | 'via'
  | 'cseq'
  | 'parameter'
  | 'control-character'
  | 'not-octets'
  | 'reserved-header';

export class SipSyntaxError extends Error {
  readonly code: SipSyntaxCode;

  constructor(code: SipSyntaxCode, message: string) {
    super(message);
    this.name = 'SipSyntaxError';
    this.code = code;
  }
}
