// Redis's commands that are not there, and why: for docs/COMPATIBILITY.md. The first pattern that fits counts. A command
// that is neither in our table nor here makes the test of that document fail, and so does one that is in both.

export interface Absence {
  /** Of the name in lower case, "client|tracking". */
  readonly command: RegExp;
  readonly kind: "later" | "no sense here";
  readonly reason: string;
}

const later = (command: RegExp, reason: string): Absence => ({ command, kind: "later", reason });
const senseless = (command: RegExp, reason: string): Absence => ({ command, kind: "no sense here", reason });

export const absences: readonly Absence[] = [
  later(/^(eval|evalsha)(_ro)?$|^script(\||$)/, "scripts"),
  later(/^fcall(_ro)?$|^function(\||$)/, "functions"),
  later(
    /^acl(\||$)/,
    "users and their rights; there is the one user `default`, with the password `requirepass`, and `ACL` says so",
  ),
  later(
    /^client\|tracking$/,
    "client-side caching; the commands about it answer as Redis does while it is off",
  ),
  senseless(/^module(\||$)/, "modules are native code for Redis's process; `MODULE LIST` is empty"),
  senseless(/^(replicaof|slaveof)$/, "members replicate by Raft: `RAFT.MEMBER ADD` and `REMOVE`"),
  senseless(
    /^failover$/,
    "`RAFT.TRANSFER` moves the leadership, and a lost leader is replaced without a command",
  ),
  senseless(/^(sync|psync|replconf)$/, "Redis's own protocol between its master and replicas"),
  senseless(
    /^migrate$/,
    "a node would have to wait for another server in the middle of the log; `DUMP` and `RESTORE` carry a key over",
  ),
  senseless(/^(pfdebug|pfselftest)$/, "tests of Redis's implementation"),
  senseless(/^lolwut$/, "Redis's own art"),
];
