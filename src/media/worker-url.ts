// Where a worker's file is: TypeScript beside its source, JavaScript beside the built one.

/** @param from The `import.meta.url` of a file in the same folder. */
export const workerUrl = (name: string, from: string): URL =>
  new URL(`./${name}${from.endsWith('.ts') ? '.ts' : '.js'}`, from);
