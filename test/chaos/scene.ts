// Three members for the named tests of one file: well before each of them, and who leads at that moment.

import { afterAll, beforeAll, beforeEach } from "vitest";
import { requireBuild } from "../e2e/processes.ts";
import { Links } from "./links.ts";
import { Members } from "./members.ts";

export const REFUSED = /^-(TRYAGAIN|CLUSTERDOWN|UNCERTAIN) /;

export interface Scene {
  readonly members: Members;
  readonly links: Links;
  readonly leader: string;
  readonly others: string[];
}

export function threeBeforeEach(
  { seed, flags = [] }: { seed: number; flags?: readonly string[] },
  begin: (scene: Scene) => void,
): void {
  let members: Members | undefined;
  let links: Links;
  beforeAll(async () => {
    requireBuild();
    members = await Members.start(3, seed, flags);
    links = new Links(members.cluster.proxy, members.names);
  });
  afterAll(async () => {
    await members?.stop();
  });
  beforeEach(async () => {
    await members!.allAreWell();
    const leader = await members!.leader();
    begin({ members: members!, links, leader, others: links.others(leader) });
  });
}
