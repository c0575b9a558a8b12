// All families. A new one is a file beside this, and a line here.

import { bits } from "./bits.ts";
import { dump } from "./dump.ts";
import type { Family } from "./family.ts";
import { geo } from "./geo.ts";
import { hashes } from "./hashes.ts";
import { hyperloglog } from "./hyperloglog.ts";
import { keys } from "./keys.ts";
import { lists } from "./lists.ts";
import { sets } from "./sets.ts";
import { sort } from "./sort.ts";
import { streams } from "./streams.ts";
import { strings } from "./strings.ts";
import { zsets } from "./zsets.ts";

export const families: readonly Family[] = [
  hashes,
  sets,
  zsets,
  geo,
  streams,
  sort,
  lists,
  strings,
  keys,
  bits,
  hyperloglog,
  dump,
];
