// Where two correct servers may answer differently, and why. Replies of all other commands must be equal byte
// for byte. Errors are always compared as they are.

import { families } from "./families/families.ts";
import type { Rule } from "./rule.ts";

const rules: readonly Rule[] = [
  ...families.flatMap((family) => family.rules ?? []),
  { command: /^HELLO\b/, reason: "names the server and its version", normalise: () => "hello" },
];

/** Undefined when the replies agree; otherwise what to compare them by. */
export function disagreement(commandText: string, ours: Buffer, theirs: Buffer): string | undefined {
  if (ours.equals(theirs)) return undefined;
  const a = ours.toString("latin1");
  const b = theirs.toString("latin1");
  const matching = rules.find((each) => each.command.test(commandText));
  if (matching?.refusal !== undefined && a === `-${matching.refusal}\r\n`) return undefined;
  const rule = a[0] === "-" || b[0] === "-" ? undefined : matching;
  if (rule?.tolerance !== undefined && closeIntegers(a, b, rule.tolerance)) return undefined;
  if (rule?.isClose?.(a, b) === true) return undefined;
  const normalise = rule?.normalise;
  if (normalise !== undefined && normalise(a) === normalise(b)) return undefined;
  return rule === undefined ? "compared byte for byte" : `compared as: ${rule.reason}`;
}

/** Both must be times; the special values -1, -2 and 0 only equal themselves. */
function closeIntegers(a: string, b: string, tolerance: number): boolean {
  if (a[0] !== ":" || b[0] !== ":") return false;
  const x = Number(a.slice(1));
  const y = Number(b.slice(1));
  if (Math.abs(x - y) > Math.max(tolerance, x * 2e-16)) return false;
  return x >= 0 && y >= 0;
}
