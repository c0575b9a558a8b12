// Which arguments are secrets: passwords never reach the slow log, the monitor feed or the log file.

import type { Args } from "../../base/args.ts";
import { ROWS } from "../../config/table.ts";

/** What is shown instead, in Redis's words. */
export const REDACTED = "(redacted)";

/** Upper case. Ours, and Redis's that a client may send here by mistake. */
const SECRET_SETTINGS: readonly string[] = [
  ...ROWS.filter((row) => row.secret).map((row) => row.name.toUpperCase()),
  "MASTERAUTH",
  "MASTERUSER",
  "TLS-KEY-FILE-PASS",
  "TLS-CLIENT-KEY-FILE-PASS",
];

/** Is argument `index` a secret? Allocates nothing. */
export function isSecret(args: Args, index: number): boolean {
  if (index === 0) return false;
  if (args.is(0, "AUTH")) return true;
  if (args.is(0, "HELLO")) return followsAuth(args, index);
  if (args.is(0, "CONFIG") && args.is(1, "SET")) {
    return index >= 3 && index % 2 === 1 && SECRET_SETTINGS.some((name) => args.is(index - 1, name));
  }
  return false;
}

/** HELLO 3 AUTH user password: both are hidden. */
function followsAuth(args: Args, index: number): boolean {
  return (index >= 3 && args.is(index - 1, "AUTH")) || (index >= 4 && args.is(index - 2, "AUTH"));
}
