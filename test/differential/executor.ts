// Something that takes commands and gives raw replies: the machine in this process, or a server at the other
// end of a TCP connection (redis-server, or a node of ours). The comparison does not know which is which.

export type Command = readonly Buffer[];

export interface Executor {
  readonly name: string;
  /** Raw reply bytes, one Buffer a command, in order. */
  run(commands: readonly Command[]): Promise<Buffer[]>;
  close(): Promise<void>;
}
