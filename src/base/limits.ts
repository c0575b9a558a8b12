// Every hard bound of the program in one place, with how they hang together. What an operator may choose
// lives in config/; a bound here is one that no setting can lift. Holds numbers only, decides nothing.

import { assert } from "./assert.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

// What a client may send.
/** Arguments of one command, its name included (Redis: 1024 * 1024). */
export const ARGUMENTS_MAX = 1024 * 1024;
/** Bytes of one inline command, and of a `*` or `$` header line (Redis: PROTO_INLINE_MAX_SIZE). */
export const INLINE_BYTES_MAX = 64 * KIB;
/** Longest string value. Replicas decide by it while applying, so it is no setting. */
export const STRING_BYTES_MAX = 512 * MIB;
/** Default and upper bound of proto-max-bulk-len: one argument. */
export const BULK_BYTES_MAX = STRING_BYTES_MAX;
/** The least that proto-max-bulk-len and client-query-buffer-limit can be set to (Redis: 1 MiB). */
export const BULK_BYTES_MAX_LEAST = MIB;
/** Default of client-query-buffer-limit: what one connection may have unanswered in our memory. */
export const QUERY_BUFFER_BYTES_MAX = 1024 * MIB;
/** Before AUTH (Redis 6.2 and later): arguments of one command, and bytes of one of them. */
export const UNAUTHENTICATED_ARGUMENTS_MAX = 10;
export const UNAUTHENTICATED_BULK_BYTES_MAX = 16 * KIB;

// Reading and writing sockets.
/** The one buffer that every client socket is read into. */
export const READ_BUFFER_BYTES = 256 * KIB;

/** What the subscriptions of a node's clients cost in memory, roughly; beyond it SUBSCRIBE is refused. */
export const SUBSCRIPTIONS_BYTES_MAX = 256 * MIB;

/** Replies owed to one client that no setting lets grow further: it is disconnected. */
export const OUTPUT_BYTES_MAX = 1024 * MIB;

/** Members that HRANDFIELD, SRANDMEMBER or ZRANDMEMBER may be asked for with repeats (Redis: as many as one likes). */
export const RANDOM_REPEATS_MAX = 4 * 1024 * 1024;

// Entries and what peers send each other.
/** A turn's batch is proposed at once when it reaches this, without waiting for the end of the turn. */
export const BATCH_BYTES_FLUSH = MIB;
/** Header, evictions and framing of one entry beside the commands' own bytes. */
export const ENTRY_OVERHEAD_BYTES_MAX = MIB;
/** One entry's payload: the largest command a connection can hold, after a batch that was almost full. */
export const ENTRY_BYTES_MAX = QUERY_BUFFER_BYTES_MAX + BATCH_BYTES_FLUSH + ENTRY_OVERHEAD_BYTES_MAX;
/** Arguments of a command in the log: the node may have added a few to what the client sent. */
export const APPLY_ARGUMENTS_MAX = ARGUMENTS_MAX + 16;
/** Entries of one append message add up to at most this, unless a single entry is larger. */
export const APPEND_BYTES_MAX = 4 * MIB;
/** Appends sent to one peer and not yet acknowledged, by count and by bytes. */
export const APPENDS_IN_FLIGHT_MAX = 256;
export const APPENDS_IN_FLIGHT_BYTES_MAX = 64 * MIB;
/** One frame of the peer protocol, header included. */
export const FRAME_OVERHEAD_BYTES_MAX = 64 * KIB;
export const FRAME_BYTES_MAX = ENTRY_BYTES_MAX + FRAME_OVERHEAD_BYTES_MAX;
/** One chunk of a snapshot as it is sent: the largest snapshot-chunk-bytes, and a record that did not fit. */
export const SNAPSHOT_CHUNK_BYTES_MAX = FRAME_BYTES_MAX - FRAME_OVERHEAD_BYTES_MAX;
/** A frame from a peer that has not proved who it is. */
export const HANDSHAKE_FRAME_BYTES_MAX = 16 * KIB;
/** Payloads from here on go into frames as they are, not copied: their memory is never written over (node/entry-memory). */
export const SHARED_BYTES_LEAST = MIB + 1;
/** Payloads of one frame, unless a single one is longer. */
export const FRAME_PAYLOAD_BYTES = MIB;
/** Bytes that wait to be sent to one peer; while it is more, commands passed on and their replies stay in their sessions. */
export const LINK_WAITING_BYTES = 16 * MIB;
/** Replies of one passed-on session that its client has not taken; while they are more, none of its commands begins. */
export const REPLY_WINDOW_BYTES = MIB;
/** The same while all sessions of the link together have more untaken than this. */
export const REPLY_WINDOW_BYTES_LEAST = 64 * KIB;
export const LINK_UNTAKEN_BYTES = 64 * MIB;
/** What a client has taken is reported in portions of this. */
export const REPLY_REPORT_BYTES = 32 * KIB;
/** Replies that a leader makes for passed-on sessions in one turn, beside the reply that crosses the bound. */
export const PROXIED_REPLIES_PER_TURN_BYTES = 16 * MIB;
/** Commands of a node's clients that are with the leader and not answered; beyond it each client has the least. */
export const UNANSWERED_BYTES_OF_ALL = 64 * MIB;
/** The same of one client. */
export const UNANSWERED_BYTES_MAX = 4 * MIB;
export const UNANSWERED_BYTES_LEAST = 64 * KIB;
/** Bytes proposed and not yet committed; beyond it new writes are answered with TRYAGAIN. */
export const UNCOMMITTED_BYTES_MAX = 256 * MIB;
/** Bytes waiting to be written to one peer behind the frame that is under way; beyond it the connection is reset. */
export const PEER_QUEUE_BYTES_MAX = 256 * MIB;

// What a peer's numbers may be. Raft cannot disprove a large one, and what is adopted cannot be taken back.
/** Terms and indices leave as many behind them. */
export const TERM_MAX = 2 ** 52;
export const INDEX_MAX = 2 ** 52;
/** A member is never so many terms behind one it hears from: at a new leader every 300 ms, that takes four days. */
export const TERM_JUMP_MAX = 2 ** 20;
/** Cluster time in ms: as far as dates go. */
export const CLUSTER_TIME_MS_MAX = 8.64e15;
/** Fields and numbers in one frame, nested ones included: more are no turn's messages, and would cost memory without bound. */
export const FRAME_FIELDS_MAX = 2 * MIB;
/** Clients of one other member that a leader serves. */
export const PROXIED_SESSIONS_MAX = 256 * KIB;

/**
 * Old states that writes leave behind for a snapshot under way, and the record that is being cut into chunks, which may
 * be of any size. Beyond this the snapshot is given up.
 */
export const SNAPSHOT_QUEUED_BYTES_MAX = 256 * MIB + STRING_BYTES_MAX;

// What clients have in the replicated state: watched keys, commands that wait. It goes into every snapshot in one piece.
/** Keys that one client may watch, and their bytes. */
export const WATCHED_KEYS_PER_CLIENT_MAX = 16 * KIB;
export const WATCHED_BYTES_PER_CLIENT_MAX = MIB;
/** Of all clients of all nodes. */
export const WATCHED_BYTES_MAX = 8 * MIB;
/** What each watched key and each client that watches counts beside its bytes. */
export const WATCHED_OVERHEAD_BYTES = 64;
/** A command that waits, its bytes and those of its keys; then those of all clients of all nodes. */
export const BLOCKED_BYTES_PER_CLIENT_MAX = MIB;
export const BLOCKED_BYTES_MAX = 24 * MIB;
/** What each client that waits, and each of its keys, counts beside the bytes. */
export const BLOCKED_OVERHEAD_BYTES = 64;
/** Metadata of a snapshot. */
export const SNAPSHOT_METADATA_BYTES_MAX = 64 * MIB;

// Time-driven work per turn.
/** A stalled process delivers at most this many late ticks at once: a stall is not silence of the others. */
export const LATE_TICKS_MAX = 3;
/** Dead keys that one entry reclaims at most. */
export const RECLAIM_KEYS_PER_ENTRY_MAX = 200;

// Names.
export const NODE_NAME_CHARACTERS_MAX = 64;
export const MEMBERS_MAX = 31;

// How the numbers hang together. Checked once, at import.
assert(BULK_BYTES_MAX <= STRING_BYTES_MAX, "an argument that is let in can be stored, and applied again");
assert(BULK_BYTES_MAX <= QUERY_BUFFER_BYTES_MAX, "the longest argument must fit in the query buffer");
assert(BULK_BYTES_MAX_LEAST > INLINE_BYTES_MAX, "an inline command is never longer than a bulk may be");
assert(UNAUTHENTICATED_BULK_BYTES_MAX < BULK_BYTES_MAX_LEAST, "strangers get less than any setting allows");
assert(UNAUTHENTICATED_ARGUMENTS_MAX < ARGUMENTS_MAX, "strangers get less than clients");
assert(ENTRY_BYTES_MAX > QUERY_BUFFER_BYTES_MAX, "whatever a connection can hold can be one entry");
assert(FRAME_BYTES_MAX > ENTRY_BYTES_MAX, "the largest entry fits in one frame");
assert(FRAME_BYTES_MAX < 0x8000_0000, "a frame's length fits in 31 bits");
assert(APPEND_BYTES_MAX >= BATCH_BYTES_FLUSH, "a full batch goes out in one append");
assert(APPENDS_IN_FLIGHT_BYTES_MAX >= APPEND_BYTES_MAX, "one full append may always be in flight");
assert(PEER_QUEUE_BYTES_MAX >= APPENDS_IN_FLIGHT_BYTES_MAX, "the flow-control window fits in the queue");
assert(PEER_QUEUE_BYTES_MAX > LINK_WAITING_BYTES, "what is held back in time does not cost the connection");
assert(
  REPLY_REPORT_BYTES <= REPLY_WINDOW_BYTES_LEAST,
  "a leader that waits is told when the client has taken the replies",
);
assert(UNCOMMITTED_BYTES_MAX >= APPENDS_IN_FLIGHT_BYTES_MAX, "the window can be filled");
assert(
  SNAPSHOT_METADATA_BYTES_MAX >= 2 * (WATCHED_BYTES_MAX + BLOCKED_BYTES_MAX),
  "watched keys and waiting clients fit in a snapshot",
);
