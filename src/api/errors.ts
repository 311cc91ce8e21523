// Every error the API answers with: one line each, Twilio's codes and body.
import type { FieldError } from '../resources/index.ts';

export class ApiError extends Error {
  readonly status: number;
  /** Twilio's error code. */
  readonly code: number;
  readonly headers: { readonly [name: string]: string };

  constructor(status: number, code: number, message: string, headers: ApiError['headers'] = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Seconds a client is told to wait while the exchange drains or its database is away. */
const RETRY_AFTER_S = '5';

export const errors = {
  authenticate: () =>
    new ApiError(401, 20003, 'Authenticate', { 'WWW-Authenticate': 'Basic realm="Twilio API"' }),
  accountNotActive: () => new ApiError(403, 20005, 'Account not active'),
  accessDenied: () => new ApiError(403, 20006, "Access denied: this needs the account's own token"),
  notFound: (path: string) => new ApiError(404, 20404, `The requested resource ${path} was not found`),
  methodNotAllowed: (allow: string) => new ApiError(405, 20004, 'Method not allowed', { Allow: allow }),
  onlyJson: () => new ApiError(406, 20406, 'Only JSON is served: add .json to the path'),
  badRequest: (message: string, code = 20001) => new ApiError(400, code, message),
  invalid: (parameter: string, reason: string, code = 20001) =>
    new ApiError(400, code, `Invalid Parameter: ${parameter} ${reason}`),
  missing: (parameter: string, code = 20001) =>
    new ApiError(400, code, `Missing required parameter ${parameter} in the post body`),
  badPageToken: () => new ApiError(400, 21481, 'Invalid PageToken'),
  tooLarge: () => new ApiError(413, 20413, 'The request is too large'),
  unavailable: (message: string) => new ApiError(503, 20503, message, { 'Retry-After': RETRY_AFTER_S }),
  /** Says nothing of what went wrong inside. */
  internal: () => new ApiError(500, 20500, 'An internal server error has occurred'),
  urlRequired: () => new ApiError(400, 21205, 'Url parameter is required.'),
  twimlTooLong: (max: number) =>
    new ApiError(400, 32018, `Invalid Parameter: Twiml must not be longer than ${max} characters`),
  noCarrier: (number: string) =>
    new ApiError(
      400,
      21214,
      `No carrier is configured for ${number}: give Byoc, the SID of the BYOC trunk that is to carry it, or make a CarrierRoute for its prefix`,
    ),
  notInProgress: (intent: 'redirect' | 'end' | 'record' | 'change its recording') =>
    new ApiError(400, 21220, `Call is not in-progress. Cannot ${intent}.`),
  tooManyCalls: () => new ApiError(429, 10004, 'Call concurrency limit exceeded'),
  queueFull: () =>
    new ApiError(429, 20429, 'Too many calls wait for their turn', { 'Retry-After': RETRY_AFTER_S }),
  stillRecording: () => new ApiError(400, 20009, 'Recording has not finished yet. Cannot delete.'),
  noSound: (sid: string, status: string) =>
    new ApiError(404, 20404, `There is nothing to hear of ${sid}: the recording is ${status}`),
  onlyMono: () =>
    new ApiError(
      400,
      16113,
      'Invalid Parameter: RequestedChannels cannot be 2: it was recorded in one channel',
    ),
  noSuchPart: (bytes: number) =>
    new ApiError(416, 20001, `The range lies outside of the recording's ${bytes} bytes`, {
      'Content-Range': `bytes */${bytes}`,
    }),
  notFinished: () => new ApiError(400, 20009, 'Call has not finished yet. Cannot delete.'),
} as const;

export const errorBody = ({ status, code, message }: ApiError) => ({
  code,
  message,
  more_info: `https://www.twilio.com/docs/errors/${code}`,
  status,
});

/** One error for all faults of a form, led by a parameter that is missing, under that parameter's code. */
export function parameterError(
  faults: readonly FieldError[],
  codeOf: (parameter: string) => number | undefined = () => undefined,
): ApiError | undefined {
  const missing = faults.find(({ fault }) => fault === 'missing');
  if (missing) return errors.missing(missing.parameter, codeOf(missing.parameter));
  const [first, ...others] = faults;
  if (!first) return undefined;
  const rest = others.map(({ parameter, reason }) => `; ${parameter} ${reason}`).join('');
  return errors.invalid(first.parameter, first.reason + rest, codeOf(first.parameter));
}
