// Loaded into a node before its own program (node --import ".../another-release.mjs?least=1&most=2"): the program as another
// release would be. It speaks these versions of the peer protocol, and its row in the table of members has a field that this
// release does not know.

import { register } from "node:module";

const { searchParams } = new URL(import.meta.url);
register("./another-release-hooks.mjs", import.meta.url, {
  data: { least: Number(searchParams.get("least")), most: Number(searchParams.get("most")) },
});
