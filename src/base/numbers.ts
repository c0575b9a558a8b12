// All of Redis's ways with numbers, in one place to import from.

export * from "./doubles.ts";
export { FLOAT_CHARACTERS_MAX } from "./float-text.ts";
export * from "./integers.ts";
export * from "./long-double.ts";
