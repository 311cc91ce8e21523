// A small client of our own REST API for the commands; users have the official one.
import { setTimeout } from 'node:timers/promises';
import type { Credentials } from '../store/index.ts';

/** The exchange's answer was an error; the message is its own. */
class ApiFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ApiFailure';
  }
}

const TOO_MANY_REQUESTS = 429;

export type Json = { readonly [property: string]: unknown };

export interface ApiClient {
  readonly accountSid: string;
  /** Waits while the exchange says that the account asks too often. */
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
    const waitS = response.status === TOO_MANY_REQUESTS ? response.headers.get('retry-after') : null;
    if (waitS !== null && init.method === undefined) {
      await setTimeout(Number(waitS) * 1000);
      return exchange(path, init);
    }
    if (!response.ok) throw new ApiFailure(`${body.message} (${response.status}, error ${body.code})`);
    return body;
  };
  return {
    accountSid,
    get: (path) => exchange(path, {}),
    post: (path, form) => exchange(path, { method: 'POST', body: new URLSearchParams(form) }),
  };
}
