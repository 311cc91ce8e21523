// One user name and password of a list. The password is never kept: only the digests that check it.
import { Field } from '../field.ts';
import { text } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';
import { credentialList } from './credential-list.ts';
import { digestSecret } from './digest-secret.ts';

const MIN_PASSWORD_LENGTH = 12;

export const credential = resource({
  name: 'Credential',
  sid: 'CR',
  table: 'credentials',
  api: '2010-04-01',
  parent: credentialList,
  path: 'Credentials',
  key: 'credentials',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  faultCode: 21_243,
  limit: { count: 1000, code: 21_242, message: 'A credential list can have no more than 1000 credentials' },
  unique: [
    {
      fields: ['credentialListSid', 'username'],
      code: 21_243,
      message: ({ username }) => `The list has a credential for ${username} already`,
    },
  ],
  indexes: [['credentialListSid', 'username'], ['username']],
  settle: (given, { current }) =>
    typeof given.password === 'string'
      ? { ...given, password: digestSecret(String(given.username ?? current?.username), given.password) }
      : given,
  fields: {
    username: username().required().fixed(),
    /** As `digestSecret` makes it. */
    password: password().required(),
  },
});

/** No colon, which would end it in the text that is digested (RFC 7616 §3.4.2), and nothing that no header can carry. */
function username(): Field<string | null> {
  const name = text({ max: 32 });
  return new Field<string | null>({
    column: 'text',
    schema: { type: 'string', minLength: 1, maxLength: 32 },
    parse: (given) =>
      /[:\p{Cc}]/u.test(given)
        ? { reason: 'must not contain colons or control characters' }
        : (name.parse(given) as { readonly value: string }),
  });
}

function password(): Field<string | null> {
  return new Field<string | null>({
    column: 'secret',
    schema: { type: 'string', format: 'password', minLength: MIN_PASSWORD_LENGTH },
    parse: (given) => {
      const isStrong =
        Array.from(given).length >= MIN_PASSWORD_LENGTH &&
        [/\d/, /\p{Lu}/u, /\p{Ll}/u].every((kind) => kind.test(given));
      return isStrong
        ? { value: given }
        : {
            reason: `must have at least ${MIN_PASSWORD_LENGTH} characters, among them a digit, an upper-case and a lower-case letter`,
          };
    },
    access: 'writeOnly',
  });
}
