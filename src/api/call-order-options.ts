// What an order may say beside who calls whom: how the callee sees it, what is pressed, recorded and listened for.
import type { CallOrder, OrderWarning, RecordingEvent, RecordingOrder } from '../calls/index.ts';
import {
  boolean,
  enumeration,
  enumerationList,
  Field,
  type FieldValue,
  type Form,
  httpMethod,
  httpUrl,
  integer,
  text,
} from '../resources/index.ts';
import { type Endpoint, parseFrom } from './endpoint.ts';
import { errors } from './errors.ts';

const RECORDING_EVENTS = ['in-progress', 'completed', 'absent'] as const satisfies readonly RecordingEvent[];
const MAX_CREDENTIAL = 255;
const MAX_REASON = 50;

/** Text of certain characters. */
const matching = (pattern: RegExp, reason: string): Field<string | null> =>
  new Field<string | null>({
    column: 'text',
    schema: { type: 'string', pattern: pattern.source },
    parse: (given) => (pattern.test(given) ? { value: given } : { reason }),
  });

const printable = () => matching(/^[^\p{Cc}]+$/u, 'must have no control characters');

/** @throws {ApiError} */
function atMost(max: number, text: string, { parameter, code }: { parameter: string; code: number }): string {
  if (text.length <= max) return text;
  throw errors.invalid(parameter, `must not be longer than ${max} characters`, code);
}

export const OPTIONS = {
  callerId: text(),
  callReason: printable(),
  callToken: text(),
  clientNotificationUrl: httpUrl(),
  sipAuthUsername: printable(),
  sipAuthPassword: printable(),
  sendDigits: matching(/^[0-9A-Da-d#*wW]{1,32}$/, 'must be 1 to 32 of 0-9, A-D, #, *, w and W'),
  record: boolean().default(false),
  recordingChannels: enumeration(['mono', 'dual']).default('mono'),
  recordingTrack: enumeration(['inbound', 'outbound', 'both']).default('both'),
  recordingStatusCallback: httpUrl({ underscores: false }),
  recordingStatusCallbackMethod: httpMethod().default('POST'),
  recordingStatusCallbackEvent: enumerationList(RECORDING_EVENTS).default(['completed']),
  trim: enumeration(['trim-silence', 'do-not-trim']).default('trim-silence'),
  machineDetection: enumeration(['Enable', 'DetectMessageEnd']),
  machineDetectionTimeout: integer(),
  machineDetectionSpeechThreshold: integer(),
  machineDetectionSpeechEndThreshold: integer(),
  machineDetectionSilenceTimeout: integer(),
  asyncAmd: boolean(),
  asyncAmdStatusCallback: httpUrl({ underscores: false }),
  asyncAmdStatusCallbackMethod: httpMethod().default('POST'),
};

/** Twilio's codes where they are not the general one. */
export const OPTION_CODES: readonly (readonly [fault: string, code: number])[] = [
  ['SipAuthUsername invalid', 21222],
  ['SipAuthPassword invalid', 21224],
  ['SendDigits invalid', 21206],
  ['MachineDetection invalid', 21234],
];

/** Taken, and nothing here that it could change. */
const WITHOUT_EFFECT: readonly string[] = ['CallToken', 'ClientNotificationUrl'];

type Values = { readonly [field: string]: FieldValue };

type Options = Pick<
  CallOrder,
  'callerId' | 'callReason' | 'sipAuth' | 'sendDigits' | 'recording' | 'machineDetection'
>;

/** @throws {ApiError} */
export function parseOptions(values: Values, to: Endpoint): Options {
  const { callReason, sendDigits, machineDetection } = values;
  const callerId = parseCallerId(values, to);
  const sipAuth = parseSipAuth(values, to);
  // Twilio: keys that are pressed are taken for no answering machine's business.
  const isDetecting = typeof machineDetection === 'string' && typeof sendDigits !== 'string';
  return {
    ...(callerId !== undefined && { callerId }),
    ...(typeof callReason === 'string' && {
      callReason: atMost(MAX_REASON, callReason, { parameter: 'CallReason', code: 20001 }),
    }),
    ...(sipAuth && { sipAuth }),
    ...(typeof sendDigits === 'string' && { sendDigits }),
    ...(values.record === true && { recording: recordingOf(values) }),
    ...(isDetecting && { machineDetection: detectionOf(values) }),
  };
}

/** @throws {ApiError} */
export function parseCallerId({ callerId }: Values, to: Endpoint): string | undefined {
  if (typeof callerId !== 'string') return undefined;
  const parsed = parseFrom(callerId, to);
  if (parsed !== undefined) return parsed;
  throw errors.invalid('CallerId', 'cannot be the caller of this call', 21212);
}

function parseSipAuth({ sipAuthUsername, sipAuthPassword }: Values, to: Endpoint): CallOrder['sipAuth'] {
  if (typeof sipAuthUsername !== 'string' && typeof sipAuthPassword !== 'string') return undefined;
  if (typeof sipAuthPassword !== 'string') throw errors.missing('SipAuthPassword', 21225);
  if (typeof sipAuthUsername !== 'string') throw errors.missing('SipAuthUsername', 21222);
  const username = atMost(MAX_CREDENTIAL, sipAuthUsername, { parameter: 'SipAuthUsername', code: 21221 });
  const password = atMost(MAX_CREDENTIAL, sipAuthPassword, { parameter: 'SipAuthPassword', code: 21223 });
  return to.kind === 'sip' ? { username, password } : undefined;
}

/** Twilio: the callback belongs to AsyncAmd. */
function detectionOf({
  asyncAmd,
  asyncAmdStatusCallback: url,
  asyncAmdStatusCallbackMethod: method,
}: Values) {
  if (asyncAmd !== true || typeof url !== 'string') return {};
  return { callback: { url, method: method === 'GET' ? 'GET' : 'POST' } } as const;
}

/** The parameters that say how to record. */
export function recordingOf(values: Values): RecordingOrder {
  const url = values.recordingStatusCallback;
  return {
    channels: values.recordingChannels === 'dual' ? 'dual' : 'mono',
    track: values.recordingTrack as RecordingOrder['track'],
    trim: values.trim as RecordingOrder['trim'],
    ...(typeof url === 'string' && {
      callback: {
        url,
        method: values.recordingStatusCallbackMethod === 'GET' ? 'GET' : 'POST',
        events: values.recordingStatusCallbackEvent as readonly RecordingEvent[],
      },
    }),
  };
}

export function optionWarnings(given: Form, values: Values, to: Endpoint): readonly OrderWarning[] {
  const asked = (name: string) => given.has(name) && given.get(name)?.[0] !== 'false';
  const texts = [
    ...(asked('SipAuthUsername') && to.kind !== 'sip'
      ? ['SipAuthUsername was ignored because To is not a SIP URI']
      : []),
    ...(values.machineDetection === null
      ? []
      : ['MachineDetection was accepted: nobody listens for machines here, so AnsweredBy is "unknown"']),
    ...(asked('AsyncAmdStatusCallback') && !(values.machineDetection !== null && values.asyncAmd === true)
      ? ['AsyncAmdStatusCallback was ignored: it goes with MachineDetection and AsyncAmd=true']
      : []),
    ...WITHOUT_EFFECT.filter(asked).map((name) => `${name} was accepted and has no effect here`),
  ];
  return texts.map((each) => ({ text: each }));
}
