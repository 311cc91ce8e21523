// The response to a request in a dialog that could not be dealt with.
import type { SipMessage } from '../message/message.ts';
import { SipSyntaxError } from '../message/syntax-error.ts';
import type { Stack } from '../stack.ts';

/** 400 where the request is to blame, else 500, and the log hears of it. */
export function failureOf({ log }: Stack, { method, callId }: SipMessage, error: unknown): number {
  if (error instanceof SipSyntaxError) return 400;
  log.error({ error, method, callId }, 'the handler of a request in a dialog failed');
  return 500;
}
