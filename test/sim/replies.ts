// RESP2 replies as the simulated clients write them down.

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
