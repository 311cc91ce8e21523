// A status callback: what is, was or will be told to the user's web application, and what that answered the last time.
import { Field } from '../field.ts';
import { dateTime, enumeration, httpMethod, httpUrl, integer, json, sidOf, text } from '../fields.ts';
import { resource } from '../resource.ts';

/** `failed` is tried no more. */
export const WEBHOOK_STATUSES = ['queued', 'retrying', 'delivered', 'failed'] as const;

export const webhook = resource({
  name: 'Webhook',
  sid: 'WH',
  table: 'webhooks',
  api: 'tandem/v1',
  path: 'Webhooks',
  key: 'webhooks',
  kind: 'record',
  operations: ['fetch', 'list'],
  filters: ['callSid', 'status', 'requestUrl', 'dateCreated'],
  links: { replay: 'Replay' },
  fields: {
    callSid: sidOf('CA').required().readOnly(),
    status: enumeration(WEBHOOK_STATUSES).default('queued').readOnly(),
    /** The place of the event among its call's. */
    sequenceNumber: integer().required().readOnly(),
    requestMethod: httpMethod().required().readOnly(),
    requestUrl: httpUrl().required().readOnly(),
    requestParameters: maskedForm().required().readOnly(),
    attempts: integer().default(0).readOnly(),
    /** Of the latest attempt, as all below. */
    sentAt: dateTime().readOnly(),
    durationMs: integer().readOnly(),
    responseStatus: integer().readOnly(),
    responseHeaders: json().readOnly(),
    responseBody: text().readOnly(),
    /** Twilio's. */
    errorCode: integer().readOnly(),
    errorMessage: text().readOnly(),
    /** Null when nothing more is to come. */
    nextAttemptAt: dateTime().readOnly(),

    /** What its sender calls it; every attempt carries the digits of the SID. */
    outboxId: text().required().internal(),
    /** Account and host, which are sent to in turn. */
    lane: text().required().internal(),
    /** The run of an exchange that holds it; null where nobody does. */
    node: text().internal(),
  },
});

const MASK = '****';
/** What callers type and say may be card numbers and PINs. */
const SECRET = new Set(['Digits', 'SpeechResult', 'UnstableSpeechResult', 'StableSpeechResult']);

/** Form-encoded parameters, shown as an object. */
function maskedForm(): Field<string | null> {
  return new Field<string | null>({
    column: 'text',
    schema: { type: 'object' },
    parse: (given) => ({ value: given }),
    show: (form) =>
      Object.fromEntries(
        Array.from(new URLSearchParams(form), ([name, value]) => [name, SECRET.has(name) ? MASK : value]),
      ),
  });
}
