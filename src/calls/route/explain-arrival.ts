// What would become of a call that arrives, from the very code that lets calls in and routes them; nothing is placed.
import type { Door, Examination, Examined, Identified, Refusal } from '../../admission/index.ts';
import { type Row, trunk } from '../../resources/index.ts';
import { bracketed, type Endpoint } from '../../sip/index.ts';
import type { Directory } from '../../store/index.ts';
import { findWebhooks, numberOfTrunk } from '../inbound/inbound-call.ts';
import { partiesOf } from '../inbound/inbound-parameters.ts';
import { callerUri } from '../leg/invite-template.ts';
import type { WebhookTarget } from '../order.ts';
import { originationOf } from '../trunk/origination.ts';
import { routeOf } from '../trunk/termination.ts';
import { type ExplainDeps, type Explanation, explain } from './explain.ts';
import { planOrigination } from './plan-origination.ts';

export interface ArrivalQuestion {
  readonly accountSid: string;
  /** Request-URI. */
  readonly to: string;
  /** A number, a user name or a SIP URI. */
  readonly from: string;
  readonly source: Pick<Endpoint, 'address' | 'transport'>;
  /** Whose password the caller would show. */
  readonly username?: string;
}

/** The app that is asked what to do with the call. */
export interface ExplainedApp extends WebhookTarget {
  readonly fallback: WebhookTarget | null;
}

export interface ArrivalExplanation extends Explanation {
  readonly place: {
    readonly kind: Identified['kind'];
    readonly sid: string | null;
    /** Domain name. */
    readonly name: string | null;
    /** In words: why the call is for it. */
    readonly rule: string;
  };
  /** In the order in which a call is asked. */
  readonly checks: readonly Examined[];
  readonly app: ExplainedApp | null;
  /** The smallest change that would let the call through, where there is one. */
  readonly fix: string | null;
  /** SIP status that the caller would get at once. */
  readonly status: number | null;
}

export interface Arrivals {
  /** @returns 'foreign' where the call is for another account */
  explain(question: ArrivalQuestion): Promise<ArrivalExplanation | 'foreign'>;
}

export interface ArrivalDeps extends ExplainDeps {
  readonly door: Pick<Door, 'examine'>;
  readonly directory: Directory;
  readonly emergencyNumbers: readonly string[];
}

export const arrivals = (deps: ArrivalDeps): Arrivals => ({
  async explain(question) {
    const { to: uri, source, username } = question;
    const from = callerUri(question.from, bracketed(source.address));
    const received = { ...source, port: 0 };
    const found = deps.door.examine({ uri, from, received, ...(username !== undefined && { username }) });
    const { place, checks } = found;
    if (ownerOf(place) !== undefined && ownerOf(place) !== question.accountSid) return 'foreign';
    const way = await wayOf(found, from, deps);
    return { place: shown(place, source.address), checks, ...way, ...(asks(checks) && withPassword(way)) };
  },
});

const ownerOf = (place: Identified): string | undefined =>
  place.kind === 'unknown' ? undefined : (place.kind === 'domain' ? place.domain : place.trunk).accountSid;

function shown(place: Identified, source: string): ArrivalExplanation['place'] {
  const { kind, host } = place;
  if (kind === 'unknown') return { kind, sid: null, name: null, rule: `nobody here is called by ${host}` };
  const { sid, domainName: name } = kind === 'domain' ? place.domain : place.trunk;
  if (kind === 'trunk') return { kind, sid, name, rule: `${host} is the name of trunk ${sid}` };
  const rules = {
    name: `${host} is the name of domain ${sid}`,
    'called-address': `${host} is an address of an IpRecord whose SourceIpMapping names domain ${name}`,
    'source-address': `the source ${source} is held by an IpRecord whose SourceIpMapping names domain ${name}`,
  };
  return { kind, sid, name, rule: rules[place.by] };
}

type Way = Omit<ArrivalExplanation, 'place' | 'checks'>;

async function wayOf(found: Examination, from: string, deps: ArrivalDeps): Promise<Way> {
  const { admitted, refusal, request } = found;
  if (refusal || !admitted) return refused(from, refusal);
  if (admitted.kind === 'trunk') {
    const route = routeOf(admitted, deps);
    return 'why' in route ? refused(from, route) : leaving(await explain(route.plan, route, deps));
  }
  const number = numberOfTrunk(admitted);
  if (!number) {
    const webhooks = findWebhooks(admitted, deps.directory);
    if ('why' in webhooks) return refused(from, webhooks);
    const { rule, voice, fallback = null, carrier } = webhooks;
    const app = { ...voice, fallback };
    const verdict = `${inWords(voice)} would be asked what to do with the call`;
    return { ...NOTHING, rule, app, verdict, from: partiesOf(request, admitted, carrier).from };
  }
  const owner = deps.directory.find(trunk, number.trunkSid ?? '');
  if (!owner) return refused(from, { why: `${number.phoneNumber} belongs to no trunk that is there` });
  return originating(owner, { number, from: partiesOf(request, admitted, true).from }, deps);
}

const NOTHING = {
  rule: 'the call goes no further',
  targets: [],
  errorCode: null,
  app: null,
  fix: null,
  status: null,
};

const leaving = (explanation: Explanation): Way => ({ ...explanation, app: null, fix: null, status: null });

function refused(from: string, refusal?: Partial<Refusal>): Way {
  const { why = 'nobody takes it', fix = null, status = 404, errorCode = null, silent } = refusal ?? {};
  const how = silent ? 'not be answered' : `be refused with ${status}`;
  const code = errorCode === null ? '' : ` (${errorCode})`;
  return { ...NOTHING, from, fix, status, errorCode, verdict: `The call would ${how}${code}: ${why}` };
}

/** A call for a number of an Elastic trunk. */
async function originating(
  owner: Row<typeof trunk>,
  call: { readonly number: { readonly sid: string; readonly phoneNumber: string }; readonly from: string },
  deps: ArrivalDeps,
): Promise<Way> {
  const { phoneNumber: to } = call.number;
  const way = leaving(
    await explain(planOrigination(owner, call.number, deps), { to, from: call.from }, deps),
  );
  const { disasterRecovery } = originationOf(owner, to);
  if (!disasterRecovery)
    return { ...way, errorCode: way.errorCode === CARRIERS_FAILED ? PBX_FAILED : way.errorCode };
  const app = { ...disasterRecovery, fallback: null };
  const asked = `${inWords(disasterRecovery)} (the trunk's DisasterRecoveryUrl)`;
  return way.errorCode === null
    ? { ...way, app, verdict: `${way.verdict}; where none can take it, ${asked} would be asked` }
    : {
        ...way,
        app,
        errorCode: null,
        verdict: `No origination URL can take the call: ${asked} would be asked`,
      };
}

/** What Twilio calls it that no target could take a call: at carriers, and at a PBX. */
const CARRIERS_FAILED = 32_400;
const PBX_FAILED = 32_011;

const inWords = ({ method, url }: WebhookTarget): string => `${method} ${url}`;

const asks = (checks: readonly Examined[]): boolean => checks.some(({ verdict }) => verdict === 'asks');

const withPassword = ({ status, verdict }: Way): Partial<Way> =>
  status === null ? { verdict: `With the right password: ${verdict}` } : {};
