// Entries into the leader's log: admission, configuration changes one at a time, forwarding by followers.
import { changeConfig } from "./config-change.ts";
import { describeChange, describeConfig } from "./describe.ts";
import { payloadBytes, payloadBytesOf } from "./entry-size.ts";
import { hex, makeMessage, NO_BYTES } from "./message.ts";
import type { Raft } from "./raft.ts";
import { broadcastAppend } from "./replicate.ts";
import {
  type ConfChange,
  type Entry,
  type EntryType,
  type MemberId,
  NO_MEMBER,
  type ProposeRefusal,
  type ProposeResult,
} from "./types.ts";

const DROPPED: ProposeResult = Object.freeze({ ok: false, reason: "proposalDropped" });

/** One local proposal. */
export function proposeEntry(
  r: Raft,
  type: EntryType,
  data: Uint8Array,
  confChange: ConfChange | undefined,
): ProposeResult {
  if (r.role !== "leader") {
    const entry: Entry = { term: 0, index: 0, type, data, confChange };
    return forwardProposal(r, r.id, [entry]) ? { ok: true, term: r.term, index: 0 } : DROPPED;
  }
  if (!acceptsProposals(r)) return DROPPED;
  let refusal: ProposeRefusal | undefined;
  if (confChange !== undefined) {
    refusal = checkConfChange(r, confChange, r.log.lastIndex() + 1);
    if (refusal === "confChangeInvalid") return { ok: false, reason: refusal };
  }
  if (!admit(r, refusal === undefined ? payloadBytes(data, confChange) : 0)) return DROPPED;
  if (refusal === undefined) r.appendOwn(type, data, confChange);
  else r.appendOwn("normal", NO_BYTES, undefined);
  r.acknowledgeOwn();
  broadcastAppend(r);
  if (refusal !== undefined) return { ok: false, reason: refusal };
  return { ok: true, term: r.term, index: r.log.lastIndex() };
}

/** Entries that a member forwarded. All or none. */
export function proposeForwarded(r: Raft, from: MemberId, entries: readonly Entry[]): boolean {
  if (r.role !== "leader") return forwardProposal(r, from, entries);
  if (!acceptsProposals(r)) return false;
  const accepted: Entry[] = [];
  for (const entry of entries) {
    const at = r.log.lastIndex() + 1 + accepted.length;
    const refusal = entry.confChange === undefined ? undefined : checkConfChange(r, entry.confChange, at);
    accepted.push(
      refusal === undefined
        ? entry
        : { term: 0, index: 0, type: "normal", data: NO_BYTES, confChange: undefined },
    );
  }
  if (!admit(r, payloadBytesOf(accepted))) return false;
  for (const entry of accepted) r.appendOwn(entry.type, entry.data, entry.confChange);
  r.acknowledgeOwn();
  broadcastAppend(r);
  return true;
}

function forwardProposal(r: Raft, from: MemberId, entries: readonly Entry[]): boolean {
  if (r.role !== "follower" || r.leader === NO_MEMBER) {
    r.info?.(`${hex(r.id)} no leader at term ${r.term}; dropping proposal`);
    return false;
  }
  if (r.config.disableProposalForwarding) {
    r.info?.(`${hex(r.id)} not forwarding to leader ${hex(r.leader)} at term ${r.term}; dropping proposal`);
    return false;
  }
  const m = makeMessage("propose", from, r.leader, 0);
  m.entries = entries;
  r.messages.push(m);
  return true;
}

function acceptsProposals(r: Raft): boolean {
  // Removed while leading: it may finish what is under way, not begin anything.
  if (r.tracker.get(r.id) === undefined) return false;
  if (r.transferee === NO_MEMBER) return true;
  r.debug?.(
    `${hex(r.id)} [term ${r.term}] transfer leadership to ${hex(r.transferee)} is in progress; dropping proposal`,
  );
  return false;
}

/** Keeps the unapplied tail within its limit. An empty tail takes any size; an empty payload always fits. */
function admit(r: Raft, bytes: number): boolean {
  const limit = r.config.maxUncommittedBytes;
  if (limit > 0 && r.uncommittedBytes > 0 && bytes > 0 && r.uncommittedBytes + bytes > limit) {
    r.warn?.(
      `${hex(r.id)} appending new entries to log would exceed uncommitted entry size limit; dropping proposal`,
    );
    return false;
  }
  r.uncommittedBytes += bytes;
  return true;
}

/** Marks the change at `index` as pending, or says why it may not be proposed now. */
function checkConfChange(r: Raft, change: ConfChange, index: number): ProposeRefusal | undefined {
  const { config } = r.tracker;
  const joint = config.votersOutgoing.length > 0;
  const wantsLeave = change.changes.length === 0;
  let why = "";
  if (r.pendingConfIndex > r.log.applied) {
    why = `possible unapplied conf change at index ${r.pendingConfIndex} (applied to ${r.log.applied})`;
  } else if (joint && !wantsLeave) why = "must transition out of joint config first";
  else if (!joint && wantsLeave) why = "not in joint state; refusing empty conf change";

  if (!r.config.disableConfChangeValidation) {
    if (why !== "") {
      r.info?.(
        `${hex(r.id)} ignoring conf change ${describeChange(change)} at config ${describeConfig(config)}: ${why}`,
      );
      return "confChangeRefused";
    }
    // Applying it would fail on every member.
    if (r.strict && !changeConfig(config, change).ok) return "confChangeInvalid";
  }
  r.pendingConfIndex = index;
  return undefined;
}
