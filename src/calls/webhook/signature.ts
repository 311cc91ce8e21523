// X-Twilio-Signature, so that an app's `validateRequest` accepts what we send (Twilio: "Validating requests").
import { createHmac } from 'node:crypto';

export type FormParameters = readonly (readonly [name: string, value: string])[];

/**
 * Signs a request as Twilio does: HMAC-SHA1 over the URL and the sorted form parameters, in Base64.
 * @param url as requested, without the fragment; user info is left out, and so is the port where it is HTTPS.
 * @param form the POST body's parameters; empty for a GET, whose parameters are in the URL.
 */
export function sign(authToken: string, url: string, form: FormParameters): string {
  let text = signedUrl(url);
  let before: Parameter | undefined;
  for (const parameter of form.toSorted(byNameAndValue)) {
    // One that comes twice counts once.
    if (before === undefined || byNameAndValue(before, parameter) !== 0) text += parameter[0] + parameter[1];
    before = parameter;
  }
  return createHmac('sha1', authToken).update(text).digest('base64');
}

type Parameter = FormParameters[number];

/** By UTF-16 units, as the official validators sort. */
const byNameAndValue = ([a, one]: Parameter, [b, other]: Parameter): number =>
  compare(a, b) || compare(one, other);

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

function signedUrl(url: string): string {
  const [, scheme, authority, rest] = /^(https?:\/\/)([^/?]*)(.*)$/s.exec(url) ?? [];
  if (scheme === undefined || authority === undefined) return url;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return scheme + (scheme === 'https://' ? host.replace(/:\d+$/, '') : host) + rest;
}

export const encodeForm = (form: FormParameters): string =>
  new URLSearchParams(form.map(([name, value]): [string, string] => [name, value])).toString();

export const decodeForm = (encoded: string): FormParameters => [...new URLSearchParams(encoded)];
