// A real redis-server in cluster mode that has all slots, alone: what cluster-aware clients are to find here too.

import { freePorts } from "../e2e/processes.ts";
import { RedisServer, textOf } from "./redis-server.ts";

export async function startRedisCluster(): Promise<RedisServer> {
  const [port, busPort] = await freePorts(2);
  const redis = await RedisServer.start(
    ...["--port", String(port), "--cluster-enabled", "yes", "--cluster-port", String(busPort)],
  );
  await redis.ask([["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]]);
  // It looks around for a moment before it says that all is well.
  for (let tries = 0; tries < 100; tries++) {
    const [info] = await redis.ask([["CLUSTER", "INFO"]]);
    if (textOf(info).startsWith("cluster_state:ok")) return redis;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await redis.stop();
  throw new Error("a redis-server with all slots is not well");
}
