// What a call would meet at the door that is only asked about: every check with its verdict, those after a refusal too,
// so that all that is wrong shows at once. What only a call itself can show is taken to be right. Pure.
import { type Endpoint, formatUri, parseUri, type RequestView } from '../sip/index.ts';
import { CHECKS, type CheckName, checksOf, isMappedSource } from './admit.ts';
import type { AdmittedToDomain, AdmittedToTrunk } from './admitted.ts';
import { refusedUnheard } from './digest.ts';
import type { Identified } from './identify.ts';
import { accessListsOf, credentialListsOf, entryInWords, entryOf } from './mapped-lists.ts';
import { calledUser } from './number-checks.ts';
import { isE164, ownedNumber } from './numbers.ts';
import { accountOf, type Facts, nameOf, type Question } from './question.ts';
import type { Refusal } from './refusal.ts';

export interface Visit {
  /** Request-URI. */
  readonly uri: string;
  /** Address of From: its URI, without brackets. */
  readonly from: string;
  readonly received: Endpoint;
  /** Whose password would be shown. */
  readonly username?: string;
}

export interface Examined {
  readonly check: CheckName;
  /** `asks`: for a password. `assumes`: only the call itself can show it. */
  readonly verdict: 'passes' | 'refuses' | 'asks' | 'assumes';
  readonly why: string;
  /** The smallest change that would let the call pass. */
  readonly fix: string | null;
  /** SIP status, and Twilio's code, of a refusal. */
  readonly status: number | null;
  readonly errorCode: number | null;
}

/** What is known of the call that would be let in. */
export type WouldAdmit =
  | Pick<AdmittedToDomain, 'kind' | 'accountSid' | 'host' | 'user' | 'domain' | 'number'>
  | Pick<AdmittedToTrunk, 'kind' | 'accountSid' | 'trunk' | 'to' | 'callerId'>;

export interface Examination {
  readonly place: Identified;
  /** The call as it is thought of. */
  readonly request: RequestView;
  /** In the order of a real call. */
  readonly checks: readonly Examined[];
  /** Of the first check that refuses, or that nobody is called. */
  readonly refusal?: Refusal;
  /** Missing where it is refused. */
  readonly admitted?: WouldAdmit;
}

export interface ExaminedQuestion extends Question {
  readonly username?: string;
}

export function examine(question: ExaminedQuestion): Examination {
  const { place, request } = question;
  const answers = checksOf(place).map((check) => ({ check, ...answerTo(check, question) }));
  const checks = answers.map(({ check, verdict, told }) => examined(check, verdict, told));
  const refusal = answers.find(({ verdict }) => verdict === 'refuses')?.told as Refusal | undefined;
  if (refusal) return { place, request, checks, refusal };
  const facts: Facts = Object.assign({}, ...answers.map((answer) => answer.facts));
  return { place, request, checks, admitted: wouldAdmit(question, facts) };
}

interface CheckAnswer {
  readonly verdict: Examined['verdict'];
  readonly told: Pick<Refusal, 'why' | 'fix' | 'errorCode'> & { readonly status?: number };
  readonly facts?: Facts;
}

const answer = (verdict: Examined['verdict'], why: string, facts?: Facts): CheckAnswer => ({
  verdict,
  told: { why },
  ...(facts && { facts }),
});

function answerTo(check: CheckName, question: ExaminedQuestion): CheckAnswer {
  switch (check) {
    case 'password':
      return password(question);
    case 'media':
      return answer('assumes', `${mediaOf(question)} in PCMU or PCMA`);
    case 'hops':
      return answer('assumes', 'its Max-Forwards is above 0');
    case 'contact':
      return answer('assumes', 'its Contact is no loopback address');
    default: {
      const found: Facts | Refusal | undefined = CHECKS[check](question);
      if (found && 'status' in found) return { verdict: 'refuses', told: found };
      return answer('passes', PASSES[check](question, found ?? {}), found);
    }
  }
}

/** Whether the password would be right is known when it comes. */
function password({ place, directory, username, mayTry }: ExaminedQuestion): CheckAnswer {
  const lists = credentialListsOf(directory, place);
  if (lists.length === 0) return answer('passes', 'no credential list is mapped, so none is asked for');
  const where = `the credential lists ${lists.join(', ')}`;
  if (username === undefined) return answer('asks', `a user of ${where} would be asked for (407)`);
  const owner = place.kind === 'domain' ? place.domain.sid : place.trunk.sid;
  const refusal = refusedUnheard({ directory, lists, owner }, username, mayTry);
  return refusal
    ? { verdict: 'refuses', told: refusal }
    : answer('asks', `that of ${username}, who is in ${where}, would be asked for (407)`, { username });
}

const mediaOf = ({ place }: Question): string =>
  nameOf(place).secure
    ? 'its media is SRTP with SDES keys (RTP/SAVP),'
    : 'its media is RTP without encryption (RTP/AVP),';

type Passing = Exclude<CheckName, 'password' | 'media' | 'hops' | 'contact'>;

/** Why a check is passed. */
const PASSES: Readonly<Record<Passing, (question: ExaminedQuestion, facts: Facts) => string>> = {
  transport: ({ place }) => {
    const { name, secure } = nameOf(place);
    return secure ? 'it comes by TLS' : `${name} is not secure, so any transport will do`;
  },
  lists: ({ place }) =>
    isMappedSource(place) ? 'the IpRecord says who calls' : `${nameOf(place).name} has lists of who may call`,
  source: ({ place, directory, received: { address } }) => {
    if (isMappedSource(place)) return 'the IpRecord holds it';
    const entry = entryOf(directory, accessListsOf(directory, place), address);
    return entry
      ? `${address} is in ${entryInWords(directory, entry)}`
      : 'no access control list is mapped, so any address will do';
  },
  account: ({ place }) => `account ${accountOf(place)} is active`,
  turn: () => 'there is room for one more call now',
  number: (_question, { to = '' }) => `${to} is ${isE164(to) ? 'in E.164' : 'an emergency number'}`,
  caller: (_question, { callerId }) => `the account may call as ${callerId}`,
  permission: ({ request }) => `${calledUser(request)} may be called`,
};

const examined = (
  check: CheckName,
  verdict: Examined['verdict'],
  { why, fix, status, errorCode }: CheckAnswer['told'],
): Examined => ({
  check,
  verdict,
  why,
  fix: fix ?? null,
  status: status ?? null,
  errorCode: errorCode ?? null,
});

function wouldAdmit({ place, directory, request }: Question, { to = '', callerId = '' }: Facts): WouldAdmit {
  const accountSid = accountOf(place);
  if (place.kind === 'trunk') return { kind: 'trunk', accountSid, trunk: place.trunk, to, callerId };
  const { domain, host } = place;
  const user = calledUser(request);
  const number = ownedNumber(directory, accountSid, user);
  return { kind: 'domain', accountSid, host, user, domain, ...(number && { number }) };
}

/** The INVITE that the visit would come with, as far as it is known. */
export function inviteOf({ uri, from }: Visit): RequestView {
  const header = (name: string) => (name.toLowerCase() === 'from' ? `<${from}>` : undefined);
  return {
    method: 'INVITE',
    uri: formatUri({ ...parseUri(uri), headers: [] }),
    header,
    headers: (name) => [header(name) ?? []].flat(),
    extensions: () => [],
    body: '',
  };
}
