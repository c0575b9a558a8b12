// Points on the globe: examples whose answers are known from Redis, and what holds for all points.

import assert from "node:assert/strict";
import { test } from "vitest";
import {
  geohashText,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  pointOfScore,
  STEP_MAX,
  scoreOfPoint,
} from "../../src/command/geo-cells.ts";
import { cellsAround, distanceInside, distanceMetres, type Shape } from "../../src/command/geo-shape.ts";
import { fc } from "../property.ts";
import { array, bulk, type Case, integer, testCases } from "./cases.ts";

const SICILY = "GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania";

const cases: readonly Case[] = [
  {
    name: "how far apart, and where",
    run: [
      SICILY,
      "GEODIST Sicily Palermo Catania",
      "GEODIST Sicily Palermo Catania km",
      "GEOHASH Sicily Palermo",
    ],
    want: [integer(2), bulk("166274.1516"), bulk("166.2742"), array(bulk("sqc8b49rny0"))],
  },
  {
    name: "positions are the middles of cells",
    run: [SICILY, "GEOPOS Sicily Palermo NonExisting"],
    want: [integer(2), array(array(bulk("13.36138933897018433"), bulk("38.11555639549629859")), "*-1\r\n")],
  },
  {
    name: "a circle",
    run: [SICILY, "GEORADIUS Sicily 15 37 200 km WITHDIST DESC"],
    want: [
      integer(2),
      array(array(bulk("Palermo"), bulk("190.4424")), array(bulk("Catania"), bulk("56.4413"))),
    ],
  },
  {
    name: "a box around a member, stored",
    run: [
      SICILY,
      "GEOSEARCHSTORE near Sicily FROMMEMBER Palermo BYBOX 400 200 km COUNT 2 STOREDIST",
      "ZRANGE near 0 0 WITHSCORES",
    ],
    want: [integer(2), integer(2), array(bulk("Palermo"), bulk("0"))],
  },
];

testCases(cases);

const longitude = fc.double({ min: -LONGITUDE_MAX, max: LONGITUDE_MAX, noNaN: true });
const latitude = fc.double({ min: -LATITUDE_MAX, max: LATITUDE_MAX, noNaN: true });
const TINY = 1e-9;
const anyPoint = fc.record({ longitude, latitude });

test("a point lies in its cell, half a cell from the middle at most; the middle has the same score", () => {
  fc.assert(
    fc.property(anyPoint, (point) => {
      // At the very ends the score has more than 53 bits, and is rounded; Redis's too.
      fc.pre(point.longitude < LONGITUDE_MAX - TINY && point.latitude < LATITUDE_MAX - TINY);
      const score = scoreOfPoint(point.longitude, point.latitude);
      const middle = { longitude: 0, latitude: 0 };
      pointOfScore(score, middle);
      const cells = 2 ** STEP_MAX;
      assert.ok(Math.abs(middle.longitude - point.longitude) <= (LONGITUDE_MAX / cells) * 1.000001);
      assert.ok(Math.abs(middle.latitude - point.latitude) <= (LATITUDE_MAX / cells) * 1.000001);
      assert.equal(scoreOfPoint(middle.longitude, middle.latitude), score);
      assert.match(geohashText(middle), /^[0-9b-hjkmnp-z]{10}0$/);
    }),
    { numRuns: 5000 },
  );
});

test("any score is a point on the map", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (score) => {
      const point = { longitude: 0, latitude: 0 };
      pointOfScore(score, point);
      assert.ok(Math.abs(point.longitude) <= LONGITUDE_MAX && Math.abs(point.latitude) <= LATITUDE_MAX);
    }),
  );
});

test("distances: none to oneself, the same both ways, never beyond half the globe", () => {
  fc.assert(
    fc.property(anyPoint, anyPoint, (a, b) => {
      assert.equal(distanceMetres(a, a), 0);
      const there = distanceMetres(a, b);
      const back = distanceMetres(b, a);
      assert.ok(Math.abs(there - back) <= 1e-6 && there >= 0 && there <= Math.PI * 6372797.560856 + 1e-6);
    }),
  );
});

test("what is well inside a circle of up to 1,000 km, away from the edges, is in one of its cells", () => {
  const middle = fc.record({
    longitude: fc.double({ min: -150, max: 150, noNaN: true }),
    latitude: fc.double({ min: -60, max: 60, noNaN: true }),
  });
  const offset = fc.double({ min: -1, max: 1, noNaN: true });
  fc.assert(
    fc.property(middle, fc.double({ min: 1, max: 1e6, noNaN: true }), offset, offset, (at, radius, x, y) => {
      const shape: Shape = { kind: "circle", radius, unitMetres: 1, middle: at };
      const degrees = radius / 111_000;
      const point = { longitude: at.longitude + x * degrees, latitude: at.latitude + y * degrees };
      const distance = distanceInside(shape, point);
      if (distance < 0) return;
      const score = scoreOfPoint(point.longitude, point.latitude);
      assert.ok(cellsAround(shape).some(({ low, high }) => score >= low && score < high));
    }),
    { numRuns: 2000 },
  );
});
