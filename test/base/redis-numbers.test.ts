// Number formats and arithmetic beside a real Redis 7.0: INCR, INCRBY, INCRBYFLOAT, ZADD and ZSCORE.
//
//   SEED=n   the numbers      RUNS=n   how many of each kind

import assert from "node:assert/strict";
import { afterAll, beforeAll, describe, test } from "vitest";
import {
  addInteger64,
  addLongDouble,
  formatDouble,
  formatHumanDouble,
  parseDouble,
  parseInteger64,
  parseLongDouble,
} from "../../src/base/numbers.ts";
import { Xoshiro } from "../../src/base/prng.ts";
import { drawsOf } from "../chance.ts";
import { isRedis70, RedisServer, redisVersion, textOf } from "../resp/redis-server.ts";

/** Redis's long double is that of its machine; ours is that of x86-64. */
const isX64 = process.arch === "x64";

const edges = [
  "",
  "0",
  "-0",
  "+0",
  "1",
  "+1",
  "-1",
  "01",
  "1.",
  ".1",
  ".",
  "1e",
  "1e5",
  "1E-5",
  "1e+05",
  " 1",
  "1 ",
  "inf",
  "-inf",
  "+inf",
  "infinity",
  "INFINITY",
  "infinit",
  "nan",
  "-nan",
  "nan(12)",
  "0x",
  "0x1",
  "0X1P4",
  "0x.8p1",
  "0x1p",
  "0x1.fp-3",
  "1e308",
  "1e309",
  "1.7976931348623158e308",
  "1.7976931348623159e308",
  "4.9e-324",
  "2.4e-324",
  "2.5e-324",
  "1e-400",
  "0e-400",
  "1e4932",
  "1e4933",
  "1.18973149535723176502e4932",
  "1.18973149535723176509e4932",
  "3.6e-4951",
  "1.8e-4951",
  "1.9e-4951",
  "1e-4960",
  "1e99999999999",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775809",
  "18446744073709551616",
  "18446744073709551615.5",
  "0.00000000000000001",
  "0.000000000000000005",
  "0.0000000000000000049",
  "1\u00001",
  "1e5x",
  "--1",
  "1-",
  "9007199254740993",
  "0.1",
  "0.2",
  "0.3",
  "1e17",
  "123456789.123456789123456789",
  "1".repeat(5119),
  "1".repeat(5120),
  "0b1",
  "1_0",
];

for (const { seed, count: cases, text: drawn } of drawsOf("numbers beside Redis"))
  describe.skipIf(!isRedis70)(
    `beside redis-server (7.0 wanted, ${redisVersion ?? "none"} found): ${drawn}`,
    () => {
      let server: RedisServer;
      beforeAll(async () => {
        // The small encoding of sorted sets loses the sign of -0; the large one shows what Redis prints.
        server = await RedisServer.start("--zset-max-listpack-entries", "0");
      });
      afterAll(() => server.stop());

      test("INCRBY: which texts are integers, and sums at the edges", async () => {
        const random = new Xoshiro(seed);
        const texts = [...edges, ...Array.from({ length: cases }, () => integerText(random))];
        const pairs = texts.map((text, i) => [text, texts[(i * 7 + 1) % texts.length]!] as const);
        const replies = await server.ask(
          pairs.flatMap(([a, b], i) => [
            ["SET", `i${i}`, a],
            ["INCRBY", `i${i}`, b],
          ]),
        );
        pairs.forEach(([a, b], i) => {
          const stored = integerOf(a);
          const by = integerOf(b);
          const sum = stored === undefined || by === undefined ? undefined : addInteger64(stored, by);
          const invalid = by === undefined || stored === undefined;
          const ours = invalid
            ? "ERR value is not an integer or out of range"
            : sum === undefined
              ? "ERR increment or decrement would overflow"
              : sum.toString();
          assert.equal(textOf(replies[2 * i + 1]), ours, `INCRBY ${a} ${b}`);
        });
      });

      test("ZADD and ZSCORE: which texts are doubles, and how doubles are printed", async () => {
        const random = new Xoshiro(seed + 1);
        const texts = [...edges, ...Array.from({ length: cases }, () => floatText(random))];
        const replies = await server.ask(
          texts.flatMap((text, i) => [
            ["ZADD", `z${i}`, text, "m"],
            ["ZSCORE", `z${i}`, "m"],
          ]),
        );
        texts.forEach((text, i) => {
          const bytes = Buffer.from(text);
          const value = parseDouble(bytes, 0, bytes.length);
          // Redis alone reads doubles longer than this.
          if (text.length > 5119) return;
          assert.equal(
            textOf(replies[2 * i]),
            value === undefined ? "ERR value is not a valid float" : "1",
            text,
          );
          if (value !== undefined) assert.equal(textOf(replies[2 * i + 1]), formatDouble(value), text);
        });
      });

      test("ties of the 17th digit", async () => {
        const random = new Xoshiro(seed + 2);
        const values = Array.from({ length: 5000 }, () => {
          const decimals = 1 + random.below(30);
          return ((random.u32() * 2 ** 21 + random.below(2 ** 21)) | 1) / 2 ** decimals;
        }).concat(Array.from({ length: 5000 }, () => (26214 + random.below(200_000)) / 2 ** 18));
        const replies = await server.ask(
          values.flatMap((value, i) => [
            ["ZADD", `t${i}`, value.toString(), "m"],
            ["ZSCORE", `t${i}`, "m"],
          ]),
        );
        values.forEach((value, i) => {
          assert.equal(textOf(replies[2 * i + 1]), formatDouble(value));
        });
      });

      test.skipIf(!isX64)(
        "INCRBYFLOAT: every text, and every sum to the last digit (x64 wanted)",
        async () => {
          const random = new Xoshiro(seed + 3);
          const texts = [...edges, ...Array.from({ length: cases }, () => floatText(random))];
          const pairs = [
            ...edges.flatMap((a) => edges.map((b) => [a, b] as const)),
            ...texts.map((text, i) => [text, texts[(i * 11 + 3) % texts.length]!] as const),
          ];
          const replies = await server.ask(
            pairs.flatMap(([a, b], i) => [
              ["SET", `f${i}`, a],
              ["INCRBYFLOAT", `f${i}`, b],
            ]),
          );
          pairs.forEach(([a, b], i) => {
            const ours =
              !isFloat(a) || !isFloat(b)
                ? "ERR value is not a valid float"
                : (addLongDouble(a, b) ?? "ERR increment would produce NaN or Infinity");
            assert.equal(textOf(replies[2 * i + 1]), ours, `INCRBYFLOAT ${a} ${b}`);
          });
        },
      );

      test.skipIf(!isX64)("GEOPOS prints doubles the human way (x64 wanted)", async () => {
        const random = new Xoshiro(seed + 4);
        const places = Array.from(
          { length: 2000 },
          () => [random.below(360_000_000) / 1e6 - 180, random.below(170_000_000) / 1e6 - 85] as const,
        );
        const replies = await server.ask(
          places.flatMap(([longitude, latitude], i) => [
            ["GEOADD", "g", String(longitude), String(latitude), `m${i}`],
            ["GEOPOS", "g", `m${i}`],
          ]),
        );
        let checked = 0;
        for (let i = 0; i < places.length; i++) {
          const position = replies[2 * i + 1];
          const inner = Array.isArray(position) ? position[0] : undefined;
          if (!Array.isArray(inner)) continue;
          for (const text of inner.map(textOf)) {
            // Geohash cells are 52 bits, so the printed digits are enough to find the double again.
            assert.equal(formatHumanDouble(Number(text)), text);
            checked++;
          }
        }
        assert.ok(checked > 3000, `${checked} coordinates`);
      });
    },
  );

function integerOf(text: string): number | bigint | undefined {
  const bytes = Buffer.from(text);
  return parseInteger64(bytes, 0, bytes.length);
}

function isFloat(text: string): boolean {
  const bytes = Buffer.from(text);
  return parseLongDouble(bytes, 0, bytes.length) !== undefined;
}

function digits(random: Xoshiro, count: number): string {
  let text = "";
  for (let i = 0; i < count; i++) text += String(random.below(10));
  return text;
}

function integerText(random: Xoshiro): string {
  const kind = random.below(10);
  if (kind === 0) return edges[random.below(edges.length)]!;
  const sign = ["", "", "-"][random.below(3)]!;
  if (kind === 1)
    return String((1n << 63n) - BigInt(random.below(4)) * (random.below(2) === 0 ? 1n : -1n)).replace(
      /^/,
      sign,
    );
  if (kind === 2) return String(2 ** 53 - 2 + random.below(4)).replace(/^/, sign);
  return sign + (1 + random.below(9)) + digits(random, random.below(19));
}

function floatText(random: Xoshiro): string {
  const kind = random.below(8);
  const sign = ["", "-", "+"][random.below(3)]!;
  if (kind === 0) {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setUint32(0, random.u32());
    bits.setUint32(4, random.u32());
    return String(bits.getFloat64(0)).replace("Infinity", "inf").replace("NaN", "nan");
  }
  if (kind === 1)
    return `${sign}0x${random.u32().toString(16)}.${random.u32().toString(16)}p${random.below(200) - 100}`;
  if (kind === 2) return `${sign}${digits(random, 1 + random.below(30))}e${random.below(700) - 350}`;
  if (kind === 3)
    return `${sign}${digits(random, 1 + random.below(4))}.${digits(random, 1 + random.below(3))}`;
  if (kind === 4) return `${sign}${digits(random, random.below(25))}.${digits(random, random.below(40))}`;
  if (kind === 5) return `${sign}${digits(random, 1 + random.below(25))}`;
  if (kind === 6) return `${sign}0.${"0".repeat(random.below(20))}${digits(random, 1 + random.below(20))}`;
  return `${sign}${digits(random, 1 + random.below(22))}.${digits(random, 18)}5`;
}
