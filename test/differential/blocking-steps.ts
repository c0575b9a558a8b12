// Random steps of several clients around commands that wait: for blocking.test.ts. A seed in, steps out.
//
// Left out is what Redis 7.0 does otherwise than 7.2 and we, when two keys that one client waits for are filled at once (by EXEC,
// or by a move for somebody who waited), and orders that follow from a hash table (SWAPDB).

import { Xoshiro } from "../../src/base/prng.ts";

export interface BlockingStep {
  readonly client: number;
  readonly kind: "send" | "unblock" | "leave";
  /** "send": commands, pipelined. "unblock": the reason. */
  readonly commands: readonly (readonly string[])[];
  /** Whom CLIENT UNBLOCK names. */
  readonly target: number;
  /** All of it is answered, after a moment at most. */
  readonly endsSoon: boolean;
}

const LISTS = ["l:1", "l:2", "l:3"];
/** Where commands that wait move elements to; waited for alone. */
const TARGETS = ["m:1", "m:2"];
const SETS = ["z:1", "z:2"];
const STREAMS = ["s:1", "s:2"];
/** Read by the consumers of one group. */
const GROUP_STREAM = "g:1";

export class BlockingSteps {
  readonly #random: Xoshiro;
  readonly #clients: number;
  readonly #changesBehind: boolean;
  /** Whose last commands stand behind one that waits. */
  readonly #hasMore = new Set<number>();
  #value = 0;
  #steps = 0;

  /**
   * `changesBehind`: what is pipelined behind a command that waits may change something. Several who are served by one
   * step go on at once, in the order in which they were served only if they are all on one node.
   */
  constructor(seed: number, clients: number, changesBehind: boolean) {
    this.#changesBehind = changesBehind;
    this.#random = new Xoshiro(seed);
    this.#clients = clients;
  }

  /** For a client that is not blocked; `blocked` says who is. */
  next(blocked: readonly boolean[]): BlockingStep {
    // Whatever is drawn: one who waits and is served.
    this.#steps++;
    if (this.#steps === 1) return this.#step(0, "send", [["BLPOP", "l:1", "0"]], false);
    if (this.#steps === 2) return this.#step(1, "send", [["RPUSH", "l:1", "first"]], true);
    const free = blocked.flatMap((isBlocked, i) => (isBlocked ? [] : [i]));
    const target = this.#random.below(this.#clients);
    const draw = this.#random.below(40);
    if (free.length === 0 || draw === 0)
      return this.#step(target, "unblock", [[this.#one(["TIMEOUT", "ERROR"])]], true);
    // Redis drops what stands behind the command; here it runs, as it does for a client that closes its side only.
    if (draw === 1 && !(blocked[target] === true && this.#hasMore.has(target)))
      return this.#step(target, "leave", [], false);
    const client = this.#one(free);
    // The last one that is free must be able to wake others.
    if (free.length > 1 && this.#random.below(2) === 0) {
      const endsSoon = this.#random.below(12) === 0;
      const waits = this.#waits(endsSoon ? this.#one(["0.01", "0.001", "x", "-1"]) : "0");
      const behind =
        this.#random.below(4) === 0 ? [["PING"], this.#changesBehind ? this.#change() : ["PING"]] : [];
      return this.#send(client, [waits, ...behind], endsSoon);
    }
    return this.#send(client, this.#changes(), true);
  }

  #send(client: number, commands: readonly (readonly string[])[], endsSoon: boolean): BlockingStep {
    if (commands.length > 1) this.#hasMore.add(client);
    else this.#hasMore.delete(client);
    return this.#step(client, "send", commands, endsSoon);
  }

  #step(
    client: number,
    kind: BlockingStep["kind"],
    commands: readonly (readonly string[])[],
    endsSoon: boolean,
  ): BlockingStep {
    return { client, kind, commands, target: client, endsSoon };
  }

  #one<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!;
  }

  #side(): string {
    return this.#one(["LEFT", "RIGHT"]);
  }

  #some(from: readonly string[]): string[] {
    return Array.from({ length: 1 + this.#random.below(3) }, () => this.#one(from));
  }

  #values(): string[] {
    return Array.from({ length: 1 + this.#random.below(4) }, () => String(++this.#value));
  }

  #waits(timeout: string): string[] {
    const lists = this.#random.below(3) === 0 ? [this.#one(TARGETS)] : this.#some(LISTS);
    const source = this.#one([...LISTS, ...TARGETS]);
    const sets = this.#some(SETS);
    const count = String(1 + this.#random.below(3));
    if (this.#random.below(3) === 0)
      return this.#reads(/^[\d.]+$/.test(timeout) ? String(Math.ceil(Number(timeout))) : timeout);
    return this.#one([
      ["BLPOP", ...lists, timeout],
      ["BRPOP", ...lists, timeout],
      ["BLMOVE", source, this.#one(TARGETS), this.#side(), this.#side(), timeout],
      ["BRPOPLPUSH", source, this.#one(TARGETS), timeout],
      ["BLMPOP", timeout, String(lists.length), ...lists, this.#side(), "COUNT", count],
      ["BZPOPMIN", ...sets, timeout],
      ["BZPOPMAX", ...sets, timeout],
      ["BZMPOP", timeout, String(sets.length), ...sets, this.#one(["MIN", "MAX"]), "COUNT", count],
    ]);
  }

  /** Streams. The timeout is in ms. */
  #reads(timeout: string): string[] {
    const streams = [...new Set(this.#some(STREAMS))];
    const count = String(1 + this.#random.below(3));
    const from = streams.map(() => this.#one(["$", "$", "$", String(this.#value), "0"]));
    return this.#one([
      ["XREAD", "BLOCK", timeout, "STREAMS", ...streams, ...from],
      ["XREAD", "COUNT", count, "BLOCK", timeout, "STREAMS", ...streams, ...streams.map(() => "$")],
      ...["one", "two"].map((consumer) => [
        ...["XREADGROUP", "GROUP", "g", consumer, ...this.#one([[], ["NOACK"], ["COUNT", count]])],
        ...["BLOCK", timeout, "STREAMS", GROUP_STREAM, ">"],
      ]),
    ]);
  }

  #changes(): string[][] {
    if (this.#random.below(6) > 0) return [this.#change()];
    // Within a transaction one list only: see above.
    const list = this.#one(LISTS);
    const inside = Array.from({ length: 1 + this.#random.below(4) }, () =>
      this.#one([
        ["RPUSH", list, ...this.#values()],
        ["LPUSH", list, ...this.#values()],
        ["LPOP", list],
        ["DEL", list],
        ["BLPOP", list, "0"],
        ["BLMOVE", list, list, this.#side(), this.#side(), "0"],
        this.#add(GROUP_STREAM),
        ["XTRIM", GROUP_STREAM, "MAXLEN", "1"],
        ["XREAD", "BLOCK", "0", "STREAMS", "s:1", "$"],
      ]),
    );
    return [["MULTI"], ...inside, ["EXEC"]];
  }

  #add(key: string): string[] {
    return ["XADD", key, `${++this.#value}-0`, "f", "v"];
  }

  #changeStream(): string[] {
    const stream = this.#one(STREAMS);
    return this.#one([
      this.#add(stream),
      this.#add(stream),
      this.#add(GROUP_STREAM),
      this.#add(GROUP_STREAM),
      this.#add(GROUP_STREAM),
      ["XGROUP", "CREATE", GROUP_STREAM, "g", "$", "MKSTREAM"],
      ["XGROUP", "CREATE", GROUP_STREAM, "g", "0", "MKSTREAM"],
      ["XGROUP", "SETID", GROUP_STREAM, "g", "0"],
      ["XGROUP", "DESTROY", GROUP_STREAM, "g"],
      ["XPENDING", GROUP_STREAM, "g"],
      ["XACK", GROUP_STREAM, "g", String(this.#value), String(this.#value - 1)],
      ["XDEL", stream, String(this.#value)],
      ["XTRIM", stream, "MAXLEN", "1"],
      ["DEL", this.#one([stream, GROUP_STREAM])],
      ["RENAME", stream, this.#one(STREAMS)],
      ["COPY", stream, this.#one(STREAMS), "REPLACE"],
      ["XRANGE", stream, "-", "+"],
    ]);
  }

  #change(): string[] {
    if (this.#random.below(3) === 0) return this.#changeStream();
    const list = this.#one([...LISTS, ...TARGETS]);
    const set = this.#one(SETS);
    const [score, member] = this.#values();
    const pushes = [
      ["RPUSH", list, ...this.#values()],
      ["LPUSH", list, ...this.#values()],
      ["ZADD", set, score!, member ?? "m", "1", "one"],
    ];
    return this.#one([
      ...pushes,
      ...pushes,
      ["RPUSHX", list, "x"],
      ["LINSERT", list, "BEFORE", "1", "y"],
      ["LMOVE", this.#one(LISTS), list, this.#side(), this.#side()],
      ["RPOPLPUSH", this.#one(LISTS), list],
      ["RENAME", this.#one(LISTS), list],
      ["COPY", this.#one(LISTS), list, "REPLACE"],
      ["COPY", this.#one(SETS), set, "REPLACE"],
      ["ZUNIONSTORE", set, "2", ...SETS],
      ["ZINCRBY", set, "1", member ?? "one"],
      ["LPOP", list],
      ["ZPOPMIN", set],
      ["DEL", list, set],
      ["SET", this.#one([...LISTS, ...SETS]), "of another type"],
      ["PEXPIRE", list, "0"],
      ["LTRIM", list, "0", "1"],
      ["LRANGE", list, "0", "-1"],
      ["ZRANGE", set, "0", "-1", "WITHSCORES"],
      ["FLUSHALL"],
    ]);
  }
}
