// The two spellings every name has outside: PascalCase in forms, snake_case in JSON and tables.

/** `friendlyName` → `FriendlyName`, the name of a form parameter. */
export const parameterName = (field: string): string => field.charAt(0).toUpperCase() + field.slice(1);

/** `friendlyName` → `friendly_name`, the name of a JSON property and of a column. */
export const propertyName = (field: string): string =>
  field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
