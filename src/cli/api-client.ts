// A small client of our own REST API for the commands; users have the official one.
import type { Credentials } from '../store/index.ts';

/** The exchange's answer was an error; the message is its own. */
class ApiFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ApiFailure';
  }
}

export type Json = { readonly [property: string]: unknown };

export interface ApiClient {
  readonly accountSid: string;
  get(path: string): Promise<Json>;
  post(path: string, form: Readonly<Record<string, string>>): Promise<Json>;
}

/** Both methods reject with the exchange's own message, or one that says what to do where nobody answers. */
export function createApiClient(baseUrl: string, { accountSid, authToken }: Credentials): ApiClient {
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  const exchange = async (path: string, init: RequestInit): Promise<Json> => {
    const response = await fetch(baseUrl + path, { ...init, headers: { authorization } }).catch(() => {
      throw new ApiFailure(
        `Nothing answers at ${baseUrl}: start the exchange first (tandem serve, or tandem init)`,
      );
    });
    const body = (await response.json()) as Json;
    if (!response.ok) throw new ApiFailure(`${body.message} (${response.status}, error ${body.code})`);
    return body;
  };
  return {
    accountSid,
    get: (path) => exchange(path, {}),
    post: (path, form) => exchange(path, { method: 'POST', body: new URLSearchParams(form) }),
  };
}
