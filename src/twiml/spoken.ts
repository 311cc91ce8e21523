// A web application's plain text, as Twilio takes it: TwiML where it looks like XML, else what is said to the caller.
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** The document that a `text/plain` answer stands for (Twilio: "TwiML for Programmable Voice", content types). */
export function plainDocument(text: string): string {
  if (!text.trim() || text.trimStart().startsWith('<')) return text;
  const said = text.replaceAll(/[&<>]/g, (character) => ESCAPES[character] ?? '');
  return `<Response><Say>${said}</Say></Response>`;
}
