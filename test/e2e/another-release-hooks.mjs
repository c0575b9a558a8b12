// See another-release.mjs: what the files of the program are changed to on their way in. A change that finds nothing to change is an error.

/** Field 15 of a message, of two bytes. */
const FIELD = "Uint8Array.of(0x7a, 2, 1, 2)";

let changes;

export function initialize({ least, most }) {
  changes = {
    "/io/peer-handshake.js": [/VERSIONS = \{[^}]*\}/, `VERSIONS = { least: ${least}, most: ${most} }`],
    "/node/cluster.js": [
      "incarnation: self.incarnation,",
      `incarnation: self.incarnation, unknownFields: [${FIELD}],`,
    ],
  };
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  for (const [path, [from, to]] of Object.entries(changes)) {
    if (!url.endsWith(`/dist${path}`)) continue;
    const source = String(loaded.source);
    const changed = source.replace(from, to);
    if (changed === source) throw new Error(`nothing to change in ${url}`);
    return { ...loaded, source: changed };
  }
  return loaded;
}
