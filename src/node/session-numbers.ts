// The numbers of the sessions that nodes have with themselves (own-session.ts): outside those that clients get, the same on
// every node, so that a leader knows them among what other nodes pass on. Holds numbers, decides nothing.

export const CHORES_SESSION_ID = 0;
export const BLOCKING_SESSION_ID = Number.MAX_SAFE_INTEGER;
export const COMPARISON_SESSION_ID = Number.MAX_SAFE_INTEGER - 1;
export const FAREWELL_SESSION_ID = Number.MAX_SAFE_INTEGER - 2;
export const EXPIRY_SESSION_ID = Number.MAX_SAFE_INTEGER - 3;

/** More than there are. */
const NUMBERS = 16;

export const isOfNodeItself = (sessionId: number): boolean =>
  sessionId === CHORES_SESSION_ID || sessionId > Number.MAX_SAFE_INTEGER - NUMBERS;
