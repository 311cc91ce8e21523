// X-Twilio-Signature, so that an app's `validateRequest` accepts what we send (Twilio: "Validating requests").
import { createHmac } from 'node:crypto';

export type FormParameters = readonly (readonly [name: string, value: string])[];

/**
 * Signs a request as Twilio does: HMAC-SHA1 over the URL and the sorted form parameters, in Base64.
 * @param url as requested, without the fragment; user info is left out, and so is the port where it is HTTPS.
 * @param form the POST body's parameters; empty for a GET, whose parameters are in the URL.
 */
export function sign(authToken: string, url: string, form: FormParameters): string {
  const hmac = createHmac('sha1', authToken).update(signedUrl(url));
  const values = new Map<string, Set<string>>();
  for (const [name, value] of form) values.set(name, (values.get(name) ?? new Set()).add(value));
  for (const [name, of] of [...values].toSorted(byName)) {
    for (const value of [...of].toSorted()) hmac.update(name + value);
  }
  return hmac.digest('base64');
}

/** By UTF-16 units, as the official validators sort. */
const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : Number(a > b);

function signedUrl(url: string): string {
  const [, scheme, authority, rest] = /^(https?:\/\/)([^/?]*)(.*)$/s.exec(url) ?? [];
  if (scheme === undefined || authority === undefined) return url;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return scheme + (scheme === 'https://' ? host.replace(/:\d+$/, '') : host) + rest;
}

export const encodeForm = (form: FormParameters): string =>
  new URLSearchParams(form.map(([name, value]): [string, string] => [name, value])).toString();

export const decodeForm = (encoded: string): FormParameters => [...new URLSearchParams(encoded)];
