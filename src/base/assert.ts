// Our own bugs stop the process with their numbers; clients' mistakes never come here.

export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * Throws InvariantError. The message is built by the caller, whether it is needed or not: where that costs (every
 * entry, every command) write `if (!condition) fail(...)` instead.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** A broken invariant that the caller has already noticed. */
export function fail(message: string): never {
  throw new InvariantError(message);
}

/** The end of an exhaustive switch: a new case that was forgotten stops compiling here. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
