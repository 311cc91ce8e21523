// Where a call for a number of an Elastic trunk goes: to the PBX, at the trunk's origination URLs. Pure.
import { originationUrl, type Row, type trunk } from '../../resources/index.ts';
import { formatUri, parseUri } from '../../sip/index.ts';
import type { Directory } from '../../store/index.ts';
import type { CallPlan } from './plan.ts';
import { asSecure, overTls } from './request-uri.ts';

type Trunk = Row<typeof trunk>;

/** How long the PBX may ring, over all its URLs; the caller's side has limits of its own. */
export const TRUNK_RING_MS = 180_000;

/** Reads the directory once: later changes of the URLs are for later calls. */
export function planOrigination(
  owner: Trunk,
  number: { readonly sid: string; readonly phoneNumber: string },
  { directory }: { readonly directory: Directory },
): CallPlan {
  const urls = directory.children(originationUrl, owner.sid);
  const many = `${urls.length} origination URL${urls.length === 1 ? '' : 's'}`;
  return {
    rule: `${number.phoneNumber} is number ${number.sid} of trunk ${owner.sid}, which has ${many}`,
    targets: urls.map(({ sid, sipUrl, priority, weight, enabled }) => ({
      sid,
      uri: originationTarget(owner, sipUrl),
      priority,
      weight,
      enabled,
    })),
    timeoutMs: TRUNK_RING_MS,
    connectionPolicySid: null,
    fromDomain: undefined,
  };
}

/**
 * An origination URL as it is called: `sips:` is TLS; a secure trunk means TLS and SRTP, whatever transport is written
 * (Twilio: "Secure Trunking").
 */
export function originationTarget({ secure }: Pick<Trunk, 'secure'>, sipUrl: string): string {
  const uri = parseUri(sipUrl);
  if (secure) return formatUri(asSecure(uri));
  return uri.scheme === 'sip' ? sipUrl : formatUri(overTls(uri));
}
