// The two spellings every name has outside: PascalCase in forms, snake_case in JSON and tables.

/** `friendlyName` → `FriendlyName`, the name of a form parameter. */
export const parameterName = (field: string): string => field.charAt(0).toUpperCase() + field.slice(1);

/** Names are asked for with every row; there are as many as the definitions have fields. */
const spelled = new Map<string, string>();

/** `friendlyName` → `friendly_name`, the name of a JSON property and of a column. */
export function propertyName(field: string): string {
  const known = spelled.get(field);
  if (known !== undefined) return known;
  const name = field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  spelled.set(field, name);
  return name;
}
