// The config file on disk: read at the start, replaced whole by CONFIG REWRITE, with the mode and the owner it has. Knows nothing of its
// grammar.

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
import { dirname, resolve } from "node:path";

const OWNER_ONLY = 0o600;
const PERMISSIONS = 0o7777;

export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: string };

export function readText(path: string): FileText {
  try {
    return { ok: true, text: readFileSync(path, "utf8") };
  } catch (error) {
    return { ok: false, error: `cannot read ${path}: ${reasonOf(error)}` };
  }
}

/** For `include`: relative to the file on the command line. */
export function includeReader(file: string | undefined): (path: string) => string | undefined {
  const folder = file === undefined ? process.cwd() : dirname(resolve(file));
  return (path) => {
    const read = readText(resolve(folder, path));
    return read.ok ? read.text : undefined;
  };
}

/** For a secret: relative to where the process was started, as logfile is. */
export function readSecret(path: string): string | undefined {
  const read = readText(resolve(path));
  return read.ok ? read.text : undefined;
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
