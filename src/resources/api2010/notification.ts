// Something that went wrong in a call, or nearly did: Twilio's error code, and the request it happened in.
import { dateTime, enumeration, httpUrl, integer, sidOf, text } from '../fields.ts';
import { type AnyResource, resource } from '../resource.ts';
import { call } from './call.ts';

export const callNotification = resource({
  name: 'CallNotification',
  sid: 'NO',
  table: 'notifications',
  api: '2010-04-01',
  parent: call,
  path: 'Notifications',
  key: 'notifications',
  kind: 'record',
  operations: ['fetch', 'list'],
  filters: ['log', 'messageDate'],
  notInLists: ['request_variables', 'response_headers', 'response_body'],
  derived: {
    apiVersion: () => '2010-04-01',
    moreInfo: ({ errorCode }) => `https://www.twilio.com/docs/errors/${errorCode}`,
  },
  fields: {
    callSid: sidOf('CA').required().readOnly(),
    /** 0 for an error, 1 for a warning. */
    log: integer({ max: 1, asText: true }).required().readOnly(),
    errorCode: text().required().readOnly(),
    messageText: text().required().readOnly(),
    messageDate: dateTime().required().readOnly(),
    requestMethod: enumeration(['GET', 'POST']).readOnly(),
    requestUrl: httpUrl().readOnly(),
    /** Form-encoded, as are the headers. */
    requestVariables: text().readOnly(),
    responseHeaders: text().readOnly(),
    responseBody: text().readOnly(),
  },
});

const { parent: _, ...parentless } = callNotification;

/** The same rows, of all calls of an account. */
export const notification: AnyResource = Object.freeze({
  ...parentless,
  name: 'Notification',
  viewOf: callNotification,
});
