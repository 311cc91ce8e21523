// Reads one element: each attribute by its rule, and at the end a warning for whatever nobody asked for.
import type { Callback, Destination, Place } from './verbs.ts';
import type { XmlElement } from './xml.ts';

/** A flaw that does not stop the document. `code` is Twilio's. */
export interface TwimlWarning extends Place {
  readonly code: number;
  readonly message: string;
}

/** 64 KB could hold 16,000 flaws; nobody reads them, but they would be kept. */
export const MAX_WARNINGS = 50;
/** Names in a message are the document's own, as long as it likes. */
const MAX_MESSAGE_CHARACTERS = 200;

/** What all elements of a document share. */
export interface Reading {
  /** The document's own URL, which relative ones start from. */
  readonly url: string | undefined;
  readonly warnings: TwimlWarning[];
}

interface Choice<T> {
  readonly fallback: T;
  /** What is warned of where the value is none of those allowed. */
  readonly code: number;
}

export class ElementReader {
  readonly element: XmlElement;
  readonly place: Place;
  readonly #reading: Reading;
  readonly #known = new Set<string>();

  constructor(element: XmlElement, reading: Reading) {
    this.element = element;
    this.place = { line: element.line, column: element.column };
    this.#reading = reading;
  }

  get name(): string {
    return this.element.name;
  }

  inside(element: XmlElement): ElementReader {
    return new ElementReader(element, this.#reading);
  }

  warn(code: number, message: string): void {
    const { warnings } = this.#reading;
    if (warnings.length >= MAX_WARNINGS) return;
    warnings.push({ code, message: message.slice(0, MAX_MESSAGE_CHARACTERS), ...this.place });
  }

  warnOf(attribute: string, code: number, rule: string): void {
    this.warn(code, `<${this.name} ${attribute}> ${rule}`);
  }

  /** The attribute as written, blanks around it left out. */
  text(attribute: string): string | undefined {
    this.#known.add(attribute);
    return this.element.attributes.get(attribute)?.trim();
  }

  /** Attributes that are Twilio's and change nothing here. */
  accept(...attributes: readonly string[]): void {
    for (const attribute of attributes) this.#known.add(attribute);
  }

  /** Attributes of something that is to come: accepted, and said to have no effect. */
  notYet(...attributes: readonly string[]): void {
    const given = attributes.filter((attribute) => this.text(attribute) !== undefined);
    if (given.length > 0) this.warnOf(given.join(', '), 12200, 'is not supported yet and has no effect');
  }

  oneOf<T extends string, F extends T | undefined>(
    attribute: string,
    values: readonly T[],
    { fallback, code }: Choice<F>,
  ): T | F {
    const text = this.text(attribute);
    const found = values.find((value) => value === text);
    if (found !== undefined || text === undefined) return found ?? fallback;
    const instead = fallback ? `${fallback} is taken` : 'it is left out';
    this.warnOf(attribute, code, `is unknown, ${instead}; known are ${values.join(', ')}`);
    return fallback;
  }

  flag(attribute: string, { fallback, code }: Choice<boolean>): boolean {
    const text = this.text(attribute)?.toLowerCase();
    if (text === 'true' || text === 'false') return text === 'true';
    if (text !== undefined) this.warnOf(attribute, code, `is neither true nor false; ${fallback} is taken`);
    return fallback;
  }

  /** A whole number from `min` to `max`, of at most nine digits. */
  whole<F extends number | undefined>(
    attribute: string,
    { fallback, code, min, max = Infinity }: Choice<F> & { readonly min: number; readonly max?: number },
  ): number | F {
    const text = this.text(attribute);
    if (text === undefined) return fallback;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (value >= min && value <= max) return value;
    const range = max === Infinity ? `of ${min} or more` : `from ${min} to ${max}`;
    this.warnOf(attribute, code, `is no whole number ${range}; ${fallback ?? 'none'} is taken`);
    return fallback;
  }

  method(attribute: string, code: number): 'GET' | 'POST' {
    const text = this.text(attribute)?.toUpperCase();
    if (text !== undefined && text !== 'GET' && text !== 'POST') {
      this.warnOf(attribute, code, 'is neither GET nor POST; POST is taken');
    }
    return text === 'GET' ? 'GET' : 'POST';
  }

  /** `url` on the document's URL; as written where that makes no http URL. */
  resolve(url: string): string {
    const resolved = URL.parse(url, this.#reading.url);
    return resolved && /^https?:$/.test(resolved.protocol) ? resolved.href : url;
  }

  /** A request that brings a document: undefined where the attribute is not there or empty. */
  destination(attribute: string, methodAttribute: string, code: number): Destination | undefined {
    const method = this.method(methodAttribute, code);
    const url = this.text(attribute);
    return url ? { url: this.resolve(url), method } : undefined;
  }

  /** The same, and the document's own URL ('' where it has none) where the attribute is not there or empty. */
  destinationOrHere(attribute: string, methodAttribute: string, code: number): Destination {
    const method = this.method(methodAttribute, code);
    const url = this.text(attribute);
    return { url: url ? this.resolve(url) : (this.#reading.url ?? ''), method };
  }

  /**
   * A callback `prefix`, `prefixMethod` and `prefixEvent`. A URL that is none, or whose host has an underscore, is left
   * out with 11100.
   */
  callback(prefix: string, events: readonly string[], code: number): Callback | undefined {
    const destination = this.destination(prefix, `${prefix}Method`, code);
    const wanted = this.#events(`${prefix}Event`, events, code);
    if (!destination) return undefined;
    if (!isFetchable(destination.url)) this.warnOf(prefix, 11100, 'is no absolute http URL; it is left out');
    else if (URL.parse(destination.url)?.hostname.includes('_'))
      this.warnOf(prefix, 11100, 'has a host with an underscore; it is left out');
    else return { ...destination, events: wanted };
    return undefined;
  }

  /** Some of `allowed`, split by blanks; `completed` where there is none. */
  #events(attribute: string, allowed: readonly string[], code: number): readonly string[] {
    const words = this.text(attribute)?.split(/\s+/).filter(Boolean) ?? [];
    const unknown = words.filter((word) => !allowed.includes(word));
    if (unknown.length > 0)
      this.warnOf(attribute, code, `knows ${allowed.join(', ')}, not ${unknown.join(', ')}`);
    const known = allowed.filter((event) => words.includes(event));
    return known.length > 0 ? known : ['completed'];
  }

  /** To be called once all attributes are read. `holds` says what else may stand in the element. */
  end(...holds: readonly ('text' | 'elements')[]): void {
    for (const attribute of this.element.attributes.keys()) {
      if (!this.#known.has(attribute)) this.warn(12200, `<${this.name}> has no attribute ${attribute}`);
    }
    if (!holds.includes('text') && this.element.ownText.trim()) {
      this.warn(12200, `<${this.name}> holds no text; it is ignored`);
    }
    const [child] = this.element.children;
    if (!holds.includes('elements') && child) {
      this.inside(child).warn(12200, `<${this.name}> holds no <${child.name}>; it is ignored`);
    }
  }
}

/** Whether a request can be sent there at all: an absolute http or https URL. */
export function isFetchable(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && /^https?:$/.test(parsed.protocol);
}
