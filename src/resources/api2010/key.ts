// An API key: a second name and secret for an account, to be given out and withdrawn without touching its token.
import { shownOnceToken, text } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';

export const key = resource({
  name: 'Key',
  sid: 'SK',
  table: 'keys',
  api: '2010-04-01',
  path: 'Keys',
  key: 'keys',
  kind: 'configuration',
  tokenOnly: true,
  operations: EVERY_OPERATION,
  hidden: ['account_sid', 'uri'],
  fields: {
    friendlyName: text({ max: 64 }),
    secret: shownOnceToken(),
  },
});
