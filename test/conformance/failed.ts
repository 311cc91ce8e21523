// How a call of the official client failed, as much of it as tests look at.

export interface Failure {
  readonly status?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
}

/** Resolves with the error's status, code and message; with nothing in it when there was none. */
export const failed = (promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    () => ({}),
    ({ status, code, message }: Failure) => ({ status, code, message }),
  );

/** `20404` of `400 20404`: what most tests are about. */
export const codeOf = async (promise: Promise<unknown>): Promise<unknown> => (await failed(promise)).code;
