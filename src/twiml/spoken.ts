// Answers that are no TwiML and are taken for some all the same, as Twilio does: plain text is said, sound is played.
import { parseXml, TwimlError } from './xml.ts';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

const escaped = (text: string): string => text.replaceAll(/[&<>]/g, (character) => ESCAPES[character] ?? '');

function isTwiml(text: string): boolean {
  if (!text.trimStart().startsWith('<')) return false;
  try {
    return parseXml(text).name === 'Response';
  } catch (error) {
    if (error instanceof TwimlError) return false;
    throw error;
  }
}

/** The document that a `text/plain` answer stands for (Twilio: "TwiML for Programmable Voice", content types). */
export const plainDocument = (text: string): string =>
  !text.trim() || isTwiml(text) ? text : `<Response><Say>${escaped(text)}</Say></Response>`;

/** The document that sound from this URL stands for: it is heard once, and the call ends. */
export const soundDocument = (url: string): string => `<Response><Play>${escaped(url)}</Play></Response>`;
