// The error texts of the connection and server commands, in Redis's exact words. Texts that data commands
// share are in errors.ts.

import { printable } from "./errors.ts";

export const localError = {
  // connection
  authNotConfigured:
    "ERR AUTH <password> called without any password configured for the default user. " +
    "Are you sure your configuration is correct?",
  wrongPassword: "WRONGPASS invalid username-password pair or user is disabled.",
  helloNoAuth:
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> " +
    "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version " +
    "at the same time",
  protocolNotInteger: "ERR Protocol version is not an integer or out of range",
  protocolUnsupported: "NOPROTO unsupported protocol version",
  clientNameInvalid: "ERR Client names cannot contain spaces, newlines or special characters.",
  clientIdInvalid: "ERR Invalid client ID",
  clientIdNotPositive: "ERR client-id should be greater than 0",
  noSuchClient: "ERR No such client",
  cachingWithoutTracking:
    "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
  pauseModeInvalid: "ERR CLIENT PAUSE mode must be WRITE or ALL",
  timeoutNotInteger: "ERR timeout is not an integer or out of range",
  timeoutNegative: "ERR timeout is negative",
  tooManySubscriptions: "ERR too many subscriptions on this node",
  unblockReasonInvalid: "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR",

  // server
  tooManyNames: "ERR too many names in one command",
  configNoFile: "ERR The server is running without a config file",
  debugNotAllowed:
    'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", ' +
    "you can run it from a local connection, otherwise you need to set this option in the configuration file, " +
    "and then restart the server.",
  debugReloadOptions: "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
  protocolTypeUnknown:
    "ERR Wrong protocol type name. Please use one of the following: " +
    "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
  needsResp3: "ERR RESP2 is not supported by this command",
  monitorInTransaction: "ERR MONITOR isn't allowed for DENY BLOCKING client",
  monitorHasNoKeys: "ERR Replica can't interact with the keyspace",
  invalidCommand: "ERR Invalid command specified",
  invalidArgumentCount: "ERR Invalid number of arguments specified for command",
  invalidArguments: "ERR Invalid arguments specified for command",
  noKeyArguments: "ERR The command has no key arguments",
  noDisk: "ERR Nothing is saved: this server keeps its data in the memory of its members and writes no files",
  numlocalOutOfRange: "ERR value is out of range, value must between 0 and 1",
  noAppendOnlyFile: "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
  noShutdown: "ERR No shutdown in progress.",
  slowLogCountInvalid: "ERR count should be greater than or equal to -1",
} as const;

export const unknownClientType = (type: string): string => `ERR Unknown client type '${printable(type)}'`;

export const unknownCategory = (name: string): string => `ERR Unknown category '${printable(name)}'`;

export const noSuchUser = (user: string): string => `ERR No such user '${printable(user)}'`;

export const helloSyntax = (option: string): string =>
  `ERR Syntax error in HELLO option '${printable(option)}'`;

export const libraryFieldInvalid = (field: string): string =>
  `ERR ${field} cannot contain spaces, newlines or special characters.`;

export const unrecognizedOption = (option: string): string =>
  `ERR Unrecognized option '${printable(option)}'`;

export const configUnknown = (name: string): string =>
  `ERR Unknown option or number of arguments for CONFIG SET - '${printable(name)}'`;

export const configFailed = (name: string, reason: string): string =>
  `ERR CONFIG SET failed (possibly related to argument '${printable(name)}') - ${printable(reason)}`;

export const configRewriteFailed = (reason: string): string =>
  `ERR Rewriting config file: ${printable(reason)}`;

export const noLatencySamples = (event: string): string =>
  `ERR No samples available for event '${printable(event)}'`;

/** `name` as in the row: "client|list". */
export const subscribersOnly = (name: string): string =>
  `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`;
