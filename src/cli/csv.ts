// Rows as CSV (RFC 4180), fit to be opened in a spreadsheet by somebody who does not trust what callers wrote.

export type Cell = string | number | boolean | null;

/** One line, with its line end. Null is an empty cell. */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(',')}\r\n`;

function csvCell(value: Cell): string {
  const text = withoutFormula(value === null ? '' : String(value));
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * What a spreadsheet would run as a formula gets an apostrophe before it, which makes it text (OWASP, "CSV Injection").
 * Plain numbers stay as they are, phone numbers among them: there is nothing in `+14155550100` to run.
 */
function withoutFormula(text: string): string {
  const isNumber = /^[+-]?\d+(\.\d+)?$/.test(text);
  return !isNumber && /^[=+\-@＝＋－＠\t\r\n]/u.test(text) ? `'${text}` : text;
}
