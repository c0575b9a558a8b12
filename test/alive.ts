// Whether a process is there. In: its number. It signals nobody.

import { readFileSync } from "node:fs";

export function isAlive(pid: number): boolean {
  try {
    // Of a process that has ended and that nobody has asked for yet, only the entry is left.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
