// Everything the layers above may use of the consensus core.
export type { RaftConfig } from "./config.ts";
export {
  type ConfigResult,
  changeConfig,
  EMPTY_CONFIG,
  enterJoint,
  isVoter,
  leaveJoint,
  membersOf,
  simpleChange,
} from "./config-change.ts";
export { RaftCore } from "./core.ts";
export { describeChange, describeConfig, describeProgress, describeRole } from "./describe.ts";
export { entryBytes, NO_LIMIT, payloadBytes } from "./entry-size.ts";
export { MemoryStorage } from "./memory-storage.ts";
export { type Draft, MESSAGE_NAME, makeMessage, NO_BYTES, NO_ENTRIES, NO_MESSAGES } from "./message.ts";
export { ERROR_TEXT, type Storage, type StorageError, TERM_COMPACTED, TERM_UNAVAILABLE } from "./storage.ts";
export * from "./types.ts";
