// Processes that tests start. None outlives the process that started it, however that one ends: a small shell, in a session
// of its own, is told of each by a pipe, and kills those that are left when the pipe closes. In: what is to be started. It
// stops nobody who runs as long as this process does: tests do that.

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import type { Writable } from "node:stream";

/**
 * Lines "+ pid" and "- pid" in. Children of those that are left go with them. When a process began says whether a number
 * still means the same process; where there is no /proc, nobody knows, and it is taken for the same.
 */
const REAPER = `
trap '' INT TERM HUP
began() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
left=""
while read -r change pid; do
  kept=""
  for it in $left; do [ "\${it%:*}" = "$pid" ] || kept="$kept $it"; done
  left=$kept
  if [ "$change" = + ]; then left="$left $pid:$(began "$pid")"; fi
done
for it in $left; do
  pid=\${it%:*}
  if [ "$(began "$pid")" = "\${it#*:}" ]; then
    pkill -KILL -P "$pid" 2>/dev/null
    kill -KILL "$pid" 2>/dev/null
  fi
done
`;

let told: Writable | undefined;

/** As spawn() of Node, for a process that ends with this one at the latest. */
export function startChild(command: string, words: readonly string[], options: SpawnOptions): ChildProcess {
  told ??= startReaper();
  const reaper = told;
  const child = spawn(command, words, options);
  if (child.pid !== undefined) {
    reaper.write(`+ ${child.pid}\n`);
    child.once("exit", () => reaper.write(`- ${child.pid}\n`));
  }
  return child;
}

function startReaper(): Writable {
  // The runner's processes end with the runner, also in the middle of a test.
  process.once("disconnect", () => process.exit(1));
  const reaper = spawn("sh", ["-c", REAPER], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  reaper.unref();
  reaper.stdin.on("error", () => {}); // it was killed: then nobody does its work
  // It waits for this process, and not this process for it.
  if ("unref" in reaper.stdin && typeof reaper.stdin.unref === "function") reaper.stdin.unref();
  return reaper.stdin;
}
