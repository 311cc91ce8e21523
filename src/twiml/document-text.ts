// The octets of a document → its text, whatever character set the app wrote it in.

/** What an XML declaration says, in a character set that has ASCII in its place. */
const DECLARED = /^<\?xml[^>]{0,100}?\sencoding\s*=\s*["']([\w.:-]{1,40})["']/;
const CHARSET = /;\s*charset\s*=\s*"?([\w.:-]{1,40})"?/i;

/**
 * Reads a document in the character set of its byte order mark, else of its Content-Type, else of its XML declaration
 * (RFC 7303 §3); UTF-8 where none is given or known. What cannot be read becomes U+FFFD.
 */
export function documentText(octets: Uint8Array, contentType: string): string {
  const declaration = String.fromCharCode(...octets.subarray(0, 200));
  const named = CHARSET.exec(contentType)?.[1] ?? DECLARED.exec(declaration)?.[1];
  return decoderOf(markOf(octets) ?? named ?? 'utf-8').decode(octets);
}

function markOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return first === 0xff && second === 0xfe ? 'utf-16le' : undefined;
}

const decoderOf = (name: string) => {
  try {
    return new TextDecoder(name);
  } catch {
    return new TextDecoder();
  }
};
