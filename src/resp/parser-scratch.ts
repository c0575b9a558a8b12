// Where a parser leaves the command it has just read. One scratch serves any number of parsers, because a
// command is used up before the next one is parsed; so an idle connection owns no memory here.

const ARGUMENTS_INITIAL = 512;
/** The array that is kept for good holds at most this many arguments (128 KiB). */
const ARGUMENTS_KEPT_MAX = 16_384;

const EMPTY = Buffer.alloc(0);

/**
 *   offsets: [start0, end0, start1, end1, ...]   positions in `argsBuffer`
 *
 * `offsets` is `kept` except while a command of very many arguments is being read or used.
 */
export class ParserScratch {
  offsets: Int32Array = new Int32Array(2 * ARGUMENTS_INITIAL);
  kept: Int32Array = this.offsets;
  /** The bytes that `offsets` point into: the caller's chunk, or `line`. */
  argsBuffer: Buffer = EMPTY;
  /** The unquoted arguments of an inline command. */
  line: Buffer = EMPTY;

  /** Doubles `offsets`. Called only when an argument has arrived that has no room. */
  grow(): Int32Array {
    const larger = new Int32Array(2 * this.offsets.length);
    larger.set(this.offsets);
    if (this.offsets === this.kept && larger.length <= 2 * ARGUMENTS_KEPT_MAX) this.kept = larger;
    this.offsets = larger;
    return larger;
  }

  /** Makes sure of `bytes` bytes in `line`; the caller has checked them against the line limit. */
  ensureLine(bytes: number): Buffer {
    if (this.line.length < bytes)
      this.line = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.line.length, 1024));
    return this.line;
  }

  /** Forgets the last command, so that nothing keeps its bytes alive. */
  release(): void {
    this.offsets = this.kept;
    this.argsBuffer = EMPTY;
  }
}
