// Form bodies and query strings, read strictly: what does not decode is refused, not guessed at.
import type { Form } from '../resources/index.ts';
import { errors } from './errors.ts';

const MAX_PARAMETERS = 1000;

/** @throws {ApiError} 400 for broken percent-encoding, NUL, or too many parameters. */
export function parseForm(text: string): Form {
  // Raw bytes that are no UTF-8 have become this character on the way here.
  if (text.includes('\uFFFD')) throw errors.badRequest('Parameters must be percent-encoded UTF-8');
  const form = new Map<string, string[]>();
  const pairs = text.split('&', MAX_PARAMETERS + 1).filter((pair) => pair !== '');
  if (pairs.length > MAX_PARAMETERS) throw errors.badRequest('There are too many parameters');
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    form.set(name, [...(form.get(name) ?? []), value]);
  }
  return form;
}

function decode(text: string): string {
  const decoded = percentDecode(text.replaceAll('+', ' '));
  if (decoded.includes('\0')) throw errors.badRequest('Parameters must not contain NUL');
  return decoded;
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw errors.badRequest('Parameters must be percent-encoded UTF-8');
  }
}
