// TwiML text → a tree of elements with their places. Strict XML: what a browser would forgive is refused.
import { SaxesParser } from 'saxes';

/** An element of the document. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** What stands in it, children's text included, as SSML in Say needs. */
  readonly text: string;
  /** What stands in it directly. */
  readonly ownText: string;
  /** Where its start tag ends, counted from 1. */
  readonly line: number;
  readonly column: number;
}

/** The document cannot run. `code` is Twilio's: 12100 no XML, 12102 the root is not Response, 11750 too large. */
export class TwimlError extends Error {
  readonly code: 11750 | 12100 | 12102;

  constructor(code: TwimlError['code'], message: string) {
    super(message);
    this.name = 'TwimlError';
    this.code = code;
  }
}

/** Twilio's limit for a document. */
export const MAX_DOCUMENT_BYTES = 64 * 1024;
const MAX_DEPTH = 16;

interface Building extends XmlElement {
  readonly attributes: Map<string, string>;
  readonly children: Building[];
  text: string;
  ownText: string;
}

/** @throws {TwimlError} where the text is no well-formed XML, is too large, or nests too deeply. */
export function parseXml(source: string): XmlElement {
  if (Buffer.byteLength(source) > MAX_DOCUMENT_BYTES) {
    throw new TwimlError(11750, `the document is larger than ${MAX_DOCUMENT_BYTES} bytes`);
  }
  const parser = new SaxesParser();
  const open: Building[] = [];
  let root: Building | undefined;
  parser.on('opentag', (tag) => {
    if (open.length >= MAX_DEPTH) throw new TwimlError(12100, `elements nest deeper than ${MAX_DEPTH}`);
    const element: Building = {
      name: tag.name,
      attributes: new Map(Object.entries(tag.attributes as Record<string, string>)),
      children: [],
      text: '',
      ownText: '',
      line: parser.line,
      column: parser.column,
    };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  const addText = (text: string): void => {
    for (const element of open) element.text += text;
    const innermost = open.at(-1);
    if (innermost) innermost.ownText += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => void open.pop());
  parser.on('error', (error) => {
    throw new TwimlError(12100, error.message);
  });
  parser.write(source).close();
  if (!root) throw new TwimlError(12100, 'the document is empty');
  return root;
}
