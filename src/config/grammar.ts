// The grammar of redis.conf: a line in, its words out, and words back to a line that reads the same.
// Knows no setting.

const SPACE = /[\s\0]/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

/**
 * The words of a line, as Redis's sdssplitargs: spaces part them; "double quotes" know \n \r \t \b \a \xHH and
 * \" ; 'single quotes' know \' only. Undefined when a quote is not closed, or is not followed by a space.
 */
export function splitWords(line: string): string[] | undefined {
  // Works on bytes, one per character, so that \xHH can spell any of them.
  const bytes = Buffer.from(line, "utf8").toString("latin1");
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (at < bytes.length && SPACE.test(bytes[at]!)) at++;
    if (at === bytes.length) return words;
    const word = readWord(bytes, at);
    if (word === undefined) return undefined;
    words.push(Buffer.from(word.text, "latin1").toString("utf8"));
    at = word.end;
  }
}

function readWord(bytes: string, from: number): { text: string; end: number } | undefined {
  let text = "";
  let at = from;
  while (at < bytes.length && !SPACE.test(bytes[at]!)) {
    const quote = bytes[at]!;
    if (quote !== '"' && quote !== "'") {
      text += quote;
      at++;
      continue;
    }
    const quoted = readQuoted(bytes, at + 1, quote);
    if (quoted === undefined) return undefined;
    text += quoted.text;
    at = quoted.end;
    if (at < bytes.length && !SPACE.test(bytes[at]!)) return undefined;
  }
  return { text, end: at };
}

function readQuoted(bytes: string, from: number, quote: string): { text: string; end: number } | undefined {
  let text = "";
  for (let at = from; at < bytes.length; ) {
    const character = bytes[at]!;
    if (character === quote) return { text, end: at + 1 };
    if (character !== "\\" || at + 1 === bytes.length) {
      text += character;
      at++;
      continue;
    }
    const hex = quote === '"' ? /^x[0-9a-fA-F]{2}/.exec(bytes.slice(at + 1, at + 4)) : null;
    const next = bytes[at + 1]!;
    if (hex !== null) {
      text += String.fromCharCode(Number.parseInt(hex[0].slice(1), 16));
      at += 4;
    } else if (quote === '"') {
      text += ESCAPES[next] ?? next;
      at += 2;
    } else {
      text += next === "'" ? "'" : "\\" + next;
      at += 2;
    }
  }
  return undefined;
}

const PLAIN = /^[A-Za-z0-9_.,:/@%+*[\]<>=~^!?()|&;$-]+$/;

/** The word as it is where that is safe, in double quotes with escapes where it is not. */
export function quoteWord(word: string): string {
  if (PLAIN.test(word)) return word;
  let quoted = "";
  for (const byte of Buffer.from(word, "utf8")) {
    const character = String.fromCharCode(byte);
    const letter = Object.keys(ESCAPES).find((it) => ESCAPES[it] === character);
    if (character === '"' || character === "\\") quoted += "\\" + character;
    else if (letter !== undefined) quoted += "\\" + letter;
    else if (byte >= 0x20 && byte < 0x7f) quoted += character;
    else quoted += "\\x" + byte.toString(16).padStart(2, "0");
  }
  return `"${quoted}"`;
}

export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}
