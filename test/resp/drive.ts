// Feeds a RequestParser as a session does, in pieces, and tells what came out as text (bytes 1:1 as latin1).

import {
  COMMAND,
  type ParserLimits,
  ParserScratch,
  PROTOCOL_ERROR,
  RequestParser,
  redisLimits,
} from "../../src/resp/request-parser.ts";

export interface Outcome {
  readonly commands: string[][];
  /** "" when the parser did not refuse. */
  readonly error: string;
}

export interface Options {
  readonly limits?: ParserLimits;
  readonly authenticated?: boolean;
  readonly scratch?: ParserScratch;
  /** Keep skipped bytes too, instead of dropping what lies before `position`. */
  readonly keepSkipped?: boolean;
}

/** What lies around the valid range: it looks like the end of any line, so that reading it shows. */
const STALE = Buffer.from("\r\n\r\n7\r\n");

export function drive(chunks: readonly Buffer[], options: Options = {}): Outcome {
  const parser = new RequestParser(options.limits ?? redisLimits, options.scratch ?? new ParserScratch());
  parser.authenticated = options.authenticated ?? true;
  const commands: string[][] = [];
  let kept: Buffer = Buffer.alloc(0);
  let shift = 0;
  for (const chunk of chunks) {
    shift = (shift + 5) % 7;
    const before = STALE.subarray(0, shift);
    const buffer = Buffer.concat([before, kept, chunk, STALE]);
    const to = buffer.length - STALE.length;
    let from = shift;
    for (;;) {
      const status = parser.next(buffer, from, to);
      if (status === PROTOCOL_ERROR) return { commands, error: parser.errorText };
      if (status !== COMMAND) break;
      commands.push(argumentsOf(parser));
      from = parser.position;
    }
    kept = Buffer.from(buffer.subarray(options.keepSkipped === true ? from : parser.position, to));
  }
  return { commands, error: "" };
}

export function argumentsOf(parser: RequestParser): string[] {
  const found: string[] = [];
  for (let i = 0; i < parser.argumentCount; i++) {
    found.push(parser.argsBuffer.toString("latin1", parser.offsets[2 * i]!, parser.offsets[2 * i + 1]!));
  }
  return found;
}

/** The pieces of `bytes` between the given positions. */
export function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, i) => bytes.subarray(edges[i]!, end));
}
