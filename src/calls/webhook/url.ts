// A webhook's URL taken apart: what is requested, as whom, and how.
import type { UrlCredentials } from './session.ts';

export interface WebhookUrl {
  /** Without user info and fragment. */
  readonly url: URL;
  readonly credentials?: UrlCredentials;
  /** Never sent, never signed; without the `#`. */
  readonly fragment: string;
}

/** @returns Twilio's fault 11100 for what is no http or https URL. */
export function readWebhookUrl(
  text: string,
): WebhookUrl | { readonly code: 11100; readonly message: string } {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    return { code: 11100, message: 'the address is no http or https URL' };
  }
  const fragment = url.hash.slice(1);
  const { username, password } = url;
  url.hash = url.username = url.password = '';
  if (username === '' && password === '') return { url, fragment };
  return { url, fragment, credentials: { username: decoded(username), password: decoded(password) } };
}

/** What a request asks for, and what its signature covers: the letters that go over the wire. */
export const requestedUrl = ({ origin, pathname, search }: URL): string => origin + pathname + search;

/** A lone `%` stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
