// A real redis-server in cluster mode that has all slots, alone: what cluster-aware clients are to find here too.

import { freePorts } from "../ports.ts";
import { until } from "../until.ts";
import { RedisServer, textOf } from "./redis-server.ts";

export async function startRedisCluster(): Promise<RedisServer> {
  const [port, busPort] = await freePorts(2);
  const redis = await RedisServer.start(
    ...["--port", String(port), "--cluster-enabled", "yes", "--cluster-port", String(busPort)],
  );
  await redis.ask([["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]]);
  // It looks around for a moment before it says that all is well.
  await until("a redis-server with all slots is well", async () => {
    const [info] = await redis.ask([["CLUSTER", "INFO"]]);
    return textOf(info).startsWith("cluster_state:ok");
  });
  return redis;
}
