// What members prove to each other that they have: a key made from the cluster secret, slowly on purpose. Text in,
// key out; once in a process, never for each connection.

import { scryptSync } from "node:crypto";

const KEY_BYTES = 32;
/** Fixed: members know nothing of each other before they have shaken hands (docs/adr/0024). */
const SALT = "seshat peer protocol";
/** 32 MiB for each guess of somebody who got hold of a proof. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/** Undefined for no secret. */
export function peerKey(secret: string): Buffer | undefined {
  if (secret === "") return undefined;
  return scryptSync(secret, SALT, KEY_BYTES, COST);
}
