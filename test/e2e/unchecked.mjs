// Loaded into a node before its own program (node --import ".../unchecked.mjs"): the program without the check of what members
// say of terms and indices. For the test of the tests of hostile members.

import { register } from "node:module";

register("./unchecked-hooks.mjs", import.meta.url);
