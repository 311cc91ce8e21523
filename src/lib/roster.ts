// What comes and goes by the thousand, by its name.

/**
 * A map whose values are held by nothing once they are deleted. A Map grows out of its table again and again, and the
 * old tables keep what was in them, each kept by the one before it, until all memory is looked through: here that is an
 * empty place.
 */
export class Roster<Value extends object> {
  readonly #places = new Map<string, Place<Value>>();

  get size(): number {
    return this.#places.size;
  }

  get(name: string): Value | undefined {
    return this.#places.get(name)?.value;
  }

  set(name: string, value: Value): void {
    this.#places.set(name, { value });
  }

  delete(name: string): void {
    const place = this.#places.get(name);
    if (!place) return;
    place.value = undefined;
    this.#places.delete(name);
  }

  /** As they are now. */
  values(): Value[] {
    return [...this.#places.values()].flatMap(({ value }) => value ?? []);
  }
}

interface Place<Value> {
  value: Value | undefined;
}
