// Random commands against the simple model: the store is a Map with deadlines, whatever its layout does meanwhile.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Store } from "../../src/store/store.ts";
import { fc } from "../property.ts";
import { assertSame, Model, TextStore } from "./model.ts";
import { DATABASES, run, step } from "./steps.ts";

test("random commands do what they do to a Map", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150, size: "max" }), fc.nat(), (steps, seed) => {
      const text = new TextStore(new Store({ databases: DATABASES, hashSeed: [seed, 7] }));
      const model = new Model(DATABASES);
      for (const [i, s] of steps.entries()) {
        run(text, model, s);
        if (i % 16 === 15) assertSame(text, model);
      }
      assertSame(text, model);
      for (let i = 0; i < DATABASES; i++) {
        const deadlines = [...model.databases[i]!.values()]
          .filter((r) => r.deadlineMs !== 0)
          .map((r) => r.deadlineMs);
        const first = text.keys(i).expiringCount === 0 ? 0 : text.keys(i).deadlines.deadlineAt(0);
        assert.equal(first, deadlines.length === 0 ? 0 : Math.min(...deadlines));
      }
    }),
    { numRuns: 150 },
  );
});
