// fast-check for tests, with a fixed seed: what its properties are tried on is the same every time.
//
//   PROPERTY_SEED=n   another one      PROPERTY_RUNS=n   how often each property is tried, where it does not say

import fc from "fast-check";
import { propertyDraws } from "./chance.ts";

fc.configureGlobal({ ...fc.readConfigureGlobal(), ...propertyDraws() });

export { default as fc } from "fast-check";
