// Where a reply ends: for cutting replies that others have made apart. Bytes in, a position out.

const CR = 0x0d;
const LINE_MARKS = Buffer.from("+-:_#,(");
const BULK_MARKS = Buffer.from("$=!");
const PERCENT = 0x25;
const BAR = 0x7c;

/** One past the reply at `at` of bytes[at, end), RESP2 and RESP3, or -1 while it is incomplete. */
export function replyEnd(bytes: Buffer, at: number, end = bytes.length): number {
  // Replies that must still end before this one does: arrays are counted, not descended into.
  let open = 1;
  let position = at;
  while (open > 0) {
    const lineEnd = bytes.indexOf(CR, position);
    if (lineEnd < 0 || lineEnd + 2 > end) return -1;
    const mark = bytes[position]!;
    open--;
    if (!LINE_MARKS.includes(mark)) {
      const count = Number(bytes.toString("latin1", position + 1, lineEnd));
      if (BULK_MARKS.includes(mark)) {
        if (count >= 0) {
          position = lineEnd + 2 + count + 2;
          if (position > end) return -1;
          continue;
        }
      } else if (count > 0) {
        // Attributes come in front of the reply that they belong to.
        open += mark === PERCENT || mark === BAR ? 2 * count : count;
      }
      if (mark === BAR) open++;
    }
    position = lineEnd + 2;
  }
  return position;
}
