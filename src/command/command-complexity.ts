// How the time of each command grows, for COMMAND DOCS. Texts of our own, true of this store: the commands that share
// a text stand in one line. Commands that are missing here answer in constant time.

/** Texts, and the names of the commands they are about. */
// biome-ignore format: one text a line
const COMPLEXITIES: readonly (readonly [text: string, names: string])[] = [
  ["O(N), N: arguments", "del unlink exists touch mget mset msetnx hdel hmget hset hmset lpush lpushx rpush rpushx sadd srem smismember pfadd xack xdel subscribe psubscribe ssubscribe watch pubsub|numsub pubsub|shardnumsub cluster|addslots cluster|delslots command|docs command|info command|getkeys command|getkeysandflags latency|histogram bitfield bitfield_ro"],
  ["O(N), N: bytes of the value", "append bitcount bitop bitpos dump get getdel getex getrange getset set setex setnx psetex setrange substr copy restore restore-asking"],
  ["O(N), N: elements of the value", "hgetall hkeys hvals smembers linsert lset lpos lindex"],
  ["O(N), N: elements that are looked at or removed", "lrem ltrim lpop rpop lmpop blmpop xtrim xautoclaim"],
  ["O(N), N: elements returned", "hrandfield srandmember spop zrandmember"],
  ["O(S+N), S: distance of the first element from the nearer end, N: elements returned", "lrange"],
  ["O(N), N: keys to look at", "blpop brpop"],
  ["O(N*M), N, M: lengths of the strings", "lcs"],
  ["O(1) a call, O(N) for all of it, N: elements or keys", "scan hscan sscan zscan"],
  ["O(N), N: keys of the database", "keys cluster|countkeysinslot cluster|getkeysinslot debug"],
  ["O(1), and O(N) later for the memory, N: keys", "flushall flushdb"],
  ["O(N), N: clients that watch or wait for keys of either database", "swapdb"],
  ["O(N), N: elements of all the sets", "sunion sunionstore sdiff sdiffstore"],
  ["O(N*M), N: elements of the smallest set, M: sets", "sinter sinterstore sintercard"],
  ["O(log(N)), N: members of the sorted set", "zcount zincrby zlexcount zrank zrevrank geodist"],
  ["O(M*log(N)), M: arguments, N: members of the sorted set", "zadd zrem zmscore geoadd geohash geopos"],
  ["O(M*log(N)), M: members taken, N: members of the sorted set", "zpopmin zpopmax bzpopmin bzpopmax zmpop bzmpop"],
  ["O(log(N)+M), N: members of the sorted set, M: members returned, stored or removed", "zrange zrangebylex zrangebyscore zrangestore zrevrange zrevrangebylex zrevrangebyscore zremrangebylex zremrangebyrank zremrangebyscore"],
  ["O(N)+O(M*log(M)), N: members of all the sorted sets, M: members of the result", "zdiff zdiffstore zunion zunionstore"],
  ["O(N*K)+O(M*log(M)), N: members of the smallest sorted set, K: sorted sets, M: members of the result", "zinter zinterstore"],
  ["O(N*K), N: members of the smallest sorted set, K: sorted sets", "zintercard"],
  ["O(N+log(M)), N: members in the cells around the area, M: members of the sorted set", "georadius georadius_ro georadiusbymember georadiusbymember_ro geosearch geosearchstore"],
  ["O(N+M*log(M)), N: elements of the value, M: elements returned", "sort sort_ro"],
  ["O(N), N: sketches; with a large constant", "pfcount pfmerge"],
  ["O(1), and O(N) to trim, N: entries removed", "xadd"],
  ["O(log(N)+M), N: entries of the stream, M: entries returned", "xrange xrevrange xread xreadgroup"],
  ["O(M*log(N)), M: ids, N: pending entries of the group", "xclaim"],
  ["O(N), N: pending entries that are looked at", "xpending xgroup|destroy xgroup|delconsumer"],
  ["O(N), N: what is returned of the stream", "xinfo|stream xinfo|groups xinfo|consumers"],
  ["O(N), N: commands that are queued", "exec discard"],
  ["O(N), N: keys that are watched", "unwatch reset"],
  ["O(N), N: subscribers", "publish spublish"],
  ["O(N), N: subscriptions that end", "unsubscribe punsubscribe sunsubscribe"],
  ["O(N), N: channels", "pubsub|channels pubsub|shardchannels"],
  ["O(N), N: clients", "client|list client|kill client|unpause info memory|stats"],
  ["O(N), N: settings", "config|get config|set config|rewrite"],
  ["O(N), N: entries shown", "slowlog|get latency|history latency|latest latency|graph"],
  ["O(N), N: entries", "slowlog|reset latency|reset latency|doctor"],
  ["O(N), N: commands", "command command|list acl|cat"],
  ["O(N), N: nodes", "cluster|nodes cluster|slots cluster|shards cluster|links cluster|replicas cluster|slaves cluster|info raft.status raft.member|list"],
  ["O(N), N: slots", "cluster|addslotsrange cluster|delslotsrange cluster|flushslots"],
  ["O(N), N: bytes of the key", "cluster|keyslot"],
];

const CONSTANT = "O(1)";
let complexityOf: ReadonlyMap<string, string> | undefined;

/** The text about the command of that name, as in rows: "set", "client|list". */
export function commandComplexity(name: string): string {
  complexityOf ??= new Map(
    COMPLEXITIES.flatMap(([text, names]) => names.split(" ").map((it) => [it, text] as const)),
  );
  return complexityOf.get(name) ?? CONSTANT;
}

/** Every name that has a text, for the test that they all are commands. */
export const namesWithComplexity: readonly string[] = COMPLEXITIES.flatMap(([, names]) => names.split(" "));
