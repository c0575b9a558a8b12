// A family of commands as the differential test sees it: what to draw, and where two correct servers may differ.

import type { Draw } from "../draw.ts";
import type { Rule } from "../rule.ts";

/** One command, as latin1 words. */
export type Maker = (g: Draw) => string[];

export interface Family {
  /** For DIFFERENTIAL_FAMILY. */
  readonly name: string;
  /** Its commands with every option. What is wrong in general (arity, stray words, types) comes by itself. */
  readonly commands: readonly (readonly [weight: number, maker: Maker])[];
  /** Its own keys, which `Draw.key` prefers while it makes the commands; so that keys mostly hold its type. */
  readonly keys?: readonly string[];
  /** Commands of other families do not draw its keys. */
  readonly keysArePrivate?: true;
  /** Words of its options, which are also thrown at all other commands. */
  readonly optionWords?: readonly string[];
  /** Several commands that only make sense together. */
  readonly sequences?: readonly ((g: Draw) => string[][])[];
  /**
   * Changes a command, of any family and maybe spoiled, where two correct servers could answer differently, and says what
   * to send before and after it.
   */
  readonly mend?: (g: Draw, command: string[]) => { before: string[][]; after: string[][] };
  /** What may differ, and why. */
  readonly rules?: readonly Rule[];
}
