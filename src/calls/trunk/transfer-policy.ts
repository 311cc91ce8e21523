// Whether a PBX may transfer a call of its trunk, and what the new call is: reads the trunk and the directory. Pure.
import { identify, isE164, isEmergencyNumber } from '../../admission/index.ts';
import type { DomainSuffixes, Row, trunk } from '../../resources/index.ts';
import { dialingPermissionsOf, mayDial } from '../../routing/index.ts';
import {
  type Endpoint,
  formatReplaces,
  formatUri,
  type HeaderField,
  type ReferTarget,
  type SipUri,
} from '../../sip/index.ts';
import type { Directory } from '../../store/index.ts';
import { readUri } from '../route/request-uri.ts';

export interface TransferWorld {
  readonly directory: Directory;
  readonly suffixes: DomainSuffixes;
  /** Of emergency services, without +. */
  readonly emergencyNumbers: readonly string[];
  /** First digits of numbers that are known for toll fraud. */
  readonly tollFraudPrefixes: readonly string[];
  /** Where the exchange listens: a number there is a number of the trunk. */
  readonly own: readonly Endpoint[];
}

export type TransferringTrunk = Pick<
  Row<typeof trunk>,
  'sid' | 'accountSid' | 'transferMode' | 'transferCallerId' | 'secure'
>;

export type TransferVerdict =
  /** Out over the account's carriers. */
  | { readonly kind: 'number'; readonly to: string }
  | { readonly kind: 'sip'; readonly to: string; readonly headers: readonly HeaderField[] }
  | TransferRefusal;

/** `code` is Twilio's; 403 tells the PBX, a Notification of the call the account. */
export interface TransferRefusal {
  readonly kind: 'refused';
  readonly code: 32205 | 32218;
  readonly why: string;
}

/** Twilio: the transfer is not allowed. */
const NOT_ALLOWED = 32_218;
/** Twilio: the account may not call the country. */
const NO_PERMISSION = 32_205;
/** The number that emergency services are tested with; it is not to be transferred to either. */
const EMERGENCY_TEST = '933';

const refused = (why: string, code: TransferRefusal['code'] = NOT_ALLOWED): TransferRefusal => ({
  kind: 'refused',
  code,
  why,
});

/** Whether the trunk's calls may be transferred at all; two calls of the PBX may be made one wherever they lead. */
export function judgeJoining({ transferMode }: TransferringTrunk): TransferRefusal | undefined {
  return transferMode === 'disable-all' ? refused('TransferMode of the trunk is disable-all') : undefined;
}

export function judgeTransfer(
  target: ReferTarget,
  trunk: TransferringTrunk,
  world: TransferWorld,
): TransferVerdict {
  const off = judgeJoining(trunk);
  if (off) return off;
  if (target.method !== 'INVITE') return refused(`the REFER asks for ${target.method}, not for a call`);
  if (/^tel:/i.test(target.uri)) return judgeNumber(telNumber(target.uri), trunk, world);
  const uri = readUri(target.uri);
  if (!uri) return refused(`${target.uri.slice(0, 100)} is neither a SIP URI nor a tel URI`);
  switch (placeOf(uri, trunk, world)) {
    case 'own':
      if (target.replaces) return refused('the call that its Replaces names is not there');
      return judgeNumber(uri.user ?? '', trunk, world);
    case 'foreign-trunk':
      return refused(`${uri.host} is the domain of another trunk`);
    case 'elsewhere':
      return { kind: 'sip', to: called(uri, trunk), headers: headersOf(target) };
  }
}

function judgeNumber(user: string, trunk: TransferringTrunk, world: TransferWorld): TransferVerdict {
  const { directory, tollFraudPrefixes, emergencyNumbers } = world;
  const to = user.split(';', 1)[0] ?? '';
  if (isEmergencyNumber(to, [...emergencyNumbers, EMERGENCY_TEST]))
    return refused(`nobody is transferred to the emergency number ${to}`);
  if (!isE164(to)) return refused(`"${to.slice(0, 40)}" is no number in E.164`);
  if (trunk.transferMode !== 'enable-all')
    return refused(`${to} is a phone number, and TransferMode of the trunk is ${trunk.transferMode}`);
  const verdict = mayDial(to, dialingPermissionsOf(trunk.accountSid, directory, tollFraudPrefixes));
  if (verdict.kind === 'allowed') return { kind: 'number', to };
  return refused(
    `${to} may not be called: ${verdict.permission} is off for ${verdict.isoCode}`,
    NO_PERMISSION,
  );
}

/** RFC 3966: without visual separators and parameters. */
const telNumber = (uri: string): string => (uri.slice(4).split(';', 1)[0] ?? '').replaceAll(/[-.()]/g, '');

function placeOf(
  { host, port, params }: SipUri,
  trunk: TransferringTrunk,
  { own, ...premises }: TransferWorld,
): 'own' | 'foreign-trunk' | 'elsewhere' {
  const place = identify(host, { address: '' }, premises);
  if (place.kind === 'trunk') return place.trunk.sid === trunk.sid ? 'own' : 'foreign-trunk';
  const at = port ?? (params.get('transport')?.toLowerCase() === 'tls' ? 5061 : 5060);
  return own.some((each) => each.address === host && each.port === at) ? 'own' : 'elsewhere';
}

/** `sips:` is a call over TLS (Twilio: "SIP noun"); a secure trunk's is one over TLS with SRTP. */
function called(uri: SipUri, { secure }: TransferringTrunk): string {
  const params = new Map(uri.params);
  if (uri.scheme === 'sips') params.set('transport', 'tls');
  if (secure) params.set('secure', 'true');
  return formatUri({ ...uri, scheme: 'sip', params, headers: [] });
}

/** Headers of the new INVITE that the REFER asks for, Replaces for the target's own call among them (RFC 3891). */
function headersOf({ headers = [], replaces }: ReferTarget): readonly HeaderField[] {
  const extensions = headers.filter(([name]) => !/^x-twilio/i.test(name));
  return replaces ? [['Replaces', formatReplaces(replaces)], ...extensions] : extensions;
}
