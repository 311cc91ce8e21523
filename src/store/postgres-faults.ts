// What went wrong on PostgreSQL, in the store's own errors: integrity by SQLSTATE, trouble as a line that says what to do.
import { IntegrityError, StoreError } from './store.ts';

/** PostgreSQL, "Appendix A. PostgreSQL Error Codes". */
const INTEGRITY: ReadonlyMap<string, IntegrityError['kind']> = new Map([
  ['23505', 'unique'],
  ['23503', 'reference'],
  ['23001', 'restrict'],
]);

const DEADLOCK: readonly string[] = ['40P01', '40001'];

/** Transactions that met each other and may be tried again as they are. */
export const isCollision = (error: unknown): boolean => DEADLOCK.includes(sqlState(error) ?? '');

/** A statement after one that failed in the same transaction: the other one is the cause. */
export const isConsequence = (error: unknown): boolean => sqlState(error) === '25P02';

/** @param place host, port and database, no password. */
export function storeErrorOf(error: unknown, place: string): Error {
  if (error instanceof StoreError || error instanceof IntegrityError) return error;
  const state = sqlState(error);
  const kind = INTEGRITY.get(state ?? '');
  const said = textOf(error);
  if (kind) return new IntegrityError(kind, said);
  const [code, text] = adviceFor(state, place);
  return new StoreError(code, `${text} (${said})`);
}

function adviceFor(state: string | undefined, place: string): [code: StoreError['code'], message: string] {
  // What the server did not say itself came from the connection; classes 08 and 57 are the server going away.
  if (state === undefined || /^(08|57P0|53300)/.test(state)) {
    return [
      'unreachable',
      `Cannot reach PostgreSQL at ${place}: see that it runs, or change TANDEM_DATABASE`,
    ];
  }
  if (/^(28|3D|42501)/.test(state)) {
    return ['refused', `PostgreSQL at ${place} refuses: mend user, password or database in TANDEM_DATABASE`];
  }
  if (state === '53100') return ['full', `The disk of PostgreSQL at ${place} is full: free some space`];
  if (state === '25006') {
    return ['unwritable', `PostgreSQL at ${place} is read-only: name the primary in TANDEM_DATABASE`];
  }
  return ['failed', `PostgreSQL at ${place} refused a statement`];
}

function sqlState(error: unknown): string | undefined {
  const { code, severity } = error as { code?: string; severity?: string };
  return severity === undefined ? undefined : code;
}

/** One line; a host with several addresses fails with several errors in one that has no message. */
function textOf(error: unknown): string {
  const { message, errors = [] } = error as { message?: string; errors?: readonly Error[] };
  return (message || errors.map((each) => each.message).join('; ') || String(error)).replaceAll(/\s+/g, ' ');
}
