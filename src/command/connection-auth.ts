// AUTH and HELLO. There is one user, "default", whose password is requirepass; without one any password does.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { validClientName } from "./client-info.ts";
import { replyError } from "./errors.ts";
import { integerArgument } from "./local-arguments.ts";
import { type Client, type LocalContext, REDIS_VERSION, type Server } from "./local-context.ts";
import { helloSyntax, localError } from "./local-errors.ts";
import { type CommandRow, noKeys } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
export const connectionAuthCommands = [
  { name: "auth", arity: -2, route: "local", flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"], keys: noKeys, run: auth },
  { name: "hello", arity: -1, route: "local", flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"], keys: noKeys, run: hello },
] as const satisfies readonly CommandRow[];

const DEFAULT_USER = "default";

function auth({ client, server }: LocalContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 3) return reply.error(replyError.syntax);
  const userIndex = args.count === 3 ? 1 : undefined;
  if (userIndex === undefined && server.password.length === 0) {
    return reply.error(localError.authNotConfigured);
  }
  if (authenticate(client, server, args, userIndex, args.count - 1)) reply.ok();
  else reply.error(localError.wrongPassword);
}

/** `userIndex` undefined: the default user. A wrong password does not take back an earlier right one. */
function authenticate(
  client: Client,
  server: Server,
  args: Args,
  userIndex: number | undefined,
  passwordIndex: number,
): boolean {
  const userKnown = userIndex === undefined || args.text(userIndex) === DEFAULT_USER;
  const matches = server.password.length === 0 || passwordEquals(server.password, args, passwordIndex);
  if (!userKnown || !matches) return false;
  client.authenticated = true;
  return true;
}

/** Takes as long for a wrong password as for the right one of the same length. */
function passwordEquals(password: Uint8Array, args: Args, index: number): boolean {
  const start = args.start(index);
  const length = args.length(index);
  let difference = length ^ password.length;
  for (let i = 0; i < length; i++) {
    difference |= (args.bytes[start + i] ?? 0) ^ (password[i % password.length] ?? 0);
  }
  return difference === 0;
}

interface HelloOptions {
  readonly userIndex: number | undefined;
  readonly name: string | undefined;
}

function hello({ client, server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const protocol = args.count > 1 ? integerArgument(args, 1) : client.protocol;
  if (protocol === undefined) return reply.error(localError.protocolNotInteger);
  if (protocol !== 2 && protocol !== 3) return reply.error(localError.protocolUnsupported);
  const options = helloOptions(args, reply);
  if (options === undefined) return;
  const { userIndex, name } = options;
  if (userIndex !== undefined && !authenticate(client, server, args, userIndex, userIndex + 1)) {
    return reply.error(localError.wrongPassword);
  }
  if (!client.authenticated) return reply.error(localError.helloNoAuth);
  if (name !== undefined) client.name = name;
  client.protocol = protocol;
  reply.protocol = protocol;
  helloReply(client, server, reply);
}

/** Undefined after an error was replied. Nothing is changed before all options were read. */
function helloOptions(args: Args, reply: ReplyWriter): HelloOptions | undefined {
  let userIndex: number | undefined;
  let name: string | undefined;
  for (let i = 2; i < args.count; i++) {
    const more = args.count - 1 - i;
    if (args.is(i, "AUTH") && more >= 2) {
      userIndex = i + 1;
      i += 2;
    } else if (args.is(i, "SETNAME") && more >= 1) {
      name = args.text(i + 1);
      if (!validClientName(name)) {
        reply.error(localError.clientNameInvalid);
        return undefined;
      }
      i += 1;
    } else {
      reply.error(helloSyntax(args.text(i)));
      return undefined;
    }
  }
  return { userIndex, name };
}

function helloReply(client: Client, server: Server, reply: ReplyWriter): void {
  reply.map(7);
  reply.bulkLatin1("server");
  reply.bulkLatin1("redis");
  reply.bulkLatin1("version");
  reply.bulkLatin1(REDIS_VERSION);
  reply.bulkLatin1("proto");
  reply.integer(client.protocol);
  reply.bulkLatin1("id");
  reply.integer(client.id);
  reply.bulkLatin1("mode");
  reply.bulkLatin1(server.cluster.isEnabled ? "cluster" : "standalone");
  reply.bulkLatin1("role");
  reply.bulkLatin1(server.raft().role === "leader" ? "master" : "replica");
  reply.bulkLatin1("modules");
  reply.array(0);
}
