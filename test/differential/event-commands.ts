// What the comparison of keyspace events runs, a step a line. Commands of one step are separated by ";". Each family
// has its steps here; a write without a step is not compared. Keys in a step are its own: every step starts empty.

/** The string v8ns as DUMP gives it: its checksum happens to be ASCII without a blank. */
export const PAYLOAD = "\x00\x04v8ns\n\x00}+g>kDyV";

export const eventSteps: readonly string[] = [
  // strings
  "set a 1; set a 2; get a",
  "set a 3 EX 100; set a 3 PX 100000 GET; set a 3 KEEPTTL; set a 3 NX; set b 1 XX; set a 1 XX GET",
  "set a 3 NX EX 10; set a 4 NX EX 10",
  "set a 1 PXAT 1; get a",
  "set a 1; set a 2 EXAT 1; get a; set a 3",
  "setnx a 1; setnx a 2",
  "setex a 10 x; psetex a 10000 x; setex a 0 x",
  "getset a 1; getset a 2",
  "getdel a; set a 1; getdel a",
  "set a 1; getex a; getex a EX 100; getex a PERSIST; getex a PERSIST; getex a PXAT 1; getex a EX 1",
  "append a 1; append a 22",
  "setrange a 3 x; setrange a 0 yy; setrange b 3 ''",
  "mset a 1 b 2 a 3; msetnx a 1 z 2; msetnx y 1 z 2",
  "incr a; decr a; incrby a 4; decrby a 3; incrbyfloat a 1.5; incr a",
  "getrange a 0 1; strlen a; lcs a b",
  // bits
  "setbit a 7 1; setbit a 7 1; setbit a 7 0; setbit a 100 0; getbit a 1; bitcount a; bitpos a 1",
  "bitop or d a; set a x; bitop or d a; bitop not d d; bitop and d nosuch; bitop and d nosuch",
  "bitfield a get u8 0; bitfield a set u8 0 1 get u8 0 incrby u8 0 1; bitfield a set u8 0 2; bitfield a set u8 80 0",
  "bitfield a overflow fail incrby u2 0 100; bitfield a overflow fail incrby u2 0 100; bitfield_ro a get u8 0",
  // hyperloglog
  "pfadd a; pfadd a; pfadd a x y; pfadd a x; pfcount a; pfcount a b; pfmerge b; pfmerge b a; pfmerge b a",
  // dump
  "set a 1; dump a; dump b; restore a 0 x; restore b 0 x; restore b -1 x",
  `restore-asking a 0 ${PAYLOAD}; restore-asking a 0 ${PAYLOAD}`,
  `restore a 0 ${PAYLOAD}; restore a 0 ${PAYLOAD}; restore a 0 ${PAYLOAD} REPLACE; restore b 100000 ${PAYLOAD} IDLETIME 3`,
  `restore a 5 ${PAYLOAD} ABSTTL; set a 1; restore a 5 ${PAYLOAD} ABSTTL; restore a 5 ${PAYLOAD} ABSTTL REPLACE`,
  // keys
  "set a 1; set b 1; del a b nosuch; set a 1; unlink a nosuch",
  "set a 1; expire a 100; expire a 100 NX; pexpire a 100000; expireat a 99999999999; pexpireat a 99999999999999",
  "set a 1; expire a -1; expire a 10; persist a; set a 1 EX 100; persist a; persist a",
  "set a 1; rename a b; rename b b; set c 1; rename b c; renamenx c d; renamenx d d; set t 1; renamenx d t",
  "set a 1; copy a b; copy a b; copy a b REPLACE; copy a b DB 3; copy a b DB 3 REPLACE",
  "set a 1; move a 1; set a 1; move a 1; move nosuch 1",
  "set a 1; touch a; exists a; type a; randomkey; scan 0",
  "set a 1; flushdb; set a 1; flushall; set a 1; swapdb 0 3; set a 2",
  "set a 1; select 3; set a 2; expire a 100; move a 0; move a 2; select 0",
  // hashes
  "hset a f 1 g 2; hset a f 1; hmset a f 3; hsetnx a f 1; hsetnx a h 1; hget a f; hgetall a",
  "hincrby a f 1; hincrby a f x; hset a g x; hincrby a g 1; hincrbyfloat a f 1.5; hincrbyfloat a g 1",
  "hset a f 1 g 2; hdel a nosuch; hdel a f nosuch; hdel a g f; hdel a g; hrandfield a; hscan a 0",
  "set s 1; hset s f 1; hdel s f; hset a f 1; hset a f",
  // lists
  "lpushx a 1; rpushx a 1; lpush a 1 2; rpush a 3; lpushx a 0; rpushx a 4; lpop a; rpop a; lpop a 0; lpop a 9; rpop a; lpop a 1",
  "rpush a 1 2 3; lset a 0 9; lset a 0 9; lset a 7 1; linsert a BEFORE 2 x; linsert a AFTER nosuch x; linsert b AFTER 1 x",
  "rpush a 1 2 1 3; lrem a 0 nosuch; lrem a 1 1; lrem a 0 1; lrem a -1 2; lrem a 0 3; lrem a 0 3",
  "rpush a 1 2 3; ltrim a 0 -1; ltrim a 1 1; ltrim a 5 9; ltrim a 0 0; rpush a 1; ltrim a 1 0",
  "rpush a 1 2; lmove a b LEFT RIGHT; lmove a a LEFT RIGHT; rpoplpush a b; rpoplpush a b; lmove a b LEFT LEFT; rpoplpush b b",
  "rpush a 1 2 3; lmpop 2 nosuch a LEFT; lmpop 1 a RIGHT COUNT 9; lmpop 1 a LEFT; set s 1; lmove s a LEFT LEFT; rpush s 1",
  // sets
  "sadd a 1 2; sadd a 1; sadd a x 1; srem a nosuch; srem a 1 nosuch; srem a 2 x 1; smembers a",
  "sadd a 1 2; smove a b 1; smove a b 1; sadd b 2; smove a b 2; smove b b 1; smove nosuch b 1; sadd c 1; smove c b 1",
  "sadd a 1 2 3; spop a; spop a 0; spop a 1; spop a; spop a; sadd a 1 2; spop a 5; spop a 5; sadd a 1; srandmember a 5",
  "sadd a 1 2; sadd b 2 3; sinterstore d a b; sinterstore d a nosuch; sinterstore d a nosuch; sinterstore a a b",
  "sadd a 1 2; sadd b 2 3; sunionstore d a b; sunionstore d nosuch; sunionstore d nosuch; sinter a b; sunion a b",
  "sadd a 1 2; sadd b 2 3; sdiffstore d a b; sdiffstore d a a; sdiffstore d a a; set s 1; sdiffstore s a b; sintercard 1 a",
  // sorted sets
  "zadd a 1 x 2 y; zadd a 1 x; zadd a 3 x; zadd a nx 1 x; zadd a xx 1 z; zadd a gt 1 x; zadd a ch 1 x 2 y",
  "zadd a incr 1 x; zadd a nx incr 1 x; zincrby a 1 x; zincrby a 0 x; zadd a inf x; zincrby a -inf x; zrange a 0 -1",
  "zadd a 1 x 2 y 3 z; zrem a nosuch; zrem a x nosuch; zrem a y z; zrem a y; set s 1; zadd s 1 x; zadd a x y",
  "zadd a 1 x 2 y 3 z 4 w; zpopmin a; zpopmax a 0; zpopmax a; zpopmin a 5; zpopmin a; zmpop 1 a min",
  "zadd a 1 x 2 y 3 z 4 w; zmpop 2 nosuch a min; zmpop 1 a max count 9; zmpop 1 a max",
  "zadd a 1 x 2 y 3 z 4 w; zremrangebyrank a 7 9; zremrangebyrank a 0 0; zremrangebyscore a 2 2; zremrangebylex a - +",
  "zadd a 1 x 2 y; zrangestore d a 0 -1; zrangestore d a 5 9; zrangestore d a 5 9; zrangestore a a 0 0",
  "zadd a 1 x 2 y; zadd b 2 y; zunionstore d 2 a b; zinterstore d 2 a b; zdiffstore d 2 a b; zdiffstore d 2 a a; zdiffstore d 2 a a",
  "zadd a 1 x; zunionstore d 1 nosuch; set d 1; zunionstore d 1 nosuch; zscan a 0; zrandmember a; zcard a; zscore a x",
  // geo
  "geoadd a 13.4 38.1 x 15.1 37.5 y; geoadd a 13.4 38.1 x; geoadd a ch 1 1 x; geoadd a xx 1 1 z; geoadd a nx 2 2 x",
  "geoadd a 1 1 x 2 2 y; geosearchstore b a fromlonlat 1 1 byradius 10 km; geosearchstore b a fromlonlat 9 9 byradius 1 m",
  "geoadd a 1 1 x; georadius a 1 1 9 km store b; georadius a 9 9 9 m storedist b; georadius a 9 9 9 m store b; set b 1",
  "geoadd a 1 1 x; georadiusbymember a x 9 km store b; georadiusbymember nosuch x 9 km store b; geopos a x; geodist a x x",
  // streams
  "xadd a 1-1 f v; xadd a 1-1 f v; xadd a NOMKSTREAM 2-1 f v; xadd b NOMKSTREAM 1-1 f v; xadd a MAXLEN 1 3-1 f v; xadd a 0-0 f v",
  "xadd a 1-1 f v; xadd a 2-1 f v; xdel a 1-1 5-5; xdel a 5-5; xdel a 2-1; xlen a; xtrim a MAXLEN 0; xadd a 3-1 f v; xtrim a MAXLEN 0",
  "xadd a 1-1 f v; xtrim a MINID 1; xtrim a MINID 2; xtrim b MAXLEN 0; xsetid a 5-5; xsetid b 5-5; xrange a - +; xread STREAMS a 0",
  "xgroup CREATE a g 0; xgroup CREATE a g 0 MKSTREAM; xgroup CREATE a g 0; xgroup SETID a g 5; xgroup DESTROY a g; xgroup DESTROY a g",
  "xgroup CREATE a g 0 MKSTREAM; xgroup CREATECONSUMER a g c; xgroup CREATECONSUMER a g c; xgroup DELCONSUMER a g c; xgroup DELCONSUMER a g c",
  "xgroup CREATE a g 0 MKSTREAM; xadd a 1-1 f v; xreadgroup GROUP g c STREAMS a >; xreadgroup GROUP g c STREAMS a 0; xack a g 1-1; xack a g 1-1",
  "xgroup CREATE a g 0 MKSTREAM; xadd a 1-1 f v; xadd a 2-1 f v; xreadgroup GROUP g c NOACK COUNT 1 STREAMS a >; xreadgroup GROUP g d STREAMS a >",
  "xgroup CREATE a g 0 MKSTREAM; xadd a 1-1 f v; xreadgroup GROUP g c STREAMS a >; xclaim a g d 0 1-1; xautoclaim a g e 0 -; xpending a g",
  "xgroup CREATE a g 0 MKSTREAM; xadd a 1-1 f v; xclaim a g d 0 1-1 FORCE JUSTID; xdel a 1-1; xclaim a g d 0 1-1; xinfo STREAM a",
  // sort
  "rpush a 3 1 2; sort a; sort a store b; sort a limit 5 1 store b; sort a limit 5 1 store b; sort a store a; sort_ro a",
  "sadd a 3 1 2; set w_1 7; sort a by w_* get # get w_* store b; sort nosuch store b; zadd z 1 x; sort z store b; sort z alpha store b",
];
