// The families of commands that run on the client's own node (connection, server, ...), for the table.

import { aclCommands } from "./acl.ts";
import { clientCommands } from "./client.ts";
import { clusterCommands } from "./cluster.ts";
import { commandCommands } from "./command-command.ts";
import { configCommands } from "./config-command.ts";
import { connectionCommands } from "./connection.ts";
import { connectionAuthCommands } from "./connection-auth.ts";
import { debugCommands } from "./debug.ts";
import { latencyCommands } from "./introspection-latency.ts";
import { memoryCommands } from "./introspection-memory.ts";
import { slowLogCommands } from "./introspection-slowlog.ts";
import { pubSubCommands } from "./pubsub-introspection.ts";
import { subscribeCommands } from "./pubsub-subscribe.ts";
import { raftCommands } from "./raft.ts";
import { serverCommands } from "./server.ts";
import type { CommandRow } from "./types.ts";

export const localFamilies: readonly (readonly CommandRow[])[] = [
  connectionCommands,
  connectionAuthCommands,
  clientCommands,
  serverCommands,
  configCommands,
  commandCommands,
  slowLogCommands,
  latencyCommands,
  memoryCommands,
  debugCommands,
  subscribeCommands,
  pubSubCommands,
  raftCommands,
  clusterCommands,
  aclCommands,
];
