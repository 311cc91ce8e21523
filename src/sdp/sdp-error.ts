// Why a session description cannot be used; the layers above turn the code into a SIP status.

export type SdpErrorCode =
  | 'malformed'
  | 'no-audio'
  | 'no-common-codec'
  | 'unsupported-profile'
  | 'unsupported-address'
  /** SRTP is required, and plain RTP is described. */
  | 'srtp-required'
  /** SRTP is described, and no suite or key that we speak, or not the one we offered. */
  | 'no-common-crypto';

export class SdpError extends Error {
  readonly code: SdpErrorCode;

  constructor(code: SdpErrorCode, message: string) {
    super(message);
    this.name = 'SdpError';
    this.code = code;
  }
}
