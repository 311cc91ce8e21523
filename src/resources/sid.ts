// String identifiers: two letters that say what it is, and 32 hex digits.
import type { Random } from '../lib/random.ts';

const SID = /^[A-Z]{2}[0-9a-fA-F]{32}$/;

/** A fresh SID; `prefix` is two upper-case letters such as `NY`. */
export const newSid = (prefix: string, random: Random): string => prefix + random.hex(16);

/** Whether `text` has the form of a SID with this prefix; Twilio's own pattern takes hex digits of either case. */
export const isSid = (text: string, prefix: string): boolean => text.startsWith(prefix) && SID.test(text);
