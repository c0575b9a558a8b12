// Short texts for configurations, progress and changes, as they stand in log lines. Never parsed by anyone.
import { hex } from "./message.ts";
import type { ConfChange, ConfState, MemberId, ProgressView, Role } from "./types.ts";

const ROLE_NAME = {
  follower: "StateFollower",
  candidate: "StateCandidate",
  leader: "StateLeader",
  preCandidate: "StatePreCandidate",
} as const satisfies Record<Role, string>;

const STATE_NAME = {
  probe: "StateProbe",
  replicate: "StateReplicate",
  snapshot: "StateSnapshot",
} as const satisfies Record<ProgressView["state"], string>;

const TRANSITION_NAME = {
  auto: "ConfChangeTransitionAuto",
  implicit: "ConfChangeTransitionJointImplicit",
  explicit: "ConfChangeTransitionJointExplicit",
} as const satisfies Record<ConfChange["transition"], string>;

const STEP_NAME = {
  addVoter: "ConfChangeAddNode",
  addLearner: "ConfChangeAddLearnerNode",
  remove: "ConfChangeRemoveNode",
  update: "ConfChangeUpdateNode",
} as const satisfies Record<ConfChange["changes"][number]["type"], string>;

export function describeRole(role: Role): string {
  return ROLE_NAME[role];
}

export function describeConfig(config: ConfState): string {
  let text = `voters=${idSet(config.voters)}`;
  if (config.votersOutgoing.length > 0) text += `&&${idSet(config.votersOutgoing)}`;
  if (config.learners.length > 0) text += ` learners=${idSet(config.learners)}`;
  if (config.learnersNext.length > 0) text += ` learners_next=${idSet(config.learnersNext)}`;
  return config.autoLeave ? `${text} autoleave` : text;
}

function idSet(ids: readonly MemberId[]): string {
  return `(${ids.map(hex).join(" ")})`;
}

export function describeProgress(progress: ProgressView): string {
  let text = `${STATE_NAME[progress.state]} match=${progress.match} next=${progress.next}`;
  if (progress.isLearner) text += " learner";
  if (progress.paused) text += " paused";
  if (progress.pendingSnapshot > 0) text += ` pendingSnap=${progress.pendingSnapshot}`;
  if (!progress.recentActive) text += " inactive";
  if (progress.inflightCount > 0) text += ` inflight=${progress.inflightCount}`;
  if (progress.inflightCount > 0 && progress.inflightFull) text += "[full]";
  return text;
}

export function describeChange(change: ConfChange): string {
  let text = `transition:${TRANSITION_NAME[change.transition]}`;
  for (const step of change.changes) text += ` changes:{type:${STEP_NAME[step.type]} node_id:${step.id}}`;
  if (change.context.length > 0) text += ` context:${quoteBytes(change.context)}`;
  return text;
}

/** Printable ASCII as it is, everything else as \xNN. */
function quoteBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${text}"`;
}
