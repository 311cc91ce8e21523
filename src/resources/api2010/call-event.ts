// One request that a call made to the user's web application, and what it was answered.
import { json } from '../fields.ts';
import { resource } from '../resource.ts';
import { call } from './call.ts';

export const callEvent = resource({
  name: 'CallEvent',
  sid: 'EV',
  table: 'call_events',
  api: '2010-04-01',
  parent: call,
  path: 'Events',
  key: 'events',
  kind: 'record',
  operations: ['list'],
  // Twilio shows the two halves of the exchange and nothing else.
  hidden: ['sid', 'account_sid', 'call_sid', 'date_created', 'date_updated', 'uri'],
  fields: {
    /** `{method, url, parameters}` */
    request: json().required().readOnly(),
    /** `{response_code, request_duration, content_type, response_body, date_created}` */
    response: json().required().readOnly(),
  },
});
