// Our own bugs stop the process with their numbers; clients' mistakes never come here.

export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws InvariantError. Build messages lazily at hot call sites: the string is evaluated by the caller. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** The end of an exhaustive switch: a new case that was forgotten stops compiling here. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
