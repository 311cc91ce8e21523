// What the INVITE of a trunk's call says of who calls whom: to the carrier, and to the PBX (Twilio: "Elastic SIP
// Trunking"). Pure.
import { mayCallAs } from '../../admission/index.ts';
import { type DomainSuffixes, isUnder } from '../../resources/index.ts';
import {
  diversions,
  formatAddress,
  formatDiversion,
  formatUri,
  type HeaderField,
  mayShowCaller,
  parseUri,
  type RequestView,
  SipSyntaxError,
} from '../../sip/index.ts';
import type { Directory } from '../../store/index.ts';
import type { CallRow } from '../call-life.ts';
import { callerUri } from '../leg/invite-template.ts';
import type { CalleeInvite } from '../leg/outbound-leg.ts';

export interface TrunkInvite {
  /** The one that led here. */
  readonly request: RequestView;
  readonly row: Pick<CallRow, 'sid' | 'accountSid'>;
  /** The number that is called. */
  readonly to: string;
  /** A number, or a SIP URI. */
  readonly from: string;
  /** Host of numbers in From, P-Asserted-Identity and Diversion. */
  readonly fromDomain: string;
  /** Max-Forwards. */
  readonly hopsLeft: number;
}

const ANONYMOUS = { fromUri: 'sip:anonymous@anonymous.invalid', fromName: 'Anonymous' } as const;
/** More says nothing of use, and fills the datagram. */
const MAX_DIVERSIONS = 5;

export interface TerminationInvite extends TrunkInvite {
  /** The number is shown whatever the caller wants. */
  readonly isEmergency: boolean;
}

/** To a carrier. It is told the number also where the callee may not see it (RFC 3325 §7: `Privacy: id`). */
export function terminationInvite(
  given: TerminationInvite,
  world: { readonly directory: Directory; readonly suffixes: DomainSuffixes },
): CalleeInvite {
  const { request, row, to, from, fromDomain, hopsLeft } = given;
  const number = callerUri(from, fromDomain);
  const isShown = given.isEmergency || (mayShowCaller(request) && !hidesByPartyId(request));
  return {
    user: to,
    ...(isShown ? { fromUri: number } : ANONYMOUS),
    headers: [
      ['Max-Forwards', `${hopsLeft}`],
      ...callIdentity(row),
      ['P-Asserted-Identity', `<${number}>`],
      ...(isShown ? [] : [['Privacy', 'id'] as const]),
      ...earlierDiversions(request, (user, host) => mayDivert({ user, host, row }, world)),
    ],
  };
}

/** To a PBX, which is told that the call was meant for its number, whatever user part its URL has. */
export function originationInvite(
  given: TrunkInvite & { readonly callerName?: string | undefined },
): CalleeInvite {
  const { request, row, to, from, fromDomain, hopsLeft, callerName } = given;
  const caller = callerUri(from, fromDomain);
  const isShown = mayShowCaller(request);
  const asserted = formatAddress({ uri: caller, ...(callerName !== undefined && { name: callerName }) });
  return {
    user: to,
    ...(isShown ? { fromUri: caller, ...namedBy(callerName) } : ANONYMOUS),
    headers: [
      ['Max-Forwards', `${hopsLeft}`],
      ['Diversion', formatDiversion({ uri: callerUri(to, fromDomain), reason: 'unconditional' })],
      ...earlierDiversions(request, () => true),
      isShown ? ['P-Asserted-Identity', asserted] : ['Privacy', 'id'],
      ...callIdentity(row),
    ],
  };
}

/** Twilio shows it in From, Contact and P-Asserted-Identity. */
const namedBy = (name: string | undefined): Pick<CalleeInvite, 'fromName' | 'contactName'> =>
  name === undefined ? {} : { fromName: name, contactName: name };

/** Older PBXs say so beside the number (draft-ietf-sip-privacy-04, Remote-Party-ID). */
const hidesByPartyId = (request: RequestView): boolean =>
  /;\s*privacy\s*=\s*"?(?:full|uri)\b/i.test(request.header('Remote-Party-ID') ?? '');

const callIdentity = ({ accountSid, sid }: TrunkInvite['row']): readonly HeaderField[] => [
  ['X-Twilio-AccountSid', accountSid],
  ['X-Twilio-CallSid', sid],
];

/** Those that were already there, the latest first. */
function earlierDiversions(
  request: RequestView,
  mayStay: (user: string, host: string) => boolean,
): readonly HeaderField[] {
  return diversions(request)
    .slice(0, MAX_DIVERSIONS)
    .flatMap(({ uri, reason, counter }) => {
      try {
        const plain = divertingUri(uri, mayStay);
        if (plain === undefined) return [];
        return [
          ['Diversion', formatDiversion({ uri: plain, reason: reason || 'unknown', counter })] as const,
        ];
      } catch (error) {
        if (!(error instanceof SipSyntaxError)) throw error;
        return [];
      }
    });
}

/** Without what it asks for; undefined where it may not stay. @throws {SipSyntaxError} at neither a SIP nor a tel URI */
function divertingUri(text: string, mayStay: (user: string, host: string) => boolean): string | undefined {
  // It names nobody's place, and so none of ours.
  if (/^tel:/i.test(text)) return text;
  const uri = parseUri(text);
  return mayStay(uri.user ?? '', uri.host) ? formatUri({ ...uri, headers: [] }) : undefined;
}

/** A diversion that names us as its place must be by a number that the account may call as. */
function mayDivert(
  { user, host, row }: { readonly user: string; readonly host: string; readonly row: TrunkInvite['row'] },
  { directory, suffixes }: { readonly directory: Directory; readonly suffixes: DomainSuffixes },
): boolean {
  return (
    !isUnder(host, suffixes) || mayCallAs(directory, row.accountSid, user.startsWith('+') ? user : `+${user}`)
  );
}
