// RESP2 replies as the clients of the simulator, and of the fault tests on processes, write them down and understand them.

/** What a reply says about a command of the history. */
export type Meaning = "answered" | "refused" | "unknown" | "wrong";

/** Errors that are results. */
const REPLIED = /^-(ERR no such key|BUSYGROUP |NOGROUP |ERR no member is called )/;

/**
 * Success and refusals of the command itself are results; TRYAGAIN and CLUSTERDOWN promise that nothing happened, and so do
 * the `refusals` of a command; UNCERTAIN leaves it open.
 */
export function meaningOf(reply: string, refusals?: RegExp): Meaning {
  if (/^-(TRYAGAIN|CLUSTERDOWN) /.test(reply) || refusals?.test(reply) === true) return "refused";
  if (reply.startsWith("-UNCERTAIN ")) return "unknown";
  return reply.startsWith("-") && !REPLIED.test(reply) ? "wrong" : "answered";
}

/** The first reply in `text`, and how many characters it took; undefined while it is not complete. */
export function takeReply(text: string): { readonly text: string; readonly length: number } | undefined {
  const lineEnd = text.indexOf("\r\n");
  if (lineEnd < 0) return undefined;
  const line = text.slice(0, lineEnd);
  const after = lineEnd + 2;
  if (line.startsWith("$") && line !== "$-1") {
    const end = after + Number(line.slice(1));
    return text.length < end + 2 ? undefined : { text: `$${text.slice(after, end)}`, length: end + 2 };
  }
  if (!line.startsWith("*")) return { text: line, length: after };
  const items: string[] = [];
  let at = after;
  for (let i = 0; i < Number(line.slice(1)); i++) {
    const item = takeReply(text.slice(at));
    if (item === undefined) return undefined;
    items.push(item.text);
    at += item.length;
  }
  return { text: `*${items.join(",")}`, length: at };
}
