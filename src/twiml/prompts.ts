// Say, Play and Pause: what a caller hears, alone or inside Gather.
import type { ElementReader } from './element-reader.ts';
import type { Pause, Place, Prompt } from './verbs.ts';

/** `loop="0"` repeats until the call ends; Twilio stops at this many, and so do we. */
const MAX_LOOPS = 1000;
const MAX_SAY_CHARACTERS = 4096;
/** No call lasts longer. */
const MAX_PAUSE_S = 86_400;

const SSML = new Set('break emphasis lang p phoneme prosody s say-as speak sub w'.split(' '));
const VOICE = /^(man|woman|alice|[A-Za-z]+\.[\p{L}\d_.:-]+)$/u;
const LANGUAGE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/;

/** Keys that `<Play digits>` and `sendDigits` know. */
export const DIGITS = /^[0-9*#A-DwW]+$/;

/** Codes that are others inside Gather. */
interface PromptCodes {
  readonly sayVoice: number;
  readonly sayLoop: number;
}

const ALONE: PromptCodes = { sayVoice: 13511, sayLoop: 13510 };
const IN_GATHER: PromptCodes = { sayVoice: 13321, sayLoop: 13322 };

export const readSay = (reader: ElementReader): Prompt | undefined => say(reader, ALONE);

/** The prompts of a Gather; anything else in it is skipped with 13320. */
export function readPrompts(gather: ElementReader): readonly Prompt[] {
  const read = (reader: ElementReader): Prompt | undefined => {
    switch (reader.name) {
      case 'Say':
        return say(reader, IN_GATHER);
      case 'Play':
        return readPlay(reader);
      case 'Pause':
        return readPause(reader);
      default:
        reader.warn(13320, `<${reader.name}> may not stand in <Gather>; it is skipped`);
        return undefined;
    }
  };
  return gather.element.children
    .map((child) => read(gather.inside(child)))
    .filter((prompt) => prompt !== undefined);
}

function say(reader: ElementReader, codes: PromptCodes): Prompt | undefined {
  const voice = matching(reader, 'voice', { pattern: VOICE, fallback: 'man', code: codes.sayVoice });
  const language = matching(reader, 'language', { pattern: LANGUAGE, fallback: 'en-US', code: 13512 });
  const loop = readLoop(reader, codes.sayLoop);
  reader.end('text', 'elements');
  warnOfSsml(reader);
  const text = reader.element.text.trim();
  if (!text) return skipped(reader, 13520, '<Say> has no text');
  if (text.length > MAX_SAY_CHARACTERS) {
    return skipped(reader, 13521, `<Say> is longer than ${MAX_SAY_CHARACTERS} characters`);
  }
  return { verb: 'Say', text, voice, language, loop, ...reader.place };
}

function matching(
  reader: ElementReader,
  attribute: string,
  { pattern, fallback, code }: { pattern: RegExp; fallback: string; code: number },
): string {
  const text = reader.text(attribute);
  if (text === undefined || pattern.test(text)) return text ?? fallback;
  reader.warnOf(attribute, code, `is unknown; ${fallback} is taken`);
  return fallback;
}

/** The text of SSML elements is spoken, without their meaning; one warning says so. */
function warnOfSsml(reader: ElementReader): void {
  const names = new Set(reader.element.children.map(({ name }) => name));
  if (names.size === 0) return;
  const strange = [...names].filter((name) => !SSML.has(name));
  const what = strange.length > 0 ? `<${strange[0]}> is no SSML` : 'SSML is not supported yet';
  reader.warn(12200, `<Say>: ${what}; its text is spoken plainly`);
}

export function readPlay(reader: ElementReader): Prompt | undefined {
  const digits = reader.text('digits');
  const loop = readLoop(reader, 13410);
  reader.end('text');
  const url = reader.element.ownText.trim();
  if (digits === undefined) {
    if (!url) return skipped(reader, 11100, '<Play> names no URL');
    return { verb: 'Play', url: reader.resolve(url), loop, ...reader.place };
  }
  if (url) reader.warn(12200, '<Play> has digits and a URL; the digits are played');
  if (!DIGITS.test(digits)) return skipped(reader, 13430, '<Play digits> are 0-9, *, #, A-D, w and W');
  return { verb: 'PlayDigits', digits, loop, ...reader.place };
}

export function readPause(reader: ElementReader): Pause & Place {
  const lengthS = reader.whole('length', { min: 1, max: MAX_PAUSE_S, fallback: 1, code: 13910 });
  reader.end();
  return { verb: 'Pause', durationMs: lengthS * 1000, ...reader.place };
}

function readLoop(reader: ElementReader, code: number): number {
  const loop = reader.whole('loop', { min: 0, fallback: 1, code });
  return loop === 0 ? MAX_LOOPS : Math.min(loop, MAX_LOOPS);
}

function skipped(reader: ElementReader, code: number, message: string): undefined {
  reader.warn(code, `${message}; it is skipped`);
}
