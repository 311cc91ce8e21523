// Elements → verbs: which attributes each verb knows, their defaults and limits, and what is wrong with a document.
import { parseXml, TwimlError, type XmlElement } from './xml.ts';

export type Verb =
  | {
      readonly verb: 'Say';
      readonly text: string;
      readonly voice: string;
      readonly language: string;
      readonly loop: number;
    }
  | { readonly verb: 'Play'; readonly url: string; readonly loop: number }
  | { readonly verb: 'Pause'; readonly lengthS: number }
  | { readonly verb: 'Redirect'; readonly url: string; readonly method: 'GET' | 'POST' }
  | { readonly verb: 'Hangup' };

/** A flaw that does not stop the document. `code` is Twilio's. */
export interface TwimlWarning {
  readonly code: number;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export interface TwimlDocument {
  readonly verbs: readonly Verb[];
  readonly warnings: readonly TwimlWarning[];
}

/** `loop="0"` repeats until the call ends; Twilio stops at this many, and so do we. */
const MAX_LOOPS = 1000;
const MAX_SAY_CHARACTERS = 4096;
/** Verbs of Twilio's that this version has no code for: skipped, with a warning that says so. */
const TO_COME = new Set(
  'Dial Gather Record Reject Enqueue Leave Refer Start Stop Connect Pay Prompt Sms'.split(' '),
);

/** Reads one verb's element; `warn` takes what is wrong with it. Returns undefined where it cannot run at all. */
type VerbReader = (element: XmlElement, warn: (code: number, message: string) => void) => Verb | undefined;

const VERBS: Readonly<Record<string, { attributes: readonly string[]; read: VerbReader }>> = {
  Say: { attributes: ['voice', 'language', 'loop'], read: readSay },
  Play: { attributes: ['loop', 'digits'], read: readPlay },
  Pause: { attributes: ['length'], read: readPause },
  Redirect: { attributes: ['method'], read: readRedirect },
  Hangup: { attributes: [], read: () => ({ verb: 'Hangup' }) },
};

/**
 * Parses a TwiML document. Flaws inside verbs become warnings and the document goes on, as at Twilio.
 * @throws {TwimlError} where the document as a whole cannot run.
 */
export function parseTwiml(source: string): TwimlDocument {
  const root = parseXml(source);
  if (root.name !== 'Response') throw new TwimlError(12102, `the root element is ${root.name}, not Response`);
  const warnings: TwimlWarning[] = [];
  const verbs: Verb[] = [];
  for (const element of root.children) {
    const warn = (code: number, message: string) =>
      warnings.push({ code, message, line: element.line, column: element.column });
    const known = VERBS[element.name];
    if (!known) {
      warn(
        12200,
        `<${element.name}> ${TO_COME.has(element.name) ? 'is not supported yet' : 'is no verb'}; it is skipped`,
      );
      continue;
    }
    for (const name of element.attributes.keys()) {
      if (!known.attributes.includes(name)) warn(12200, `<${element.name}> has no attribute ${name}`);
    }
    const verb = known.read(element, warn);
    if (verb) verbs.push(verb);
  }
  return { verbs, warnings };
}

function readSay(element: XmlElement, warn: (code: number, message: string) => void): Verb | undefined {
  const text = element.text.trim();
  if (!text) {
    warn(13520, '<Say> has no text');
    return undefined;
  }
  if (text.length > MAX_SAY_CHARACTERS) {
    warn(13521, `<Say> is longer than ${MAX_SAY_CHARACTERS} characters`);
    return undefined;
  }
  return {
    verb: 'Say',
    text,
    voice: element.attributes.get('voice') ?? 'man',
    language: element.attributes.get('language') ?? 'en-US',
    loop: readLoop(element, 13510, warn),
  };
}

function readPlay(element: XmlElement, warn: (code: number, message: string) => void): Verb | undefined {
  if (element.attributes.has('digits')) warn(12200, '<Play digits> is not supported yet; no tones are sent');
  const url = element.text.trim();
  if (url) return { verb: 'Play', url, loop: readLoop(element, 13410, warn) };
  if (!element.attributes.has('digits')) warn(11100, '<Play> names no URL');
  return undefined;
}

function readLoop(element: XmlElement, code: number, warn: (code: number, message: string) => void): number {
  const loop = wholeNumber(element.attributes.get('loop'), 1);
  if (loop === undefined) warn(code, `<${element.name} loop> is not a whole number of 0 or more; 1 is taken`);
  return Math.min(loop === 0 ? MAX_LOOPS : (loop ?? 1), MAX_LOOPS);
}

function readPause(element: XmlElement, warn: (code: number, message: string) => void): Verb {
  const lengthS = wholeNumber(element.attributes.get('length'), 1);
  if (lengthS) return { verb: 'Pause', lengthS };
  warn(13910, '<Pause length> is not a whole number of 1 or more; 1 is taken');
  return { verb: 'Pause', lengthS: 1 };
}

function readRedirect(element: XmlElement, warn: (code: number, message: string) => void): Verb | undefined {
  const method = (element.attributes.get('method') ?? 'POST').toUpperCase();
  if (method !== 'GET' && method !== 'POST')
    warn(13710, '<Redirect method> is neither GET nor POST; POST is taken');
  const url = element.text.trim();
  if (!url) {
    warn(11100, '<Redirect> names no URL');
    return undefined;
  }
  return { verb: 'Redirect', url, method: method === 'GET' ? 'GET' : 'POST' };
}

/** Undefined where `value` is given and is no whole number of 0 or more. */
function wholeNumber(value: string | undefined, fallback: number): number | undefined {
  if (value === undefined) return fallback;
  return /^\d{1,9}$/.test(value.trim()) ? Number(value) : undefined;
}
