// The node's log port on pino: one JSON object a line. Maps Redis's levels, formats nothing below the level.

import { closeSync, openSync } from "node:fs";
import { type DestinationStream, pino } from "pino";
import type { Log } from "../node/ports.ts";

export type LogLevel = Parameters<Log["setLevel"]>[0];

const PINO_LEVEL = {
  debug: "debug",
  verbose: "debug",
  notice: "info",
  warning: "warn",
  nothing: "silent",
} as const satisfies Record<LogLevel, string>;

/** Lines are written at once, so that the last ones before a crash are there. */
export function createLog(level: LogLevel, destination: DestinationStream): Log {
  const logger = pino({ level: PINO_LEVEL[level], base: { pid: process.pid } }, destination);
  return {
    debug: (fields, text) => logger.debug(fields, text),
    info: (fields, text) => logger.info(fields, text),
    warn: (fields, text) => logger.warn(fields, text),
    error: (fields, text) => logger.error(fields, text),
    setLevel: (next) => {
      logger.level = PINO_LEVEL[next];
    },
  };
}

export interface LogDestination extends DestinationStream {
  /** Undefined: it is standard output. */
  readonly file: string | undefined;
  /** Of a file. */
  reopen(): void;
}

/** Standard output for "", else the file, appended to. Throws what opening the file throws. */
export function logDestination(file: string): LogDestination {
  const stream = pino.destination({ dest: file === "" ? 1 : file, append: true, sync: true });
  return {
    file: file === "" ? undefined : file,
    write: (line) => void stream.write(line),
    reopen() {
      // Where it fails it throws here: a stream that could not reopen closes its old file twice, later.
      closeSync(openSync(file, "a"));
      stream.reopen();
    },
  };
}

/** Whoever rotates logs has moved the file away and sends SIGHUP. The process does not end by it, as redis-server does not. */
export function reopenOnHangup(destination: LogDestination, log: Log): void {
  process.on("SIGHUP", () => {
    const { file } = destination;
    if (file === undefined) return log.info({}, "SIGHUP: the log is standard output, and goes on there");
    try {
      destination.reopen();
      log.info({ logfile: file }, "SIGHUP: the log file is opened anew");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn(
        { logfile: file, reason },
        "SIGHUP: the log file cannot be opened anew, and the old one goes on",
      );
    }
  });
}
