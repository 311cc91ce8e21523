// List filters: query parameters that a definition allows, as conditions on its rows.
import {
  type AnyResource,
  BASE_FIELDS,
  type FieldValue,
  type Form,
  parameterName,
} from '../resources/index.ts';
import type { Filter } from '../store/index.ts';
import { errors } from './errors.ts';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/** @throws {ApiError} for a value that the field does not take. */
export function parseFilters(definition: AnyResource, query: Form): readonly Filter[] {
  return (definition.filters ?? []).flatMap((name) => {
    const parameter = parameterName(name);
    const isDate = fieldOf(definition, name)?.column === 'dateTime';
    const spellings = isDate ? [parameter, `${parameter}<`, `${parameter}>`] : [parameter];
    return spellings.flatMap((spelling) => {
      const text = query.get(spelling)?.[0];
      if (!text) return [];
      if (definition.partialFilters?.includes(name)) return [partialFilter(name, parameter, text)];
      const value = parseValue(definition, name, { parameter, text });
      return isDate
        ? dateFilters(name, spelling, { text, fromMs: Number(value) })
        : [{ field: name, operator: '=', value }];
    });
  });
}

export const fieldOf = ({ fields }: AnyResource, name: string) => fields[name] ?? BASE_FIELDS[name];

/** Matches anywhere in the value; `*` stands for any one character. */
function partialFilter(field: string, parameter: string, text: string): Filter {
  if (!/^[+0-9A-Za-z*]+$/.test(text)) throw errors.invalid(parameter, 'must be digits, letters, + and *');
  return { field, operator: 'like', value: `%${text.replaceAll('*', '_')}%` };
}

function parseValue(
  definition: AnyResource,
  name: string,
  given: { parameter: string; text: string },
): NonNullable<Filter['value']> {
  const parsed = fieldOf(definition, name)?.parse(given.text) ?? { reason: 'is unknown' };
  if ('reason' in parsed) throw errors.invalid(given.parameter, parsed.reason);
  return parsed.value as NonNullable<FieldValue> & Filter['value'];
}

/**
 * A bare date means its whole day (UTC), a time its whole second. `<` and `>` are inclusive, and a bare date is
 * its midnight there (Twilio, Call resource, "Read multiple Call resources").
 */
function dateFilters(
  field: string,
  spelling: string,
  { text, fromMs }: { text: string; fromMs: number },
): readonly Filter[] {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const from: Filter = { field, operator: '>=', value: fromMs };
  if (spelling.endsWith('>')) return [from];
  if (spelling.endsWith('<')) {
    return [
      isDay ? { field, operator: '<=', value: fromMs } : { field, operator: '<', value: fromMs + SECOND_MS },
    ];
  }
  return [from, { field, operator: '<', value: fromMs + (isDay ? DAY_MS : SECOND_MS) }];
}
