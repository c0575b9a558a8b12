// The config file on disk, and those that it names: read at the start. CONFIG REWRITE replaces the config file whole, with
// the mode and the owner it has. Knows nothing of its grammar.

import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { resolve } from "node:path";
import type { FileText } from "../config/load.ts";

const OWNER_ONLY = 0o600;
const PERMISSIONS = 0o7777;

/** Relative to the folder that the process was started in, whoever names the file: as in Redis, and as logfile is. */
export function readText(path: string): FileText {
  try {
    return { ok: true, text: readFileSync(path, "utf8") };
  } catch (error) {
    return { ok: false, error: `cannot read ${resolve(path)}: ${reasonOf(error)}` };
  }
}

/** The old text or the new one is there at any moment, also after a crash. Undefined, or what went wrong. */
export function replaceText(path: string, edit: (text: string) => string): string | undefined {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const text = edit(readFileSync(path, "utf8"));
    // It may hold secrets: nobody may read it who could not read it before, not even for a moment.
    const { mode, uid, gid } = statSync(path);
    const file = openSync(temporary, "w", OWNER_ONLY);
    try {
      const own = fstatSync(file);
      if (own.uid !== uid || own.gid !== gid) fchownSync(file, uid, gid);
      fchmodSync(file, mode & PERMISSIONS);
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    return undefined;
  } catch (error) {
    rmSync(temporary, { force: true });
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "permission denied";
  if (code === "EISDIR") return "it is a directory";
  return error instanceof Error ? error.message : String(error);
}
