// A message as the layers above see it.
export type HeaderField = readonly [name: string, value: string];

interface MessageView {
  /** First value of a header by its full name, any case; compact forms are found too. */
  header(name: string): string | undefined;
  /** Every value of a header, comma-separated lists split where the grammar allows lists. */
  headers(name: string): readonly string[];
  /** Headers that the stack has no use for and whose name begins so, such as `X-`: in order, names as they were written. */
  extensions(prefix: string): readonly HeaderField[];
  readonly body: string;
}

export interface RequestView extends MessageView {
  readonly method: string;
  readonly uri: string;
}

export interface ResponseView extends MessageView {
  readonly status: number;
  readonly reason: string;
}

export interface Body {
  readonly contentType: string;
  readonly content: string;
}
