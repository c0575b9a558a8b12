// Steps in which every data command is answered by more than an error. The comparison begins with these
// steps, so chance does not decide which commands it has seen. The form is the one of event-commands.ts,
// whose steps have the writes.

import { eventSteps } from "./event-commands.ts";

const readSteps: readonly string[] = [
  "set a 1; set b a1; mget a b nosuch; substr b 0 0; lcs a b; lcs a b LEN; ttl a; pttl a; expiretime a; pexpiretime a",
  "set a 1; keys *; dbsize; exists a; object ENCODING a; object REFCOUNT a; object IDLETIME a; object HELP",
  "object FREQ nosuch",
  "set a 1; debug OBJECT a; debug DIGEST; debug DIGEST-VALUE a",
  "hset a f 1 g 2; hmget a f nosuch; hexists a f; hlen a; hstrlen a f; hkeys a; hvals a; hrandfield a 5; hscan a 0 COUNT 10000",
  "sadd a 1; sadd b 2; sismember a 1; smismember a 1 2; scard a; sscan a 0 COUNT 10000; sdiff a b; smembers a; sintercard 2 a b",
  "rpush a 1 2 3; llen a; lindex a 0; lrange a 0 -1; lpos a 2; lpos a nosuch",
  "zadd a 1 x 1 y; zscore a x; zmscore a x z; zrank a x; zrevrank a x; zcard a; zcount a 0 1; zlexcount a - +; zrandmember a 5",
  "zadd a 1 x 2 y; zrange a 0 -1; zrevrange a 0 -1; zrangebyscore a 0 9; zrevrangebyscore a 9 0; zscan a 0 COUNT 10000",
  "zadd a 1 x 1 y; zrangebylex a - +; zrevrangebylex a + -; zunion 1 a; zinter 1 a; zdiff 1 a; zintercard 1 a",
  "geoadd a 1 1 x; geohash a x; geopos a x; geodist a x x; geosearch a FROMLONLAT 1 1 BYRADIUS 9 km",
  "geoadd a 1 1 x; georadius_ro a 1 1 9 km; georadiusbymember_ro a x 9 km",
  "xadd a 1-1 f v; xlen a; xrange a - +; xrevrange a + -; xinfo STREAM a; xinfo GROUPS a; xinfo HELP; xgroup HELP",
  "xadd a 1-1 f v; xgroup CREATE a g 0; xgroup CREATECONSUMER a g c; xreadgroup GROUP g c STREAMS a >; xpending a g; xinfo CONSUMERS a g",
  "pfadd a x; pfcount a b; rpush b 2 1; sort_ro b; touch b; type b; getbit a 1; bitcount a; bitpos a 1",
];

export const answeredSteps: readonly string[] = [...eventSteps, ...readSteps];

/** A step's commands, in latin1 words. */
export const wordsOf = (step: string): string[][] =>
  step.split(";").map((command) =>
    command
      .trim()
      .split(" ")
      .map((word) => (word === "''" ? "" : word)),
  );
