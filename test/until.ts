// Waits for a condition and never for a time.

import { setTimeout as sleep } from "node:timers/promises";

/**
 * What ends a test or a hook that hangs. It decides nothing about speed: on a machine with ten times as much
 * to do as it can, no test takes so long.
 */
export const TEST_MS_MAX = 300_000;
/** A little less, so that the error says which condition never came true. */
const WAIT_MS_MAX = 280_000;
const POLL_MS = 5;

/** Polls until `condition` gives something, and returns that. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const lastMs = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > lastMs) throw new Error(`never happened: ${what}`);
    await sleep(POLL_MS);
  }
}
