// All of Redis's ways with numbers, in one place to import from.

export * from "./doubles.ts";
export * from "./integers.ts";
