// Redis's glob patterns over short texts, the names of settings: * ? [a-z] [^a-z] and \ before a literal.
// For keys, which are bytes and hot, see command/. Case does not count here.

/** True when `pattern` matches the whole of `text`. Bounded: at most pattern.length * text.length steps. */
export function globMatches(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = text.toLowerCase();
  let p = 0;
  let t = 0;
  let starAt = -1;
  let starText = 0;
  while (t < given.length) {
    if (wanted[p] === "*") {
      starAt = p++;
      starText = t;
      continue;
    }
    const end = p < wanted.length ? matchOne(wanted, p, given[t]!) : -1;
    if (end >= 0) {
      p = end;
      t++;
    } else if (starAt >= 0) {
      // Let the last star take one character more; earlier stars never need to be tried again.
      p = starAt + 1;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (wanted[p] === "*") p++;
  return p === wanted.length;
}

/** Where the pattern goes on when its item at `at` matches the character, else -1. */
function matchOne(pattern: string, at: number, character: string): number {
  const item = pattern[at]!;
  if (item === "?") return at + 1;
  if (item === "[") return matchClass(pattern, at + 1, character);
  if (item === "\\" && at + 1 < pattern.length) return pattern[at + 1] === character ? at + 2 : -1;
  return item === character ? at + 1 : -1;
}

function matchClass(pattern: string, from: number, character: string): number {
  let at = from;
  const negated = pattern[at] === "^";
  if (negated) at++;
  let hit = false;
  for (; at < pattern.length && pattern[at] !== "]"; at++) {
    if (pattern[at] === "\\" && at + 1 < pattern.length) at++;
    else if (pattern[at + 1] === "-" && at + 2 < pattern.length) {
      const ends = [pattern[at]!, pattern[at + 2]!];
      const [low, high] = ends[0]! <= ends[1]! ? ends : ends.reverse();
      if (character >= low! && character <= high!) hit = true;
      at += 2;
      continue;
    }
    if (pattern[at] === character) hit = true;
  }
  // A class that is never closed ends with the pattern, as in Redis.
  const end = at < pattern.length ? at + 1 : at;
  return hit !== negated ? end : -1;
}
