// Points on the globe: around a few places, along the edges of the map, and anywhere. In its own keys no two are as far
// from a third, for the order of such is not defined.

import type { Draw } from "../draw.ts";
import type { Family } from "./family.ts";

const KEYS = ["geo:1", "geo:2", "geo:3"];
/** Nothing else touches it: its scores are distances, of which the last digits are each C library's own. */
const DISTANCE_KEY = "geo:distances";

const PLACES = [
  [13.361389, 38.115556],
  [15.087269, 37.502669],
  [-122.419416, 37.774929],
  [0, 0],
  [179.9, -16.5],
  [-179.9, -16.5],
  [25.7, 71.1],
  [-45, 84.9],
  [100, -84.9],
] as const;
const EDGE_LONGITUDES = ["180", "-180", "0", "90", "-90"];
const EDGE_LATITUDES = ["85.05112878", "-85.05112878", "0", "66", "-66", "80"];
const BAD = ["181", "-180.0001", "x", "", "inf", "1e300", "200.0078125", "86", "-0"];

const decimal = (g: Draw, range: number): number => ((g.below(2_000_001) - 1_000_000) / 1_000_000) * range;

const position = (g: Draw): [string, string] => {
  if (g.chance(1, 60)) return [g.pick(BAD), g.pick([...BAD, "1"])];
  if (g.chance(1, 15)) {
    return g.chance(1, 2)
      ? [g.pick(EDGE_LONGITUDES), decimal(g, 85).toFixed(6)]
      : [decimal(g, 180).toFixed(6), g.pick(EDGE_LATITUDES)];
  }
  if (g.chance(1, 6)) return [decimal(g, 180).toFixed(6), decimal(g, 85).toFixed(6)];
  const [longitude, latitude] = g.pick(PLACES);
  const spread = g.pick([0.01, 1, 10]);
  const x = Math.max(-180, Math.min(180, longitude + decimal(g, spread)));
  const y = Math.max(-85.05, Math.min(85.05, latitude + decimal(g, spread)));
  return [x.toFixed(g.pick([6, 12])), y.toFixed(g.pick([6, 12]))];
};
const member = (g: Draw): string => (g.chance(1, 40) ? g.value() : `m${g.below(30)}`);
const points = (g: Draw): string[] =>
  Array.from({ length: 1 + g.below(g.chance(1, 6) ? 12 : 3) }, () => [...position(g), member(g)]).flat();
const unit = (g: Draw): string =>
  g.chance(1, 30) ? g.word() : g.mixCase(g.pick(["m", "km", "ft", "mi", "km", "km"]));
const size = (g: Draw): string => {
  if (g.chance(1, 30)) return g.pick(["-1", "x", "", "0", "inf", "1e300", "nan", "0x1p4"]);
  return String(g.pick([1, 10, 100, 1000, 5000, 20_000]) * (1 + g.below(100) / 10));
};
const count = (g: Draw): string[] => [
  g.mixCase("COUNT"),
  g.chance(1, 12) ? g.integer() : String(1 + g.below(8)),
  ...(g.chance(1, 3) ? [g.mixCase("ANY")] : []),
];
const shown = (g: Draw): string[] => [g.mixCase(g.pick(["WITHDIST", "WITHHASH", "WITHCOORD"]))];
const order = (g: Draw): string[] => [g.mixCase(g.pick(["ASC", "DESC"]))];
const from = (g: Draw): string[] =>
  g.chance(1, 2) ? [g.mixCase("FROMMEMBER"), member(g)] : [g.mixCase("FROMLONLAT"), ...position(g)];
const area = (g: Draw): string[] =>
  g.chance(1, 2)
    ? [g.mixCase("BYRADIUS"), size(g), unit(g)]
    : [g.mixCase("BYBOX"), size(g), size(g), unit(g)];
const options = (g: Draw): string[] =>
  g.options(
    3,
    () => order(g),
    () => count(g),
  );
const answered = (g: Draw): string[] => [
  ...options(g),
  ...(g.chance(1, 2) ? shown(g) : []),
  ...(g.chance(1, 2) ? shown(g) : []),
  ...(g.chance(1, 30) ? [...from(g), ...area(g), "ANY"] : []),
];
const stored = (g: Draw): string[] => (g.chance(1, 2) ? [g.mixCase("STORE"), g.ownKey()] : []);

/** Numbers to ten digits: sin and cos differ in the last bit from one C library, or processor, to the next. */
const NUMBERS = /(?:\$\d+\r\n|,)(\d+(?:\.\d+)?(?:e[-+]\d+)?)\r\n/g;
const HAS_FOUR_DECIMALS = /^\d+\.\d{4}$/;
/** Sines of two C libraries differ in the last bit, and distances in this part of them. */
const DISTANCE_PART = 1e-12;
/** Bits that differ are rounded to a last decimal that differs. */
const DECIMAL = 1.01e-4;

/** The same, but for the last digits of distances. */
function areCloseDistances(ours: string, theirs: string): boolean {
  if (ours.replace(NUMBERS, "#") !== theirs.replace(NUMBERS, "#")) return false;
  const other = [...theirs.matchAll(NUMBERS)].map((match) => match[1]!);
  return [...ours.matchAll(NUMBERS)].every(([, text = ""], i) => isCloseDistance(text, other[i]!));
}

function isCloseDistance(ours: string, theirs: string): boolean {
  const difference = Math.abs(Number(ours) - Number(theirs));
  if (difference <= Number(ours) * DISTANCE_PART) return true;
  return HAS_FOUR_DECIMALS.test(ours) && HAS_FOUR_DECIMALS.test(theirs) && difference <= DECIMAL;
}

const distanceSequence = (g: Draw): string[][] => {
  const search = g.chance(1, 2)
    ? [
        "GEOSEARCHSTORE",
        DISTANCE_KEY,
        g.ownKey(),
        ...from(g),
        ...area(g),
        ...options(g),
        g.mixCase("STOREDIST"),
      ]
    : g.chance(1, 2)
      ? ["GEORADIUS", g.ownKey(), ...position(g), size(g), unit(g), ...options(g), "STOREDIST", DISTANCE_KEY]
      : [
          "GEORADIUSBYMEMBER",
          g.ownKey(),
          member(g),
          size(g),
          unit(g),
          ...options(g),
          "storedist",
          DISTANCE_KEY,
        ];
  return [search, ["ZRANGE", DISTANCE_KEY, "0", "-1", "WITHSCORES"], ["DEL", DISTANCE_KEY]];
};

export const geo: Family = {
  name: "geo",
  keys: KEYS,
  keysArePrivate: true,
  optionWords: "WITHCOORD WITHDIST WITHHASH ASC DESC ANY BYBOX BYRADIUS FROMMEMBER FROMLONLAT STORE".split(
    " ",
  ),
  commands: [
    [
      12,
      (g) => [
        "GEOADD",
        g.ownKey(),
        ...g.options(2, () => [g.mixCase(g.pick(["NX", "XX", "CH"]))]),
        ...points(g),
      ],
    ],
    [3, (g) => ["GEOPOS", g.ownKey(), ...Array.from({ length: g.below(4) }, () => member(g))]],
    [3, (g) => ["GEOHASH", g.ownKey(), ...Array.from({ length: g.below(4) }, () => member(g))]],
    [5, (g) => ["GEODIST", g.ownKey(), member(g), member(g), ...(g.chance(1, 2) ? [unit(g)] : [])]],
    [12, (g) => ["GEOSEARCH", g.ownKey(), ...from(g), ...area(g), ...answered(g)]],
    [5, (g) => ["GEOSEARCHSTORE", g.ownKey(), g.ownKey(), ...from(g), ...area(g), ...options(g)]],
    [1, (g) => ["GEOSEARCHSTORE", g.ownKey(), g.ownKey(), ...from(g), ...area(g), ...answered(g)]],
    [5, (g) => ["GEORADIUS", g.ownKey(), ...position(g), size(g), unit(g), ...answered(g)]],
    [3, (g) => ["GEORADIUS", g.ownKey(), ...position(g), size(g), unit(g), ...options(g), ...stored(g)]],
    [3, (g) => ["GEORADIUS_RO", g.ownKey(), ...position(g), size(g), unit(g), ...answered(g)]],
    [5, (g) => ["GEORADIUSBYMEMBER", g.ownKey(), member(g), size(g), unit(g), ...answered(g)]],
    [3, (g) => ["GEORADIUSBYMEMBER", g.ownKey(), member(g), size(g), unit(g), ...options(g), ...stored(g)]],
    [3, (g) => ["GEORADIUSBYMEMBER_RO", g.ownKey(), member(g), size(g), unit(g), ...answered(g)]],
    [2, (g) => ["ZREM", g.ownKey(), member(g), member(g)]],
    // Of any key, with scores of any kind, among which are equal distances: not sorted.
    [2, (g) => ["GEOSEARCH", g.key(), ...from(g), ...area(g), ...(g.chance(1, 2) ? shown(g) : [])]],
    [2, (g) => ["GEOSEARCHSTORE", "geo:any", g.key(), ...from(g), "BYRADIUS", "1", "m"]],
    [2, (g) => ["GEODIST", g.key(), member(g), member(g)]],
    [1, (g) => ["GEOPOS", g.key(), member(g), member(g)]],
    [1, (g) => ["GEOHASH", g.key(), member(g), member(g)]],
    [1, (g) => ["GEOADD", g.key(), ...points(g)]],
    [2, (g) => ["ZADD", "geo:any", g.float(), member(g)]],
    [2, (g) => ["GEOPOS", "geo:any", member(g), member(g)]],
    [2, (g) => ["GEOSEARCH", "geo:any", ...from(g), ...area(g), ...(g.chance(1, 2) ? shown(g) : [])]],
    [2, (g) => ["ZRANGE", g.ownKey(), "0", "-1", "WITHSCORES"]],
    [1, (g) => ["OBJECT", "ENCODING", g.ownKey()]],
  ],
  sequences: [(g) => [["DEL", g.ownKey()]], distanceSequence, distanceSequence, distanceSequence],
  rules: [
    {
      command: /^(?:ZRANGE GEO:DISTANCES|GEODIST|GEOSEARCH|GEORADIUS(?:BYMEMBER)?(?:_RO)?)\b/,
      reason: "distances: the last digits are the C library's own",
      isClose: areCloseDistances,
    },
  ],
};
