// POST /tandem/v1/Explain: what would become of this call, and why. To, From and Byoc as POST /Calls takes them ask for
// one that leaves; with SourceIp it is one that arrives from there, and To is its Request-URI.
import { isIP } from 'node:net';
import type { ArrivalQuestion, Arrivals } from '../calls/index.ts';
import { enumeration, parseParameters, text } from '../resources/index.ts';
import { orderError, parseRouteQuestion, withoutEmpty } from './call-order.ts';
import type { CallsDeps } from './calls.ts';
import { parseFrom, parseTo } from './endpoint.ts';
import { errors } from './errors.ts';
import type { Answer, ApiRequest, Json, JsonObject, Route } from './route.ts';
import { inSnakeCase } from './traces.ts';

export interface ExplainDeps extends CallsDeps {
  /** Missing where no calls come in. */
  readonly arrivals?: Arrivals;
}

const ARRIVAL = {
  fields: {
    to: text().required(),
    from: text().required(),
    sourceIp: text().required(),
    transport: enumeration(['udp', 'tcp', 'tls']).default('udp'),
    username: text(),
  },
};

export const explainRoutes = (deps: ExplainDeps): readonly Route[] => [
  {
    method: 'POST',
    path: '/tandem/v1/Explain',
    answer: (request) => {
      const arrives = ['SourceIp', 'Transport', 'Username'].some((name) =>
        withoutEmpty(request.form).has(name),
      );
      return arrives ? explainArrival(deps, request) : explainLeaving(deps, request);
    },
  },
];

async function explainLeaving({ store, calls }: CallsDeps, request: ApiRequest): Promise<Answer> {
  const question = parseRouteQuestion(request.form, {
    accountSid: request.account.sid,
    directory: store.directory,
    calls,
  });
  const explanation = await calls.explain(question);
  const { to, byoc = null } = question;
  return {
    status: 200,
    body: {
      account_sid: request.account.sid,
      to,
      byoc,
      ...(inSnakeCase(explanation as unknown as Json) as JsonObject),
    },
  };
}

async function explainArrival({ arrivals }: ExplainDeps, request: ApiRequest): Promise<Answer> {
  if (!arrivals) throw errors.unavailable('No calls come in here');
  const question = parseArrival(request);
  const explanation = await arrivals.explain(question);
  if (explanation === 'foreign')
    throw errors.invalid('To', 'leads to a domain or trunk of another account', 21211);
  const { to, source, username = null } = question;
  return {
    status: 200,
    body: {
      account_sid: request.account.sid,
      to,
      source_ip: source.address,
      transport: source.transport,
      username,
      ...(inSnakeCase(explanation as unknown as Json) as JsonObject),
    },
  };
}

/** @throws {ApiError} */
function parseArrival({ form, account }: ApiRequest): ArrivalQuestion {
  const { values, errors: faults } = parseParameters(ARRIVAL, withoutEmpty(form), 'create');
  const error = orderError(faults);
  if (error) throw error;
  const to = parseTo(String(values.to));
  if (to?.kind !== 'sip')
    throw errors.invalid(
      'To',
      'must be the SIP URI that the caller asks for, such as sip:+14155550100@acme.sip.twilio.com, where SourceIp is given',
      21211,
    );
  const from = parseFrom(String(values.from), to);
  if (from === undefined) throw errors.invalid('From', 'must be a number, a user name or a SIP URI', 21212);
  const address = String(values.sourceIp);
  if (isIP(address) === 0)
    throw errors.invalid('SourceIp', 'must be the IP address that the call comes from, such as 203.0.113.9');
  if (form.has('Byoc')) throw errors.invalid('Byoc', 'is for calls that leave: give it or SourceIp');
  const { username } = values;
  return {
    accountSid: account.sid,
    to: to.text,
    from,
    source: { address, transport: values.transport as ArrivalQuestion['source']['transport'] },
    ...(typeof username === 'string' && { username }),
  };
}
