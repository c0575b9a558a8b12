// What commands on collections mean, for the checker: one table, each with the replies and next states that are possible.
// A key's value is text that is equal when the values are: elements in order, or sorted where the order says nothing.

/** Keys of a group, undefined = absent. */
export type Texts = readonly (string | undefined)[];

export interface Effect {
  readonly reply: string;
  readonly after: Texts;
}

type Run = (command: readonly string[], texts: Texts, reply: string | undefined) => Effect[];

/** Keys of a group of two end in ".0" and ".1". */
export const keyIndex = (key: string): number => (key.endsWith(".1") ? 1 : 0);

const nil = "$-1";
const bulks = (items: readonly string[]): string => `*${items.map((item) => `$${item}`).join(",")}`;

/** Elements end in ";". */
const split = (text: string | undefined): string[] => text?.match(/[^;]*;/g) ?? [];
const join = (items: readonly string[]): string | undefined =>
  items.length === 0 ? undefined : items.join("");
const sorted = (items: Iterable<string>): string | undefined => join([...items].sort());

const only = (reply: string, after: Texts): Effect[] => [{ reply, after }];
const textOf = (texts: Texts, key: string | undefined): string | undefined => texts[keyIndex(key ?? "")];
const put = (texts: Texts, key: string | undefined, text: string | undefined): Texts =>
  texts.with(keyIndex(key ?? ""), text);

function push(atLeft: boolean): Run {
  return ([, key, item = ""], texts) => {
    const items = split(textOf(texts, key));
    const after = atLeft ? [item, ...items] : [...items, item];
    return only(`:${after.length}`, put(texts, key, join(after)));
  };
}

function pop(atLeft: boolean, shown: (key: string, item: string) => string, empty: string): Run {
  return ([, key = ""], texts) => {
    const items = split(textOf(texts, key));
    const item = atLeft ? items.shift() : items.pop();
    return item === undefined ? only(empty, texts) : only(shown(key, item), put(texts, key, join(items)));
  };
}

const move: Run = ([name, from, to], texts) => {
  const items = split(textOf(texts, from));
  const item = items.shift();
  // Whoever waited in vain gets the nil of arrays, as from Redis 7.0.
  if (item === undefined) return only(name === "BLMOVE" ? "*" : nil, texts);
  const between = put(texts, from, join(items));
  return only(`$${item}`, put(between, to, join([...split(textOf(between, to)), item])));
};

/** "field=value;" in order of the fields. */
function fieldsOf(text: string | undefined): Map<string, string> {
  return new Map(split(text).map((item) => item.slice(0, -1).split("=") as [string, string]));
}
const fieldsText = (fields: ReadonlyMap<string, string>): string | undefined =>
  sorted([...fields].map(([field, value]) => `${field}=${value};`));

/** Like hashes: the member's score. */
const byScore = (text: string | undefined): [string, string][] =>
  [...fieldsOf(text)].sort(([a, x], [b, y]) => Number(x) - Number(y) || (a < b ? -1 : 1));

function popLowest(shown: (key: string, member: string, score: string) => string, empty: string): Run {
  return ([, key = ""], texts) => {
    const lowest = byScore(textOf(texts, key))[0];
    if (lowest === undefined) return only(empty, texts);
    const members = fieldsOf(textOf(texts, key));
    members.delete(lowest[0]);
    return only(shown(key, ...lowest), put(texts, key, fieldsText(members)));
  };
}

function setField(isOverwriting: boolean): Run {
  return ([, key, field = "", value = ""], texts) => {
    const fields = fieldsOf(textOf(texts, key));
    const isNew = !fields.has(field);
    if (isNew || isOverwriting) fields.set(field, value);
    return only(isNew ? ":1" : ":0", put(texts, key, fieldsText(fields)));
  };
}

function addNumber(shown: (sum: string) => string): Run {
  return ([name, key, first = "", second = ""], texts) => {
    const [field, amount] = name === "ZINCRBY" ? [second, first] : [first, second];
    const fields = fieldsOf(textOf(texts, key));
    const sum = String(Number(fields.get(field) ?? 0) + Number(amount));
    return only(shown(sum), put(texts, key, fieldsText(fields.set(field, sum))));
  };
}

const removeField: Run = ([, key, field = ""], texts) => {
  const fields = fieldsOf(textOf(texts, key));
  return only(fields.delete(field) ? ":1" : ":0", put(texts, key, fieldsText(fields)));
};

const fieldOf: Run = ([, key, field = ""], texts) => {
  const value = fieldsOf(textOf(texts, key)).get(field);
  return only(value === undefined ? nil : `$${value}`, texts);
};

const addMember: Run = ([, key, member = ""], texts) => {
  const members = new Set(split(textOf(texts, key)));
  const isNew = !members.has(`${member};`);
  return only(isNew ? ":1" : ":0", put(texts, key, sorted(members.add(`${member};`))));
};

const removeMember: Run = ([, key, member = ""], texts) => {
  const members = new Set(split(textOf(texts, key)));
  return only(members.delete(`${member};`) ? ":1" : ":0", put(texts, key, sorted(members)));
};

const popAny: Run = ([, key], texts) => {
  const members = split(textOf(texts, key));
  if (members.length === 0) return only(nil, texts);
  return members.map((gone) => ({
    reply: `$${gone.slice(0, -1)}`,
    after: put(texts, key, sorted(members.filter((member) => member !== gone))),
  }));
};

/** "entry;entry;|3": and the group has delivered three. Without "|": there is no group. */
interface Stream {
  readonly entries: string[];
  readonly delivered: number | undefined;
}
function streamOf(text: string | undefined): Stream {
  const [entries, delivered] = (text ?? "").split("|");
  return { entries: split(entries), delivered: delivered === undefined ? undefined : Number(delivered) };
}
const streamText = ({ entries, delivered }: Stream): string =>
  entries.join("") + (delivered === undefined ? "" : `|${delivered}`);
/** Of a reply: the values in the order of the entries. */
const entriesIn = (reply: string): string => (reply.match(/[a-z]+\.\d+;/g) ?? []).join("");

const readGroup: Run = (command, texts, reply) => {
  const key = command.at(-2);
  const text = textOf(texts, key);
  const { entries, delivered } = streamOf(text);
  if (delivered === undefined)
    return only(reply?.startsWith("-NOGROUP") === true ? reply : "-NOGROUP", texts);
  const entry = entries[delivered];
  if (entry === undefined) return only("*", texts);
  const after = put(texts, key, streamText({ entries, delivered: delivered + 1 }));
  return only(reply !== undefined && entriesIn(reply) === entry ? reply : `an entry ${entry}`, after);
};

export const COLLECTIONS: Readonly<Record<string, Run>> = {
  RPUSH: push(false),
  LPUSH: push(true),
  LPOP: pop(true, (_key, item) => `$${item}`, nil),
  RPOP: pop(false, (_key, item) => `$${item}`, nil),
  BLPOP: pop(true, (key, item) => `*$${key},$${item}`, "*"),
  LMOVE: move,
  BLMOVE: move,
  LLEN: ([, key], texts) => only(`:${split(textOf(texts, key)).length}`, texts),
  LRANGE: ([, key], texts) => only(bulks(split(textOf(texts, key))), texts),

  HSET: setField(true),
  HSETNX: setField(false),
  HINCRBY: addNumber((sum) => `:${sum}`),
  HDEL: removeField,
  HGET: fieldOf,
  HLEN: ([, key], texts) => only(`:${split(textOf(texts, key)).length}`, texts),
  HGETALL: ([, key], texts, reply) => {
    const shown = [...fieldsOf(textOf(texts, key))].map(([field, value]) => `$${field},$${value}`);
    return only(sameItems(reply, shown, 2), texts);
  },

  SADD: addMember,
  SREM: removeMember,
  SPOP: popAny,
  SCARD: ([, key], texts) => only(`:${split(textOf(texts, key)).length}`, texts),
  SISMEMBER: ([, key, member], texts) =>
    only(split(textOf(texts, key)).includes(`${member};`) ? ":1" : ":0", texts),
  SMEMBERS: ([, key], texts, reply) =>
    only(
      sameItems(
        reply,
        split(textOf(texts, key)).map((member) => `$${member.slice(0, -1)}`),
        1,
      ),
      texts,
    ),
  SMOVE: ([, from, to, member = ""], texts) => {
    const removed = removeMember(["", from ?? "", member], texts, undefined)[0]!;
    return removed.reply === ":0"
      ? only(":0", texts)
      : only(":1", addMember(["", to ?? "", member], removed.after, undefined)[0]!.after);
  },

  ZADD: ([, key = "", score = "", member = ""], texts) =>
    setField(true)(["", key, member, score], texts, undefined),
  ZINCRBY: addNumber((sum) => `$${sum}`),
  ZREM: removeField,
  ZSCORE: fieldOf,
  ZPOPMIN: popLowest((_key, member, score) => `*$${member},$${score}`, "*"),
  BZPOPMIN: popLowest((key, member, score) => `*$${key},$${member},$${score}`, "*"),
  ZRANGE: ([, key], texts) => only(bulks(byScore(textOf(texts, key)).flat()), texts),

  XADD: (command, texts, reply) => {
    const [, key] = command;
    const { entries, delivered } = streamOf(textOf(texts, key));
    const after = put(texts, key, streamText({ entries: [...entries, command.at(-1) ?? ""], delivered }));
    return only(/^\$\d+-\d+$/.test(reply ?? "") ? reply! : "an id", after);
  },
  XLEN: ([, key], texts) => only(`:${streamOf(textOf(texts, key)).entries.length}`, texts),
  XRANGE: ([, key], texts, reply) => {
    const shown = streamOf(textOf(texts, key)).entries.join("");
    return only(reply !== undefined && entriesIn(reply) === shown ? reply : `entries ${shown}`, texts);
  },
  XGROUP: ([, , key], texts, reply) => {
    const { entries, delivered } = streamOf(textOf(texts, key));
    if (delivered !== undefined)
      return only(reply?.startsWith("-BUSYGROUP") === true ? reply : "-BUSYGROUP", texts);
    return only("+OK", put(texts, key, streamText({ entries, delivered: 0 })));
  },
  XREADGROUP: readGroup,

  SETBIT: ([, key, at = "", bit = ""], texts) => {
    const bits = new Set(split(textOf(texts, key)));
    const before = bits.has(`${at};`) ? ":1" : ":0";
    if (bit === "1") bits.add(`${at};`);
    else bits.delete(`${at};`);
    // A string of zeros is there, and counts nothing.
    return only(before, put(texts, key, [...bits].sort().join("")));
  },
  GETBIT: ([, key, at], texts) => only(split(textOf(texts, key)).includes(`${at};`) ? ":1" : ":0", texts),
  BITCOUNT: ([, key], texts) => only(`:${split(textOf(texts, key)).length}`, texts),

  // Sketches of a handful of elements count exactly.
  PFADD: addMember,
  PFCOUNT: ([, key], texts) => only(`:${split(textOf(texts, key)).length}`, texts),
  PFMERGE: ([, to, from], texts) => {
    const all = new Set([...split(textOf(texts, to)), ...split(textOf(texts, from))]);
    return only("+OK", put(texts, to, [...all].sort().join("")));
  },

  // MULTI, INCRBY from -n, INCRBY to n, EXEC.
  TRANSFER: ([, from, to, amount], texts) => {
    const less = Number(textOf(texts, from) ?? 0) - Number(amount);
    const between = put(texts, from, String(less));
    const more = Number(textOf(between, to) ?? 0) + Number(amount);
    return only(`*:${less},:${more}`, put(between, to, String(more)));
  },
  // WATCH and GET before, then MULTI, SET, EXEC: done only if nobody wrote between.
  COMPARE: ([, key, seen, value], texts) =>
    `$${textOf(texts, key) ?? "-1"}` === seen ? only("*+OK", put(texts, key, value)) : [],
  // A lock that is given back by its holder: WATCH and GET before, then MULTI, DEL, EXEC.
  RELEASE: ([, key, seen], texts) =>
    `$${textOf(texts, key) ?? "-1"}` === seen ? only("*:1", put(texts, key, undefined)) : [],
};

export const COLLECTION_READS: ReadonlySet<string> = new Set(
  "LLEN LRANGE HGET HLEN HGETALL SCARD SISMEMBER SMEMBERS ZSCORE ZRANGE XLEN XRANGE GETBIT BITCOUNT PFCOUNT".split(
    " ",
  ),
);

/** The reply itself when it shows these items (of so many parts) in whatever order. */
function sameItems(reply: string | undefined, items: readonly string[], parts: number): string {
  const words = (reply ?? "*")
    .slice(1)
    .split(",")
    .filter((word) => word !== "");
  const shown: string[] = [];
  for (let i = 0; i < words.length; i += parts) shown.push(words.slice(i, i + parts).join(","));
  const isSame = shown.sort().join() === [...items].sort().join();
  return isSame && reply !== undefined ? reply : `*${items.join(",")}`;
}
