// Why a command that was looked up is not carried out, in Redis's words.

import type { Args } from "../base/args.ts";
import {
  unknownCommand,
  unknownSubcommand,
  unknownSubcommandOrArity,
  wrongArity,
} from "../command/errors.ts";
import { rows } from "../command/lookup.ts";
import { ROUTE_CONTAINER, routes } from "./row-facts.ts";

/** `id` is what lookup found: -1, a container without a known subcommand, or a row of another arity. */
export function describeUnfit(id: number, args: Args): string {
  const row = rows[id];
  if (row === undefined) return unknownCommand(args);
  if (args.count > 1 && (row.name === "debug" || row.name.startsWith("debug|"))) {
    return unknownSubcommandOrArity("DEBUG", args.text(1));
  }
  if (routes[id] === ROUTE_CONTAINER && args.count > 1) {
    return unknownSubcommand(row.name.toUpperCase(), args.text(1));
  }
  return wrongArity(row.name);
}
