// fast-check for tests, with a fixed seed: what its properties are tried on is the same every time.
//
//   PROPERTY_SEED=n   another one

import fc from "fast-check";
import { propertySeed } from "./chance.ts";

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: propertySeed() });

export { default as fc } from "fast-check";
