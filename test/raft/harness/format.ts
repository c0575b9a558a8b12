// The text of values in transcripts (FORMAT.md section 3). Lines that the core itself writes come from src/raft.
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type ConfChange,
  type ConfState,
  describeRole,
  type Entry,
  type HardState,
  MESSAGE_NAME,
  type MemberId,
  type Message,
  type ReadState,
  type Ready,
  type SnapshotMeta,
  type SoftState,
} from "../../../src/raft/index.ts";

const ENTRY_NAME = {
  normal: "EntryNormal",
  confChange: "EntryConfChange",
  confChangeV2: "EntryConfChangeV2",
} as const;
const STEP_LETTER = { addVoter: "v", addLearner: "l", remove: "r", update: "u" } as const;

export function formatHardState(state: HardState): string {
  const vote = state.vote === 0 ? "" : ` Vote:${state.vote}`;
  return `Term:${state.term}${vote} Commit:${state.commit}`;
}

export function formatSoftState(state: SoftState): string {
  return `Lead:${state.leader} State:${describeRole(state.role)}`;
}

export function formatConfState(state: ConfState): string {
  const list = (ids: readonly MemberId[]): string => `[${ids.join(" ")}]`;
  return (
    `Voters:${list(state.voters)} VotersOutgoing:${list(state.votersOutgoing)} ` +
    `Learners:${list(state.learners)} LearnersNext:${list(state.learnersNext)} AutoLeave:${state.autoLeave}`
  );
}

export function formatSnapshot(snapshot: SnapshotMeta): string {
  return `Index:${snapshot.index} Term:${snapshot.term} ConfState:${formatConfState(snapshot.confState)}`;
}

export function formatEntry(entry: Entry): string {
  const payload = entry.type === "normal" ? quote(entry.data) : formatSteps(entry.confChange);
  return `${entry.term}/${entry.index} ${ENTRY_NAME[entry.type]}${payload === "" ? "" : ` ${payload}`}`;
}

function formatSteps(change: ConfChange | undefined): string {
  return (change?.changes ?? []).map((step) => `${STEP_LETTER[step.type]}${step.id}`).join(" ");
}

export function formatEntries(entries: readonly Entry[]): string {
  return entries.map((entry) => `${formatEntry(entry)}\n`).join("");
}

function endpoint(id: MemberId): string {
  if (id === 0) return "None";
  if (id === APPEND_THREAD) return "AppendThread";
  if (id === APPLY_THREAD) return "ApplyThread";
  return id.toString(16);
}

export function formatMessage(m: Message, indent = ""): string {
  let text = `${indent}${endpoint(m.from)}->${endpoint(m.to)} ${MESSAGE_NAME[m.type]} `;
  text += `Term:${m.term} Log:${m.logTerm}/${m.index}`;
  if (m.reject) text += ` Rejected (Hint: ${m.rejectHint})`;
  if (m.commit !== 0) text += ` Commit:${m.commit}`;
  if (m.vote !== 0) text += ` Vote:${m.vote}`;
  text += formatCarried(carried(m), indent);
  if (m.snapshot !== undefined && m.snapshot.index !== 0) {
    text += `\n${indent}  Snapshot: ${formatSnapshot(m.snapshot)}`;
  }
  if (m.responses.length > 0) {
    const responses = m.responses.map((response) => `\n${formatMessage(response, `${indent}  `)}`);
    text += ` Responses:[${responses.join("")}\n${indent}]`;
  }
  return text;
}

/** The reference keeps the context of a read in one entry; the core has a field for it. */
function carried(m: Message): readonly Entry[] {
  if (m.type !== "readIndex" && m.type !== "readIndexResponse") return m.entries;
  return [{ term: 0, index: 0, type: "normal", data: m.context }];
}

function formatCarried(entries: readonly Entry[], indent: string): string {
  if (entries.length === 0) return "";
  if (entries.length === 1) return ` Entries:[${formatEntry(entries[0]!)}]`;
  return ` Entries:[${entries.map((entry) => `\n${indent}  ${formatEntry(entry)}`).join("")}\n${indent}]`;
}

export type PrintedReady = Pick<
  Ready,
  | "softState"
  | "hardState"
  | "readStates"
  | "entries"
  | "snapshot"
  | "committedEntries"
  | "messages"
  | "mustSync"
>;

export function formatReady(ready: PrintedReady): string {
  let text = "";
  if (ready.softState !== undefined) text += `${formatSoftState(ready.softState)}\n`;
  if (ready.hardState !== undefined) text += `HardState ${formatHardState(ready.hardState)}\n`;
  if (ready.readStates.length > 0) text += `ReadStates ${formatReadStates(ready.readStates)}\n`;
  if (ready.entries.length > 0) text += `Entries:\n${formatEntries(ready.entries)}`;
  if (ready.snapshot !== undefined) text += `Snapshot ${formatSnapshot(ready.snapshot)}\n`;
  if (ready.committedEntries.length > 0)
    text += `CommittedEntries:\n${formatEntries(ready.committedEntries)}`;
  if (ready.messages.length > 0) {
    text += `Messages:\n${ready.messages.map((m) => `${formatMessage(m)}\n`).join("")}`;
  }
  return text === "" ? "<empty Ready>" : `Ready MustSync=${ready.mustSync}:\n${text}`;
}

function formatReadStates(states: readonly ReadState[]): string {
  return `[${states.map((state) => `{${state.index} [${state.context.join(" ")}]}`).join(" ")}]`;
}

export function formatIndex(index: number): string {
  return index === Number.POSITIVE_INFINITY ? "∞" : String(index);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** Go's %q. */
export function quote(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = runeLength(bytes, at);
    if (length === 0) text += hexEscape(bytes[at++]!);
    else {
      const char = new TextDecoder().decode(bytes.subarray(at, at + length));
      at += length;
      text += ESCAPES[char] ?? (/[\p{C}\p{Zl}\p{Zp}]/u.test(char) ? controlEscape(char) : char);
    }
  }
  return `"${text}"`;
}

function hexEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

function controlEscape(char: string): string {
  const code = char.codePointAt(0)!;
  return code < 0x80 ? hexEscape(code) : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** The length of the UTF-8 sequence at `at`; 0 if it is not valid. */
function runeLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length =
    first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
