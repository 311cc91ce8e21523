// TwiML text → verbs: what each verb is read by, and what is wrong with a document.
import { readGather, readRecord } from './collect.ts';
import { readDial, readRefer } from './dial.ts';
import { ElementReader, type TwimlWarning } from './element-reader.ts';
import { readPause, readPlay, readSay } from './prompts.ts';
import type { Hangup, Place, Redirect, Reject, Verb } from './verbs.ts';
import { parseXml, TwimlError } from './xml.ts';

export interface TwimlDocument {
  readonly verbs: readonly Verb[];
  /** At most 50, in the order of the document. */
  readonly warnings: readonly TwimlWarning[];
}

const VERBS: Readonly<Record<string, (reader: ElementReader) => Verb | undefined>> = {
  Dial: readDial,
  Gather: readGather,
  Hangup: readHangup,
  Pause: readPause,
  Play: readPlay,
  Record: readRecord,
  Redirect: readRedirect,
  Refer: readRefer,
  Reject: readReject,
  Say: readSay,
};

/** Verbs of Twilio's that this version has no code for. */
const TO_COME = new Set('Connect Enqueue Leave Pay Prompt Sms Start Stop'.split(' '));

/** Nouns of Twilio's, which are no verbs, and the verbs that they stand in. */
const PLACES = new Map([
  ...'Application Client Conference Number Queue Sim Sip WhatsApp'
    .split(' ')
    .map((noun) => [noun, '<Dial>'] as const),
  ['Stream', '<Connect> or <Start>'],
  ...'Recording Siprec Transcription'.split(' ').map((noun) => [noun, '<Start>'] as const),
  ...'AiSession Conversation ConversationRelay Room VirtualAgent'
    .split(' ')
    .map((noun) => [noun, '<Connect>'] as const),
]);

/**
 * Parses a TwiML document. Flaws inside verbs become warnings and the document goes on, as at Twilio: a value that is
 * wrong gives way to its default, an element that cannot run is skipped.
 * @param url where the document came from, absolute; relative URLs in it start there.
 * @throws {TwimlError} where the document as a whole cannot run.
 */
export function parseDocument(source: string, url?: string): TwimlDocument {
  const root = parseXml(source);
  if (root.name !== 'Response') throw new TwimlError(12102, `the root element is ${root.name}, not Response`);
  const warnings: TwimlWarning[] = [];
  const response = new ElementReader(root, { url, warnings });
  response.end('elements');
  const verbs = root.children
    .map((child) => readVerb(response.inside(child)))
    .filter((verb) => verb !== undefined);
  return { verbs, warnings };
}

function readVerb(reader: ElementReader): Verb | undefined {
  const read = Object.hasOwn(VERBS, reader.name) ? VERBS[reader.name] : undefined;
  if (read) return read(reader);
  reader.warn(12200, `<${reader.name}> ${flawOf(reader.name)}; it is skipped`);
  return undefined;
}

function flawOf(name: string): string {
  if (TO_COME.has(name)) return 'is not supported yet';
  const place = PLACES.get(name);
  return place === undefined ? 'is no verb' : `is no verb: it stands in ${place}`;
}

function readHangup(reader: ElementReader): Hangup & Place {
  reader.end();
  return { verb: 'Hangup', ...reader.place };
}

function readRedirect(reader: ElementReader): (Redirect & Place) | undefined {
  const method = reader.method('method', 13710);
  reader.end('text');
  const url = reader.element.ownText.trim();
  if (url) return { verb: 'Redirect', to: { url: reader.resolve(url), method }, ...reader.place };
  reader.warn(11100, '<Redirect> names no URL; it is skipped');
  return undefined;
}

function readReject(reader: ElementReader): Reject & Place {
  const reason = reader.oneOf('reason', ['rejected', 'busy'], { fallback: 'rejected', code: 13810 });
  reader.end();
  return { verb: 'Reject', reason, ...reader.place };
}
