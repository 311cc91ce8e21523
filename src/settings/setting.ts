// What a setting is, and how a topic of them becomes values.

/** A value that cannot be used; the message completes a sentence that begins with the setting's name. */
export class BadValue extends Error {}

interface Described<T> {
  readonly variable: string;
  /** Without the dashes; secrets have none, as command lines are seen by others. */
  readonly flag?: string;
  readonly meaning: string;
  /** Undefined is what no value at all gives. @throws {BadValue} */
  read(text: string): T;
}

/** One that always has a value: `default` is read where none is set. */
interface Defaulted<T> extends Described<T> {
  readonly default: string;
}

/** One that may have none: `unset` says in words what holds then. */
interface Optional<T> extends Described<T> {
  readonly unset: string;
}

export type Setting<T = unknown> = Defaulted<T> | Optional<T>;

/** Settings that belong together, by the name their value has in the configuration. */
export type Topic = { readonly [name: string]: Setting };

type Read<S> = S extends Setting<infer T> ? Exclude<T, undefined> : never;

/** The values of a topic; those of settings without a default may be missing. */
export type ValuesOf<T extends Topic> = {
  readonly [K in keyof T as T[K] extends { default: string } ? K : never]: Read<T[K]>;
} & { readonly [K in keyof T as T[K] extends { default: string } ? never : K]?: Read<T[K]> };

/**
 * @param valueOf what a setting is set to, or its default.
 * @throws what `valueOf` throws.
 */
export function readTopic<T extends Topic>(topic: T, valueOf: (setting: Setting) => unknown): ValuesOf<T> {
  const values = Object.entries(topic).map(([name, setting]) => [name, valueOf(setting)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as ValuesOf<T>;
}
