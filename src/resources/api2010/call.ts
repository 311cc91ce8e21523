// A call's record. Creating and changing calls is an action of its own (api/calls.ts); reading follows from this.
import {
  dateTime,
  enumeration,
  enumerationList,
  httpMethod,
  httpUrl,
  integer,
  sidOf,
  text,
} from '../fields.ts';
import { resource } from '../resource.ts';

export const CALL_STATUSES = [
  'queued',
  'ringing',
  'in-progress',
  'completed',
  'busy',
  'failed',
  'no-answer',
  'canceled',
] as const;

export const CALL_DIRECTIONS = [
  'inbound',
  'outbound-api',
  'outbound-dial',
  'trunking-terminating',
  'trunking-originating',
] as const;

export const CALL_EVENTS = ['initiated', 'ringing', 'answered', 'completed'] as const;

export const call = resource({
  name: 'Call',
  sid: 'CA',
  table: 'calls',
  api: '2010-04-01',
  path: 'Calls',
  key: 'calls',
  kind: 'record',
  operations: ['fetch', 'list'],
  filters: ['to', 'from', 'parentCallSid', 'status', 'startTime', 'endTime'],
  orders: ['startTime', 'endTime'],
  links: {
    events: 'Events',
    notifications: 'Notifications',
    payments: 'Payments',
    recordings: 'Recordings',
    siprec: 'Siprec',
    streams: 'Streams',
    transcriptions: 'Transcriptions',
    user_defined_message_subscriptions: 'UserDefinedMessageSubscriptions',
    user_defined_messages: 'UserDefinedMessages',
  },
  derived: {
    toFormatted: (row) => formatEndpoint(String(row.to)),
    fromFormatted: (row) => formatEndpoint(String(row.from)),
    apiVersion: () => '2010-04-01',
    groupSid: () => null,
  },
  fields: {
    to: text().required(),
    from: text().required(),
    parentCallSid: sidOf('CA').readOnly(),
    phoneNumberSid: sidOf('PN').readOnly(),
    trunkSid: sidOf('TK').readOnly(),
    status: enumeration(CALL_STATUSES).default('queued').readOnly(),
    direction: enumeration(CALL_DIRECTIONS).required().readOnly(),
    startTime: dateTime().readOnly(),
    endTime: dateTime().readOnly(),
    /** Seconds from the answer to the end. */
    duration: integer({ asText: true }).readOnly(),
    price: text().readOnly(),
    priceUnit: text().default('USD').readOnly(),
    answeredBy: text().readOnly(),
    forwardedFrom: text().readOnly(),
    callerName: text().readOnly(),
    /** Milliseconds. */
    queueTime: integer({ asText: true }).default(0).readOnly(),

    byocTrunkSid: sidOf('BY').internal(),
    connectionPolicySid: sidOf('NY').internal(),
    /** Status of the final SIP response that the outcome rests on. */
    sipResponseCode: integer().internal(),
    endedReason: text().internal(),
    statusCallback: httpUrl().internal(),
    statusCallbackMethod: httpMethod().default('POST').internal(),
    statusCallbackEvents: enumerationList(CALL_EVENTS).default([]).internal(),
    /** Status callbacks that are due so far: the number of the next one. */
    callbackSequence: integer().default(0).internal(),
    answeredAt: dateTime().internal(),
    // Identity of the dialog, kept at answer so that a restart can end it.
    sipCallId: text().internal(),
    localTag: text().internal(),
    remoteTag: text().internal(),
    /** When the call was last seen alive; its end after a crash. */
    heartbeatAt: dateTime().internal(),
    /** The run of an exchange that the call is, or was, on. */
    node: text().internal(),
  },
});

/** `+14155550123` → `(415) 555-0123`; other numbers and SIP URIs stay as they are. */
export function formatEndpoint(endpoint: string): string {
  return endpoint.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, '($1) $2-$3');
}
