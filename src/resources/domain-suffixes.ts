// Under which names SIP domains and trunks live.

/** Such as `sip.twilio.com`. */
export interface DomainSuffixes {
  readonly sip: readonly string[];
  readonly trunk: readonly string[];
}

export const DEFAULT_SUFFIXES: DomainSuffixes = { sip: ['sip.twilio.com'], trunk: ['pstn.twilio.com'] };
