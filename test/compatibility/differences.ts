// Where a command that is there does not do what Redis's does, and why: for docs/COMPATIBILITY.md. What a client can
// notice belongs here; what the differential tests leave out has its reason there (test/differential/families).

export interface Difference {
  /** Names in lower case, "client|list"; none when it concerns all commands. */
  readonly commands: readonly string[];
  readonly what: string;
  readonly why: string;
}

export const differences: readonly Difference[] = [
  {
    commands: [],
    what: "A command has 1,048,576 arguments at most; more are a protocol error, and the connection ends",
    why: "memory is bounded everywhere (G6). It was Redis's own limit before 7.0, which takes 2,147,483,647",
  },
  {
    commands: [],
    what: "An error `UNCERTAIN` means that a write was proposed and its outcome is not known: the leader was lost before the answer. Read what is there, or repeat what may be done twice",
    why: "Redis closes the connection in such a moment, and the client knows no more. Here the connection is another node's, and goes on (ADR 6)",
  },
  {
    commands: [],
    what: "An error `TRYAGAIN` means *not executed*: the leader was lost before the command was proposed, or more writes are under way than memory is set aside for. Sending it again is always right",
    why: "the same; in Redis Cluster it is the word for multi-key commands while slots move",
  },
  {
    commands: [],
    what: "`CLUSTERDOWN` means *not executed*: no majority of the members can be reached, or this node belongs to no cluster. The text says which; with `cluster-enabled yes` it is Redis's",
    why: "a write needs a majority (G1), and a read must not be older than an answered write (G2)",
  },
  {
    commands: [],
    what: "Every node takes every command; one that does not lead passes it to the leader. There is no `READONLY` error, and `MOVED` only with `cluster-enabled yes`",
    why: "clients need not know who leads. It costs a round trip between nodes",
  },
  {
    commands: [],
    what: "All commands that a node reads in one turn share a time stamp: `PX 1` ends no earlier than with the next turn, and two `SET k v PX 100` of one turn expire at the same millisecond",
    why: "one turn is one entry of the log, and the entry says what time it is (ADR 6)",
  },
  {
    commands: [],
    what: "Time is the cluster's: it goes on evenly over a change of leader, and leans towards the wall clock by a twentieth at most. After a wall clock was set, `TIME` and deadlines may differ for a while",
    why: "deadlines must come at the same place of the log for all replicas",
  },
  {
    commands: [],
    what: "A client that closes its side is answered everything that it sent, and then its connection ends. A command of it that waits ends as if its time had run out, and what stands behind that runs and is answered",
    why: "`printf ... | nc` gets its answers however many nodes they come through. Redis drops a client that waits as soon as that closes its side, and runs nothing of what stands behind",
  },
  {
    commands: [],
    what: "What a node tells of itself is its own and not the cluster's: clients, slow log, latency, `MONITOR`, statistics, settings of the node",
    why: "as with several redis-servers",
  },
  {
    commands: [],
    what: "Nothing is on disk: there is no RDB and no append-only file, and a cluster that loses a majority at once has lost its data",
    why: "a write is held by the memory of a majority",
  },
  {
    commands: [],
    what: "Members of a hash table, and keys, come in an order of our own; cursors of `SCAN` and its kin are numbers of our own, good on every node",
    why: "all replicas must have the same order; Redis's depends on a seed of the process",
  },
  {
    commands: ["exec"],
    what: "In a transaction, commands of the node itself (`PING`, `CLIENT`, `SELECT`, `HELLO`, `SUBSCRIBE`, ..., and `CONFIG` of the node's own settings) run after all data commands, on the client's node; their replies stand in their places. What `CLIENT KILL` and `CLIENT UNBLOCK` end gets nothing of the transaction's data all the same",
    why: "the data commands are one entry of the log, which every replica executes (ADR 10)",
  },
  {
    commands: ["watch"],
    what: "`WATCH` is a write: it waits for a majority. A client may watch 16,384 keys of 1 MiB together, all clients 8 MiB; then it is an error",
    why: "which keys are watched is part of the replicated state, so that a change of leader aborts nothing (ADR 10)",
  },
  {
    commands: ["blpop", "brpop", "blmove", "brpoplpush", "blmpop", "bzpopmin", "bzpopmax", "bzmpop"],
    what: "Clients of all nodes are served in one order. One that waits for several keys gets the first of its own list that has something, as in 7.2; a key that got another type while it waited is as if it was not there, as in 7.0. A wait may take 1 MiB, all together 24 MiB; then it is an error",
    why: "who waits is part of the replicated state, so that a change of leader ends no wait (ADR 14)",
  },
  {
    commands: ["blpop", "brpop", "blmove", "brpoplpush", "blmpop", "bzpopmin", "bzpopmax", "bzmpop"],
    what: "A client that waits on a node which catches up by a snapshot, or which knows no leader when the timeout has passed, gets `UNCERTAIN`",
    why: "something may have been popped for it, and the node cannot know (ADR 14)",
  },
  {
    commands: ["client|unblock"],
    what: "1 means that the client waited. What comes before the end of the wait in the log still serves the client",
    why: "an element must not be popped for nobody",
  },
  {
    commands: ["client|pause"],
    what: "It holds the clients of its node, and on the leader also commands that other nodes pass on. Keys neither expire nor are evicted while the leader's clients are paused; a pause on another node does not keep the leader from either",
    why: "the leader decides what goes, and writes it into the log",
  },
  {
    commands: ["publish", "spublish"],
    what: "A message needs a majority, and reaches the subscribers of all nodes in the order of the log. The number answered counts what other nodes told a moment ago",
    why: "messages have one order for everybody, also relative to writes (ADR 9)",
  },
  {
    commands: ["subscribe", "psubscribe", "ssubscribe"],
    what: "A node whose state came by snapshot closes its subscribers' connections",
    why: "they have missed messages, and so they see it (ADR 9)",
  },
  {
    commands: ["subscribe", "psubscribe", "ssubscribe"],
    what: "All subscriptions of a node may take 256 MiB; then an error",
    why: "memory is bounded everywhere (G6)",
  },
  {
    commands: ["config|set"],
    what: "`notify-keyspace-events` takes the class `m` (key misses), and such an event is never sent",
    why: "a miss is a read, of which other nodes know nothing (ADR 9)",
  },
  {
    commands: ["config|set"],
    what: "Settings that decide what the cluster holds or answers (`maxmemory`, `maxmemory-policy`, `hash-max-listpack-entries`, `notify-keyspace-events` and others) are set on all nodes at once, through the log: without a leader the answer is `CLUSTERDOWN`, and it may be `UNCERTAIN`",
    why: "replicas must have them equal at every place of the log, and clients need not know which node they talk to (ADR 23)",
  },
  {
    commands: ["config|get", "config|set"],
    what: "Settings of Redis that mean nothing here are not known; a `redis.conf` with them starts all the same, with warnings. Those that say how it is with one value only (`daemonize`, `io-threads`, ...) are shown with that value",
    why: "a setting that does nothing would promise something",
  },
  {
    commands: [],
    what: "With `maxmemory`, the leader chooses what is evicted, by the accesses that it has seen, and it alone answers `OOM`. A transaction that is queued on another node then fails at `EXEC`, and not at the command that needs memory",
    why: "replicas must evict the same keys at the same place of the log (ADR 16)",
  },
  {
    commands: ["pfcount"],
    what: "The count is not stored in the sketch, so that `GET` and `DUMP` of it differ from Redis's in eight bytes after a `PFCOUNT`",
    why: "it would make a read a write, through the log",
  },
  {
    commands: ["lpos"],
    what: "`RANK -9223372036854775808` is refused, as since Redis 7.2",
    why: "it has no negative; the tests compare with 7.0",
  },
  {
    commands: ["lcs"],
    what: "Strings whose product of lengths is large are refused",
    why: "its time is that product, and all replicas would stand still",
  },
  {
    commands: ["hrandfield", "srandmember", "zrandmember"],
    what: "A negative count may ask for 4,194,304 members at most",
    why: "the reply is built in memory (G6)",
  },
  {
    commands: ["object|encoding"],
    what: "A string that is an integer is `int` however it was made (Redis: `embstr` after `INCRBYFLOAT`). Small lists are `listpack`, as since 7.2",
    why: "the form follows from the bytes, so that a snapshot restores the same one",
  },
  {
    commands: ["object|idletime", "object|freq"],
    what: "A node knows the accesses that it saw: all writes, and the reads it answered as the leader. After a change of leader, keys that were only read look older than they are",
    why: "reads do not go through the log",
  },
  {
    commands: ["memory|usage"],
    what: "Bytes that the key and value take in our store, exact whatever `SAMPLES` says",
    why: "nothing is sampled: sizes are kept",
  },
  {
    commands: ["dump"],
    what: "Long strings may be packed otherwise than by Redis; the version is that of 7.0, so that 7.0 and later can read it",
    why: "what is in the payload is the same",
  },
  {
    commands: ["save", "bgsave", "bgrewriteaof"],
    what: "An error",
    why: "there are no files, and a backup script must not believe otherwise",
  },
  {
    commands: ["info"],
    what: "`rdb_changes_since_last_save` counts keys that were changed since the node has its state, `lazyfreed_objects` the large values and the keys of whole databases that `UNLINK` and `ASYNC` removed",
    why: "nothing is saved, and memory is not freed by a thread",
  },
  {
    commands: ["lastsave"],
    what: "The time of the start",
    why: "nothing is saved",
  },
  {
    commands: ["wait"],
    what: "The leader counts the members that hold the client's last write, beside itself. A node that does not lead answers the number that a majority has without it",
    why: "an answered write is held by a majority already",
  },
  {
    commands: ["role", "info"],
    what: "The leader is `master`, the others are `slave`; offsets are indexes of the log. `INFO raft` has the rest",
    why: "tools know these words",
  },
  {
    commands: ["info"],
    what: "`used_memory` is what keys and values take by our own count, and 64 bytes a database, equal on all replicas; `used_memory_rss` is the process. Fields without a counterpart (fork, append-only file, Lua) are 0",
    why: "`maxmemory` is held against a number that all replicas agree on",
  },
  {
    commands: ["info", "latency|histogram"],
    what: "Of fast commands one call in 32 is timed, from the first on, and stands for the others; all are when `slowlog-log-slower-than` is below 1 ms. `DEBUG` has a line for each subcommand",
    why: "reading a clock twice costs as much as a `GET`",
  },
  {
    commands: ["info"],
    what: "A command that was passed on is counted by the node of its client, with its time and its error; its key hits are counted by the leader",
    why: "an operator looks at the node of the client; the keys are where it ran",
  },
  {
    commands: ["latency|latest", "latency|history"],
    what: "The events are `command` and `fast-command`, the second by samples",
    why: "the other events of Redis are of its files, forks and cycles",
  },
  {
    commands: ["monitor"],
    what: "The commands of a transaction are shown when `EXEC` is sent, also when a watched key then makes it fail. On a node that does not lead, what other nodes' clients send is not shown; the leader shows what was passed on to it, too",
    why: "a command is shown where it is taken, in time for whoever watches it hang",
  },
  {
    commands: ["shutdown"],
    what: "Leadership is handed over first. `SAVE` saves nothing",
    why: "the node's clients should not wait for an election; there is no disk",
  },
  {
    commands: ["debug"],
    what: "Only a few of its subcommands: see `DEBUG HELP`. `SET-ACTIVE-EXPIRE` holds for the whole cluster",
    why: "they are tests of Redis's own parts",
  },
  {
    commands: ["readonly", "asking"],
    what: "After `READONLY` a follower answers reads as it does without cluster mode: it asks the leader, so they are not stale. `ASKING` changes nothing",
    why: "reads are linearizable (G2); no slot ever moves (ADR 15)",
  },
  {
    commands: ["cluster|countkeysinslot", "cluster|getkeysinslot"],
    what: "They look through all keys of this node in small steps, and answer when they are through. Names beyond 16 MiB are left out, and inside `MULTI` they refuse in a database of more than a thousand keys",
    why: "there is no index of keys by slot: writes would pay for it, and there is no other shard to move slots to (ADR 15)",
  },
  {
    commands: [
      "cluster|addslots",
      "cluster|addslotsrange",
      "cluster|bumpepoch",
      "cluster|delslots",
      "cluster|delslotsrange",
      "cluster|failover",
      "cluster|flushslots",
      "cluster|forget",
      "cluster|meet",
      "cluster|replicate",
      "cluster|reset",
      "cluster|saveconfig",
      "cluster|set-config-epoch",
      "cluster|setslot",
    ],
    what: "Refused; the error says what is used in their place",
    why: "one group of nodes has all slots, and members and leaders are Raft's business",
  },
  {
    commands: ["cluster|help"],
    what: "Tells what the subcommands mean here",
    why: "some mean less than in a Redis cluster",
  },
  {
    commands: ["move", "swapdb", "copy"],
    what: "In cluster mode, inside `MULTI`, they are refused when they are queued and not by `EXEC` where they would leave database 0",
    why: "the data commands of a transaction know nothing of cluster mode, which is a setting of each node",
  },
  {
    commands: ["client|caching", "client|getredir", "client|trackinginfo"],
    what: "Answer as in Redis while tracking is off",
    why: "client-side caching comes later",
  },
  {
    commands: ["zrangebylex", "zrevrangebylex", "zlexcount", "zremrangebylex", "zrange", "zrangestore"],
    what: "A range of texts over members whose scores are not all equal means something else than in Redis, where it depends on chance",
    why: "Redis leaves it open",
  },
  {
    commands: ["geodist", "geosearch", "geosearchstore", "georadius", "georadiusbymember"],
    what: "With `COUNT`, members that are equally far come in the order of cells; in Redis in any. The last digit of a distance may differ, stored or printed",
    why: "Redis's order is that of an unstable sort, its last digit the C library's; here all replicas must have the same",
  },
  {
    commands: ["restore"],
    what: "Compact values are checked element by element, and refused if they could not have come from Redis",
    why: "Redis trusts them unless `sanitize-dump-payload` says otherwise, and may crash",
  },
  {
    commands: ["sort", "sort_ro"],
    what: "What the patterns of `GET` and `BY` lead to may be 1 GiB in all; then it is an error",
    why: "many elements may lead to one long text, and memory is bounded everywhere (G6)",
  },
  {
    commands: ["sort", "sort_ro"],
    what: "A small sorted set stays a listpack when it is sorted",
    why: "Redis makes a skiplist of it, for good, by what should be a read",
  },
  {
    commands: ["sort", "sort_ro"],
    what: "Equal elements of `ALPHA` with `BY` keep the order that they had; in Redis with `LIMIT` they have any. An error of a command before never makes it fail",
    why: "all replicas must have the same order; Redis 7.0 looks at a number that an earlier command may have left behind",
  },
];
