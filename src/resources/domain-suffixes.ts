// Under which names SIP domains and trunks live.

/** Such as `sip.twilio.com`. */
export interface DomainSuffixes {
  readonly sip: readonly string[];
  readonly trunk: readonly string[];
}

/** Whether a host, in lower case, is under one of the suffixes: a name of ours, whether anything is called so or not. */
export const isUnder = (host: string, { sip, trunk }: DomainSuffixes): boolean =>
  [...sip, ...trunk].some((suffix) => `.${host}`.endsWith(`.${suffix}`));

export const DEFAULT_SUFFIXES: DomainSuffixes = { sip: ['sip.twilio.com'], trunk: ['pstn.twilio.com'] };
