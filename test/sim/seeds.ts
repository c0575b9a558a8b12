// Every seed that ever failed, with what it found. CI runs them all. A seed leads to other events whenever the simulator
// or the node draws differently, so an old one need not meet its bug again; as a sample it is as good as any. Those found
// before there were operators run without them: the faults of their runs are the same as before, event by event.

import { PLAIN, type SimulationOptions } from "./simulation.ts";

export const FAILED_SEEDS: readonly {
  readonly seed: number;
  readonly found: string;
  readonly options?: SimulationOptions;
}[] = [
  {
    seed: 13,
    options: PLAIN,
    found: "one target for the forwarded commands of all sessions: answers ignored after a change of leader",
  },
  { seed: 15, options: PLAIN, found: "the same: commands sent again and executed twice" },
  {
    seed: 30,
    options: PLAIN,
    found: "batches of an older term stayed in flight; new ones at their indexes were never answered",
  },
  {
    seed: 36,
    options: PLAIN,
    found: "a leader that refuses was asked again at once, for as long as the news of its end took",
  },
  {
    seed: 37,
    options: PLAIN,
    found: "replies to forwarded commands dropped while the leader's own link was not up",
  },
  {
    seed: 56,
    options: PLAIN,
    found: "a lost link closed virtual sessions, and with them local clients' commands of the same number",
  },
  { seed: 57, options: PLAIN, found: "as 15" },
  { seed: 78, options: PLAIN, found: "as 128" },
  {
    seed: 112,
    options: PLAIN,
    found: "commands handed back before the answers of the same turn: they were executed twice",
  },
  { seed: 128, options: PLAIN, found: "commands put back in another order than they were sent" },
  {
    seed: 311,
    options: PLAIN,
    found: "nothing: the simulator asked before links that were dead without a word had been found out",
  },
  { seed: 336, options: PLAIN, found: "as 311" },
  {
    seed: 563,
    options: PLAIN,
    found: "a joining node whose leader was lost stayed outside: it did not ask again",
  },
  {
    seed: 41648,
    options: PLAIN,
    found:
      "a follower that lagged behind ignored a leader that had joined after the end of its log, and so never learnt of it",
  },
  { seed: 43832, options: PLAIN, found: "as 41648" },
  { seed: 44710, options: PLAIN, found: "as 41648" },
  {
    seed: 18,
    found: "the OK of a recovery went to another client, whose command it had decided",
  },
  {
    seed: 572,
    found: "answers to commands that a follower had given up were counted as those of later ones",
  },
  {
    seed: 100276,
    found:
      "a late refusal, by a member that had not heard of it, barred a node that was a voter by then, and later led: for ever",
  },
  {
    seed: 119,
    found:
      "a node that was met while it was fresh, and then let in and led, was never dialled by a member that lagged behind",
  },
  {
    seed: 116,
    found:
      "fresh nodes found a second cluster on stale knowledge: that others whom they met fresh are so still",
  },
  {
    seed: 500266,
    found: "a removed node had let go of its links, and others needed its vote to learn that it was removed",
  },
  {
    seed: 601076,
    found: "a mistake of the simulator's: a client whose last command was WATCH does watch",
  },
  {
    seed: 601368,
    found: "a mistake of the simulator's: it waited 20 s for a learner that is given up after 30",
  },
  {
    seed: 700000,
    found: "PUBLISH counted the subscribers of a node that was no member, which nothing reaches",
  },
  {
    seed: 700147,
    found:
      "a leader that tried to hand over broke off a snapshot and did not tell its core, which waited for it for ever",
  },
  {
    seed: 700700,
    found:
      "a mistake of the simulator's: the node of a client that waits never heard that the connection was gone",
  },
  {
    seed: 701131,
    found:
      "a mistake of the simulator's: a step that began above the limit and took the lead may answer -OOM",
  },
  {
    seed: 2000587,
    found:
      "a mistake of the simulator's: one step of a lone node can go above the limit, answer -OOM and come back below",
  },
  {
    seed: 3000190,
    options: { publishing: true },
    found:
      "a survivor that lagged behind a change of the members saw a majority where there was none, and nobody told it",
  },
  {
    seed: 3000540,
    options: { publishing: true },
    found:
      "one key with a deadline let in any command that needs memory, above the limit and with nothing else to evict",
  },
  {
    seed: 801374,
    options: { busy: true },
    found:
      "a leader that a lagging member did not know was taken for a liar, and its link closed, while the earlier leader lived",
  },
  {
    seed: 801174,
    options: { busy: true },
    found:
      "a mistake of the simulator's: small pieces on slow connections, so a member that lagged could not catch up in time",
  },
  {
    seed: 23,
    found:
      "ticks that a resting follower had let pass counted as silence of the leader that had just woken it",
  },
  {
    seed: 7,
    options: { settings: true },
    found: "the log's answer to a CONFIG GET that was put back went to its client as it was",
  },
  {
    seed: 800454,
    options: { busy: true },
    found:
      "a mistake of the simulator's: a look at a setting that was refused took the change before it out of the history",
  },
];
