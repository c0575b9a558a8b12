// Why a session does not go on with its next command; asked again every turn while it lasts. Numbers only.

export const HOLD_NONE = 0;
/** No leader is known, or this one is not ready: until there is one, or the hold's deadline. */
export const HOLD_LEADER = 1;
/** The next command needs all replies of the earlier ones to be out first. */
export const HOLD_ORDER = 2;
/** CLIENT PAUSE. */
export const HOLD_PAUSE = 3;
/** The log takes no more for now. */
export const HOLD_PRESSURE = 4;
/** A command of its own waits (WAIT, BLPOP). */
export const HOLD_PARKED = 5;
/** So much is to be sent already that no more is made before it has gone. */
export const HOLD_OUTPUT = 6;
/** Clients that it has closed may still take something: its reply waits until that is over. */
export const HOLD_DEPARTURES = 7;
/** This node must first apply what was answered before (up-to-date.ts). */
export const HOLD_BEHIND = 8;

/** A client that leaves this much unread gets no more commands in. */
export const UNREAD_OUTPUT_BYTES_MAX = 1 << 20;

/** So many commands of a client that answer with data go into the log together: how long the replies will be nobody knows before. */
export const DATA_AHEAD_MAX = 64;
/** Replies of this length, on average, are long: then one command goes at a time. */
export const LONG_REPLY_BYTES = 16 * 1024;

/** What became of a command: it is on its way or answered, or its session is held and it stays in the input. */
export const DONE = 0;
export const HELD = 1;
