// The kinds of value a setting can have: words in, a typed value or Redis's own error text out, and back
// to text for CONFIG GET. Knows no setting by name and reads nothing from outside.

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: string };

export interface Kind<T> {
  /** What --help shows in place of the value, "<1..65535>". */
  readonly shape: string;
  /** One word, one or more, or any number. CONFIG SET splits its one argument at spaces for the last two. */
  readonly takes: "word" | "words" | "any";
  /** Lines of this name add up to a list; the command line starts a new one, so that flags override the file. */
  readonly addsUp: boolean;
  /** `words` are as many as `takes` says. `before` is the value so far, for kinds whose lines change parts of it. */
  parse(words: readonly string[], before: T): Parsed<T>;
  /** The one text that CONFIG GET shows. */
  format(value: T): string;
  /** The words after the name, one item per line that CONFIG REWRITE writes. */
  lines(value: T): readonly (readonly string[])[];
}

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const refused = (error: string): { readonly ok: false; readonly error: string } => ({
  ok: false,
  error,
});

/** Builds a kind that takes one word. */
export function wordKind<T>(
  shape: string,
  parse: (word: string) => Parsed<T>,
  format: (value: T) => string = String,
): Kind<T> {
  return {
    shape,
    takes: "word",
    addsUp: false,
    parse: (words) => parse(words[0] ?? ""),
    format,
    lines: (value) => [[format(value)]],
  };
}

// As Redis's string2ll: no sign but '-', no leading zeros, no spaces.
const INTEGER = /^(?:0|-?[1-9][0-9]{0,18})$/;

function inRange(value: number, min: number, max: number): Parsed<number> {
  if (value >= min && value <= max) return parsed(value);
  return refused(`argument must be between ${min} and ${max} inclusive`);
}

export function integer(min: number, max: number): Kind<number> {
  return wordKind(`<${min}..${max === Number.MAX_SAFE_INTEGER ? "" : max}>`, (word) =>
    INTEGER.test(word)
      ? inRange(Number(word), min, max)
      : refused("argument couldn't be parsed into an integer"),
  );
}

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
};

/** "1gb" = 1073741824, "1g" = 1000000000, any case, as in redis.conf. Undefined when it is no such thing. */
export function parseMemorySize(text: string): number | undefined {
  const match = /^([0-9]*)([a-z]*)$/.exec(text.toLowerCase());
  const unit = UNIT_BYTES[match?.[2] ?? "?"];
  if (match === null || unit === undefined) return undefined;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

export function memory(min = 0, max: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  return wordKind("<bytes|kb|mb|gb>", (word) => {
    const bytes = parseMemorySize(word);
    return bytes === undefined ? refused("argument must be a memory value") : inRange(bytes, min, max);
  });
}

export const yesNo: Kind<boolean> = wordKind(
  "yes|no",
  (word) => {
    const lower = word.toLowerCase();
    if (lower === "yes" || lower === "no") return parsed(lower === "yes");
    return refused("argument must be 'yes' or 'no'");
  },
  (value) => (value ? "yes" : "no"),
);

export function oneOf<const V extends string>(...values: readonly V[]): Kind<V> {
  return wordKind(values.join("|"), (word) => {
    const found = values.find((value) => value === word.toLowerCase());
    if (found !== undefined) return parsed(found);
    return refused(`argument(s) must be one of the following: ${values.join(", ")}`);
  });
}

/** Text as bytes 1:1 in latin1. With a pattern, `rule` says in words what it asks for. */
export function text(shape: string, pattern?: RegExp, rule?: string): Kind<string> {
  return wordKind(shape, (word) => {
    if (pattern !== undefined && !pattern.test(word)) return refused(`argument must be ${rule}`);
    return parsed(word);
  });
}

/** A list on one line, replaced as a whole. */
export function wordList(shape: string, countMax: number, tooMany: string): Kind<readonly string[]> {
  return {
    shape,
    takes: "words",
    addsUp: false,
    parse: (words) => {
      const list = words.filter((word) => word !== "");
      return list.length > countMax ? refused(tooMany) : parsed(list);
    },
    format: (list) => list.join(" "),
    lines: (list) => [list.length === 0 ? [""] : list],
  };
}
