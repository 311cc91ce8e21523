// From the form of POST /Calls to an order that the engine can carry out, or the error that says why not.
import {
  type CallControl,
  type CallEvent,
  type CallOrder,
  carrierFor,
  type OrderWarning,
  type RouteQuestion,
  type TwimlSource,
  type WebhookTarget,
} from '../calls/index.ts';
import {
  application,
  byocTrunk,
  CALL_EVENTS,
  enumerationList,
  type FieldError,
  type FieldValue,
  type Form,
  httpMethod,
  httpUrl,
  integer,
  parseParameters,
  text,
} from '../resources/index.ts';
import type { Directory } from '../store/index.ts';
import { checkHeaders } from './call-order-headers.ts';
import { OPTION_CODES, OPTIONS, optionWarnings, parseCallerId, parseOptions } from './call-order-options.ts';
import { type Endpoint, parseFrom, parseTo } from './endpoint.ts';
import { type ApiError, errors, parameterError } from './errors.ts';

const MAX_TWIML_CHARACTERS = 4000;

const ORDER = {
  fields: {
    to: text().required(),
    from: text().required(),
    url: httpUrl(),
    method: httpMethod().default('POST'),
    twiml: text(),
    applicationSid: text(),
    fallbackUrl: httpUrl(),
    fallbackMethod: httpMethod().default('POST'),
    statusCallback: httpUrl({ underscores: false }),
    statusCallbackMethod: httpMethod().default('POST'),
    statusCallbackEvent: enumerationList(CALL_EVENTS).default(['completed']),
    timeout: integer({ min: 1, max: 600 }).default(60),
    timeLimit: timeLimit().default(14_400),
    byoc: text(),
    ...OPTIONS,
  },
};

/** Seconds from the answer. */
export function timeLimit() {
  return integer({ min: 1, max: 86_400 });
}

/** Twilio's codes where they are not the general one. */
const CODES: ReadonlyMap<string, number> = new Map([
  ['To missing', 21201],
  ['To invalid', 21211],
  ['From missing', 21213],
  ['From invalid', 21212],
  ['Url invalid', 21205],
  ['Method invalid', 21209],
  ['FallbackMethod invalid', 21209],
  ['StatusCallbackMethod invalid', 21209],
  ['Timeout invalid', 21208],
  ...OPTION_CODES,
]);

interface OrderWorld {
  readonly accountSid: string;
  readonly directory: Directory;
  readonly calls: Pick<CallControl, 'isEmergency' | 'judgeNumber'>;
}

type Values = { readonly [field: string]: FieldValue };

/** What routing needs of a call. @throws {ApiError} */
export function parseRouteQuestion(form: Form, world: OrderWorld): RouteQuestion {
  const { to, from, carrier, values, timeoutS, isEmergency } = parseRoute(withoutEmpty(form), world);
  const caller = isEmergency ? from : (parseCallerId(values, to) ?? from);
  return { accountSid: world.accountSid, to: to.text, from: caller, timeoutS, ...carrier };
}

function parseRoute(given: Form, world: OrderWorld) {
  const { values, errors: faults } = parseParameters(ORDER, given, 'create');
  const error = orderError(faults);
  if (error) throw error;
  checkHeaders(String(values.to));
  const { accountSid, calls } = world;
  const to = parseTo(String(values.to), calls.isEmergency);
  if (!to) throw errors.invalid('To', 'must be a number such as +14155550123 or a SIP URI', 21211);
  const from = parseFrom(String(values.from), to);
  if (from === undefined)
    throw errors.invalid(
      'From',
      `cannot be the caller of a ${to.kind === 'sip' ? 'SIP call' : 'phone call'}`,
      21212,
    );
  const timeoutS = Number(values.timeout);
  const verdict = calls.judgeNumber({ accountSid, to: to.text, from });
  switch (verdict.kind) {
    case 'refused':
      throw errors.invalid('To', `is refused: ${verdict.why}`, verdict.code);
    case 'allowed': {
      const carrier = { byoc: verdict.carrier.trunkSid, carrierRoute: verdict.carrier.routeSid };
      const called: Endpoint = { kind: 'number', text: verdict.to };
      return { to: called, from: verdict.callerId, carrier, values, timeoutS, isEmergency: true };
    }
    case 'no-emergency':
      return { to, from, carrier: carrierOf(to, values, world), values, timeoutS, isEmergency: false };
  }
}

/** @throws {ApiError} */
export function parseCallOrder(form: Form, world: OrderWorld): CallOrder {
  const given = withoutEmpty(form);
  const { to, from, carrier, values, timeoutS, isEmergency } = parseRoute(given, world);
  const webhooks = webhooksOf(values, world);
  const twiml = twimlSource(webhooks);
  if (!twiml) throw errors.urlRequired();
  return {
    accountSid: world.accountSid,
    to: to.text,
    from,
    ...carrier,
    ...(isEmergency && { isEmergency }),
    twiml,
    ...callbacks(webhooks),
    timeoutS,
    timeLimitS: Number(values.timeLimit),
    ...parseOptions(isEmergency ? { ...values, callerId: null } : values, to),
    warnings: warningsOf(given, values, to),
  };
}

/** Where the TwiML comes from; undefined when neither Url nor Twiml is given. @throws {ApiError} */
export function twimlSource(values: Values): TwimlSource | undefined {
  const { url, twiml } = values;
  if (typeof twiml === 'string' && twiml.length > MAX_TWIML_CHARACTERS)
    throw errors.twimlTooLong(MAX_TWIML_CHARACTERS);
  if (typeof url === 'string') return webhook(url, values.method);
  return typeof twiml === 'string' ? { twiml } : undefined;
}

/** The first fault under Twilio's own code for it. */
export function orderError(faults: readonly FieldError[]): ApiError | undefined {
  const coded = faults.find(({ parameter, fault }) => CODES.has(`${parameter} ${fault}`));
  if (!coded) return parameterError(faults);
  const { parameter, fault, reason } = coded;
  const code = CODES.get(`${parameter} ${fault}`) ?? 20001;
  return fault === 'missing' ? errors.missing(parameter, code) : errors.invalid(parameter, reason, code);
}

/** An empty parameter of an action means that it was not given. */
export const withoutEmpty = (form: Form): Form =>
  new Map([...form].filter(([, values]) => values.some((value) => value !== '')));

/** An application's webhooks stand for all that the call was given, its inline TwiML included. */
function webhooksOf(values: Values, { directory, accountSid }: OrderWorld): Values {
  const sid = values.applicationSid;
  if (typeof sid !== 'string') return values;
  const found = directory.find(application, sid);
  if (found?.accountSid !== accountSid) {
    throw errors.invalid('ApplicationSid', `names ${sid}, which does not exist`, 21218);
  }
  return {
    ...values,
    url: found.voiceUrl,
    method: found.voiceMethod,
    twiml: null,
    fallbackUrl: found.voiceFallbackUrl,
    fallbackMethod: found.voiceFallbackMethod,
    statusCallback: found.statusCallback,
    statusCallbackMethod: found.statusCallbackMethod,
  };
}

/** The trunk that Byoc names, else the one of the longest CarrierRoute. */
function carrierOf(
  to: Endpoint,
  { byoc }: Values,
  { directory, accountSid }: OrderWorld,
): Pick<RouteQuestion, 'byoc' | 'carrierRoute'> {
  if (to.kind === 'sip') return {};
  if (typeof byoc !== 'string') {
    const carrier = carrierFor(to.text, accountSid, directory);
    if (!carrier) throw errors.noCarrier(to.text);
    return { byoc: carrier.trunkSid, carrierRoute: carrier.routeSid };
  }
  if (directory.find(byocTrunk, byoc)?.accountSid !== accountSid) {
    throw errors.invalid('Byoc', `names ${byoc}, which does not exist`);
  }
  return { byoc };
}

function callbacks(values: Values): Pick<CallOrder, 'fallback' | 'statusCallback'> {
  const { fallbackUrl, statusCallback } = values;
  const events = values.statusCallbackEvent as readonly CallEvent[];
  return {
    ...(typeof fallbackUrl === 'string' && { fallback: webhook(fallbackUrl, values.fallbackMethod) }),
    ...(typeof statusCallback === 'string' && {
      statusCallback: { ...webhook(statusCallback, values.statusCallbackMethod), events },
    }),
  };
}

const webhook = (url: string, method: FieldValue | undefined): WebhookTarget => ({
  url,
  method: method === 'GET' ? 'GET' : 'POST',
});

export const sourceWarnings = (given: Form): readonly OrderWarning[] =>
  given.has('Url') && given.has('Twiml')
    ? [{ code: 32019, text: 'Twiml was ignored because Url is given' }]
    : [];

function warningsOf(given: Form, values: Values, to: Endpoint): readonly OrderWarning[] {
  return [
    ...sourceWarnings(given),
    ...(given.has('Byoc') && to.kind === 'sip'
      ? [{ text: 'Byoc was ignored because To is not a phone number' }]
      : []),
    ...optionWarnings(given, values, to),
  ];
}
