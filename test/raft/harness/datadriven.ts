// Reads datadriven files (FORMAT.md section 1): directives with arguments, input and expected output.

export interface Directive {
  readonly command: string;
  readonly args: readonly Argument[];
  readonly input: string;
  readonly expected: string;
  /** Of the directive's line, from 1. */
  readonly line: number;
}

export interface Argument {
  readonly key: string;
  readonly values: readonly string[];
}

export function parseDirectives(text: string): Directive[] {
  const lines = text.split("\n");
  const directives: Directive[] = [];
  let at = 0;
  while (at < lines.length) {
    const start = at;
    let head = lines[at++]!.trim();
    if (head === "" || head.startsWith("#")) continue;
    while (head.endsWith("\\")) head = `${head.slice(0, -1)} ${lines[at++]!.trim()}`;
    const input: string[] = [];
    while (at < lines.length && lines[at] !== "----") input.push(lines[at++]!);
    at++;
    let expected = "";
    if (lines[at] === "----") {
      at++;
      while (!(lines[at] === "----" && lines[at + 1] === "----")) expected += `${lines[at++]!}\n`;
      at += 2;
    } else {
      while (at < lines.length && lines[at]!.trim() !== "") expected += `${lines[at++]!}\n`;
    }
    const space = head.indexOf(" ");
    directives.push({
      command: space < 0 ? head : head.slice(0, space),
      args: space < 0 ? [] : parseArguments(head.slice(space + 1)),
      input: input.join("\n").trim(),
      expected,
      line: start + 1,
    });
  }
  return directives;
}

function parseArguments(text: string): Argument[] {
  const args: Argument[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === " ") {
      at++;
      continue;
    }
    let end = at;
    while (end < text.length && text[end] !== " " && text[end] !== "=") end++;
    const key = text.slice(at, end);
    if (text[end] !== "=") {
      args.push({ key, values: [] });
      at = end;
    } else if (text[end + 1] === "(") {
      const close = closing(text, end + 1);
      args.push({ key, values: splitTopLevel(text.slice(end + 2, close)) });
      at = close + 1;
    } else {
      let stop = end + 1;
      while (stop < text.length && text[stop] !== " ") stop++;
      args.push({ key, values: [text.slice(end + 1, stop)] });
      at = stop;
    }
  }
  return args;
}

function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0) return at;
  }
  throw new Error(`unbalanced parentheses in ${text}`);
}

function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const char of text) {
    if (char === "(") depth++;
    if (char === ")") depth--;
    if (char === "," && depth === 0) {
      parts.push(part.trim());
      part = "";
    } else part += char;
  }
  if (part.trim() !== "" || parts.length > 0) parts.push(part.trim());
  return parts;
}

/** Runs a file; throws at the first difference, with both texts. */
export function runDirectives(path: string, text: string, handle: (directive: Directive) => string): void {
  for (const directive of parseDirectives(text)) {
    let actual = handle(directive);
    if (actual !== "" && !actual.endsWith("\n")) actual += "\n";
    if (actual === directive.expected) continue;
    throw new Error(
      `${path}:${directive.line}: ${directive.command}\n--- expected\n${directive.expected}--- actual\n${actual}`,
    );
  }
}

const TRUE = ["1", "t", "T", "true", "TRUE", "True"];
const FALSE = ["0", "f", "F", "false", "FALSE", "False"];

/** Go's ParseBool. */
export function parseBool(text: string): boolean {
  if (TRUE.includes(text)) return true;
  if (FALSE.includes(text)) return false;
  throw new Error(`not a boolean: ${text}`);
}
