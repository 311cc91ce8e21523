// From a form to typed values, by a definition: every fault is collected, none thrown.
import type { Field, FieldValue } from './field.ts';
import { parameterName } from './names.ts';
import type { AnyResource } from './resource.ts';

/** Decoded parameters by name, in the order they came; a repeated one has several values. */
export type Form = ReadonlyMap<string, readonly string[]>;

export interface FieldError {
  /** PascalCase, as the caller wrote it. */
  readonly parameter: string;
  readonly fault: 'missing' | 'invalid';
  /** Completes a sentence that begins with the parameter's name. */
  readonly reason: string;
}

export interface ParsedForm {
  /** By field name. */
  readonly values: { readonly [field: string]: FieldValue };
  readonly errors: readonly FieldError[];
}

/** On create every field gets a value; on update only those that were given. Unknown parameters are ignored. */
export function parseParameters(
  definition: Pick<AnyResource, 'fields'>,
  form: Form,
  operation: 'create' | 'update',
): ParsedForm {
  const values: Record<string, FieldValue> = {};
  const errors: FieldError[] = [];
  for (const [name, field] of Object.entries(definition.fields)) {
    if (!field.isParameterOf(operation)) continue;
    const parameter = parameterName(name);
    const given = form.get(parameter);
    if (given) {
      const parsed = parseField(field, given);
      if ('reason' in parsed) errors.push({ parameter, fault: 'invalid', reason: parsed.reason });
      else values[name] = parsed.value;
    } else if (field.isRequiredOn(operation)) {
      errors.push({ parameter, fault: 'missing', reason: 'is required' });
    } else if (operation === 'create') {
      values[name] = field.initial as FieldValue;
    }
  }
  return { values, errors };
}

/** A repeated parameter is a list where the field takes lists, and a fault elsewhere. */
function parseField(
  field: Field<unknown>,
  given: readonly string[],
): { readonly value: FieldValue } | { readonly reason: string } {
  if (given.length > 1 && field.column !== 'list') return { reason: 'must be given only once' };
  return field.parse(given.join(' ')) as { readonly value: FieldValue } | { readonly reason: string };
}
