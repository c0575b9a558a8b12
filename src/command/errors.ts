// Every error text a client may see from a command, once, in Redis's exact words. The first word is the
// code clients match on. Texts with a part of their own are functions, below the table.

import type { Args } from "../base/args.ts";

const SHOWN_BYTES_MAX = 128;
/** Redis shows all of a name; what is longer than this no eye reads. */
const NAME_BYTES_MAX = 1 << 20;

export const replyError = {
  wrongType: "WRONGTYPE Operation against a key holding the wrong kind of value",
  syntax: "ERR syntax error",
  notInteger: "ERR value is not an integer or out of range",
  notIntegerInRange: "ERR value is out of range, value must between -2147483648 and 2147483647",
  notFloat: "ERR value is not a valid float",
  noSuchKey: "ERR no such key",
  outOfMemory: "OOM command not allowed when used memory > 'maxmemory'.",
  sameObject: "ERR source and destination objects are the same",

  // strings
  incrementOverflow: "ERR increment or decrement would overflow",
  decrementOverflow: "ERR decrement would overflow",
  incrementNotFinite: "ERR increment would produce NaN or Infinity",
  stringTooLong: "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
  offsetOutOfRange: "ERR offset is out of range",
  lcsNotStrings: "ERR The specified keys must contain string values",
  lcsLenAndIdx: "ERR If you want both the length and indexes, please just use IDX.",
  lcsTooLong: "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",

  // bits
  bitOffset: "ERR bit offset is not an integer or out of range",
  bitValue: "ERR bit is not an integer or out of range",
  bitArgument: "ERR The bit argument must be 1 or 0.",
  bitopNot: "ERR BITOP NOT must be called with a single source key.",
  bitfieldType:
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
  bitfieldOverflow: "ERR Invalid OVERFLOW type specified",
  bitfieldReadOnly: "ERR BITFIELD_RO only supports the GET subcommand",

  // hyperloglog
  notSketch: "WRONGTYPE Key is not a valid HyperLogLog string value.",
  sketchCorrupt: "INVALIDOBJ Corrupted HLL object detected",

  // sorted sets
  zaddXxNx: "ERR XX and NX options at the same time are not compatible",
  zaddGtLtNx: "ERR GT, LT, and/or NX options at the same time are not compatible",
  zaddIncrementOfMany: "ERR INCR option supports a single increment-element pair",
  scoreNotANumber: "ERR resulting score is not a number (NaN)",
  scoreRange: "ERR min or max is not a float",
  textRange: "ERR min or max not valid string range item",
  limitByRank: "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
  withScoresByText: "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
  weightNotFloat: "ERR weight value is not a float",

  // geo
  radiusNotNumber: "ERR need numeric radius",
  radiusNegative: "ERR radius cannot be negative",
  widthNotNumber: "ERR need numeric width",
  heightNotNumber: "ERR need numeric height",
  boxNegative: "ERR height or width cannot be negative",
  unitUnknown: "ERR unsupported unit provided. please use M, KM, FT, MI",
  memberNotDecoded: "ERR could not decode requested zset member",
  countNotOverZero: "ERR COUNT must be > 0",
  anyWithoutCount: "ERR the ANY argument requires COUNT argument",

  // sort
  weightNotNumber: "ERR One or more scores can't be converted into double",

  // dump
  dumpChecksum: "ERR DUMP payload version or checksum are wrong",
  dumpFormat: "ERR Bad data format",
  busyKey: "BUSYKEY Target key name already exists.",
  restoreTime: "ERR Invalid TTL value, must be >= 0",
  restoreIdleTime: "ERR Invalid IDLETIME value, must be >= 0",
  restoreFrequency: "ERR Invalid FREQ value, must be >= 0 and <= 255",

  // hashes and sets
  hashNotInteger: "ERR hash value is not an integer",
  hashNotFloat: "ERR hash value is not a float",
  floatNotFinite: "ERR value is NaN or Infinity",
  outOfRange: "ERR value is out of range",
  notPositive: "ERR value is out of range, must be positive",
  notLongInRange:
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
  numkeysNotPositive: "ERR numkeys should be greater than 0",
  numkeysTooMany: "ERR Number of keys can't be greater than number of args",
  limitNegative: "ERR LIMIT can't be negative",
  replyTooLong: "ERR the reply would be too long",

  // lists
  indexOutOfRange: "ERR index out of range",
  rankZero:
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from " +
    "the end of the list",
  countNegative: "ERR COUNT can't be negative",
  maxlenNegative: "ERR MAXLEN can't be negative",
  countNotPositive: "ERR count should be greater than 0",

  // streams
  streamId: "ERR Invalid stream ID specified as stream command argument",
  streamIdZero: "ERR The ID specified in XADD must be greater than 0-0",
  streamIdNotLarger: "ERR The ID specified in XADD is equal or smaller than the target stream top item",
  streamExhausted: "ERR The stream has exhausted the last possible ID, unable to add more items",
  streamElementsTooLarge: "ERR Elements are too large to be stored",
  streamStartId: "ERR invalid start ID for the interval",
  streamEndId: "ERR invalid end ID for the interval",
  trimTwice: "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
  trimMaxlenNegative: "ERR The MAXLEN argument must be >= 0.",
  trimLimitNegative: "ERR The LIMIT argument must be >= 0.",
  trimLimitAlone: "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
  trimLimitExact: "ERR syntax error, LIMIT cannot be used without the special ~ option",
  trimNone: "ERR syntax error, XTRIM must be called with a trimming strategy",
  setIdAdded: "ERR entries_added must be positive",
  setIdBelowGivenDeleted: "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
  setIdBelowDeleted: "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
  setIdBelowTop: "ERR The ID specified in XSETID is smaller than the target stream top item",
  setIdAddedBelowLength: "ERR The entries_added specified in XSETID is smaller than the target stream length",
  groupOption: "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
  noackOption: "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
  groupMissing: "ERR Missing GROUP option for XREADGROUP",
  dollarId:
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by " +
    "specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
  greaterId:
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
  groupBusy: "BUSYGROUP Consumer Group name already exists",
  groupKey:
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM " +
    "option to create an empty stream automatically.",
  entriesRead: "ERR value for ENTRIESREAD must be positive or -1",
  claimIdleTime: "ERR Invalid min-idle-time argument for XCLAIM",
  claimIdle: "ERR Invalid IDLE option argument for XCLAIM",
  claimTime: "ERR Invalid TIME option argument for XCLAIM",
  claimRetries: "ERR Invalid RETRYCOUNT option argument for XCLAIM",
  autoClaimIdleTime: "ERR Invalid min-idle-time argument for XAUTOCLAIM",
  autoClaimCount: "ERR COUNT must be > 0",
  timeoutNotInteger: "ERR timeout is not an integer or out of range",
  timeoutNegative: "ERR timeout is negative",
  timeoutOutOfRange: "ERR timeout is out of range",

  // keys
  databaseOutOfRange: "ERR DB index is out of range",
  firstDatabaseInvalid: "ERR invalid first DB index",
  secondDatabaseInvalid: "ERR invalid second DB index",
  cursorInvalid: "ERR invalid cursor",
  expireNxWithOthers: "ERR NX and XX, GT or LT options at the same time are not compatible",
  expireGtWithLt: "ERR GT and LT options at the same time are not compatible",
  frequencyNotTracked:
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when " +
    "switching between policies at runtime LRU and LFU data will take some time to adjust.",
  idleTimeNotTracked:
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching " +
    "between policies at runtime LRU and LFU data will take some time to adjust.",
} as const;

export type ReplyErrorCode = keyof typeof replyError;

/** `name` as in the row: "get", "object|encoding". */
export const wrongArity = (name: string): string => `ERR wrong number of arguments for '${name}' command`;

/** `name` as in the row. */
export const noInputKey = (name: string): string =>
  `ERR at least 1 input key is needed for '${name}' command`;

/** Degrees with six decimals. */
export const invalidPosition = (longitude: string, latitude: string): string =>
  `ERR invalid longitude,latitude pair ${longitude},${latitude}`;

/** `what` as Redis calls it. */
export const storeIncompatible = (what: string): string =>
  `ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`;

/** `name` as the client wrote it. */
export const exactlyOne = (options: string, name: string): string =>
  `ERR exactly one of ${options} can be specified for ${printable(name)}`;

export const invalidExpireTime = (name: string): string => `ERR invalid expire time in '${name}' command`;

/** EXPIRE's options. Redis trims line ends off the line, and shows even the longest option whole. */
export function unsupportedOption(args: Args, index: number): string {
  const start = args.start(index);
  const text = args.bytes.toString("latin1", start, Math.min(args.end(index), start + NAME_BYTES_MAX));
  return `ERR Unsupported option ${printable(beforeNul(text).replace(/[\r\n]+$/, ""))}`;
}

/** `container` in upper case: "OBJECT". `subcommand` is latin1, as the client sent it. */
export const unknownSubcommand = (container: string, subcommand: string): string =>
  `ERR unknown subcommand '${printable(subcommand.slice(0, SHOWN_BYTES_MAX))}'. Try ${container} HELP.`;

/** DEBUG answers both mistakes with one text. */
export const unknownSubcommandOrArity = (container: string, subcommand: string): string =>
  `ERR unknown subcommand or wrong number of arguments for '${printable(subcommand.slice(0, SHOWN_BYTES_MAX))}'. Try ${container} HELP.`;

/** As since Redis 7.2: the command's own name, and the special id that the command takes. */
export function streamsUnbalanced(isGroup: boolean): string {
  const [name, symbol] = isGroup ? ["xreadgroup", ">"] : ["xread", "$"];
  return `ERR Unbalanced '${name}' list of streams: for each stream key an ID or '${symbol}' must be specified.`;
}

/** XREADGROUP's. Arguments by number. */
export const noGroupToRead = (args: Args, key: number, group: number): string =>
  `NOGROUP No such key '${nameAt(args, key)}' or consumer group '${nameAt(args, group)}' in XREADGROUP with GROUP option`;

export const noGroupOrKey = (args: Args, key: number, group: number): string =>
  `NOGROUP No such key '${nameAt(args, key)}' or consumer group '${nameAt(args, group)}'`;

export const noGroup = (args: Args, key: number, group: number): string =>
  `NOGROUP No such consumer group '${nameAt(args, group)}' for key name '${nameAt(args, key)}'`;

export const unrecognizedClaimOption = (args: Args, index: number): string =>
  `ERR Unrecognized XCLAIM option '${nameAt(args, index)}'`;

const nameAt = (args: Args, index: number): string => firstBytes(args, index, NAME_BYTES_MAX);

/** No row of that name. Shows the first arguments, as much as Redis shows of them. */
export function unknownCommand(args: Args): string {
  let shown = "";
  for (let i = 1; i < args.count && shown.length < SHOWN_BYTES_MAX; i++) {
    shown += `'${firstBytes(args, i, SHOWN_BYTES_MAX - shown.length)}' `;
  }
  return `ERR unknown command '${firstBytes(args, 0, SHOWN_BYTES_MAX)}', with args beginning with: ${shown}`;
}

/** At most `count` bytes of an argument, so that no long text is made of a long one. */
function firstBytes(args: Args, index: number, count: number): string {
  const start = args.start(index);
  const end = Math.min(args.end(index), start + count);
  return printable(args.bytes.toString("latin1", start, end));
}

/** A client's bytes inside an error line: as in Redis they end at a NUL, and line ends become spaces. */
export function printable(text: string): string {
  return beforeNul(text).replace(/[\r\n]/g, " ");
}

function beforeNul(text: string): string {
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}
