// See unchecked.mjs: what the program is changed to on its way in. That there is nothing to change is an error.

const CHECK = "return implausible(this.#raft, message);";

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (!url.endsWith("/dist/raft/core.js")) return loaded;
  const source = String(loaded.source);
  const changed = source.replace(CHECK, "return undefined;");
  if (changed === source) throw new Error(`nothing to change in ${url}`);
  return { ...loaded, source: changed };
}
