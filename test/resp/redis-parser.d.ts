// The npm package redis-parser has no types of its own; this is what the tests and benchmarks use of it.

declare module "redis-parser" {
  export type Reply = Buffer | string | number | null | Error | Reply[];

  export default class RedisParser {
    constructor(options: {
      returnReply: (reply: Reply) => void;
      returnError: (error: Error) => void;
      returnFatalError?: (error: Error) => void;
      returnBuffers?: boolean;
      stringNumbers?: boolean;
    });
    execute(chunk: Buffer): void;
  }
}
