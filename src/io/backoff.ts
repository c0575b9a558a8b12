// How long to wait before dialling a peer again. Short at first, because failover waits for it; spread, so that
// nodes that lost each other at the same moment do not come back at the same moment. A pure function.

const FIRST_MS = 20;
const LAST_MS = 1000;

/**
 * @param attempts failed in a row, 0 after a connection that worked
 * @param random   in [0, 1)
 */
export function connectionBackoffMs(attempts: number, random: number): number {
  const base = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempts, 10));
  return base * (0.5 + random / 2);
}
