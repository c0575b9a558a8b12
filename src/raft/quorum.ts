// Majority arithmetic, for one set of voters and for the two halves of a joint configuration.
// Numbers and votes come in through a lookup; nothing here knows what they stand for.

export type VoteResult = "won" | "lost" | "pending";

// Reused by every call: lookups must not call back into this file.
let scratch = new Float64Array(16);

/** The largest value that a majority of `members` has reached; Infinity for no members. */
export function majorityIndex<T>(members: readonly T[], reachedBy: (member: T) => number): number {
  const count = members.length;
  if (count === 0) return Number.POSITIVE_INFINITY;
  if (count > scratch.length) scratch = new Float64Array(count * 2);
  // Insertion sort, ascending: clusters have three to seven members.
  for (let i = 0; i < count; i++) {
    const value = reachedBy(members[i] as T);
    let at = i;
    for (; at > 0 && (scratch[at - 1] as number) > value; at--) scratch[at] = scratch[at - 1] as number;
    scratch[at] = value;
  }
  return scratch[count - ((count >> 1) + 1)] as number;
}

/** The largest value that both halves have reached. */
export function jointIndex<T>(
  incoming: readonly T[],
  outgoing: readonly T[],
  reachedBy: (member: T) => number,
): number {
  const first = majorityIndex(incoming, reachedBy);
  if (outgoing.length === 0) return first;
  return Math.min(first, majorityIndex(outgoing, reachedBy));
}

/** No members: won, so that an empty half never stands in the way. */
export function majorityVote<T>(
  members: readonly T[],
  voteOf: (member: T) => boolean | undefined,
): VoteResult {
  if (members.length === 0) return "won";
  let yes = 0;
  let missing = 0;
  for (const member of members) {
    const vote = voteOf(member);
    if (vote === undefined) missing++;
    else if (vote) yes++;
  }
  const needed = (members.length >> 1) + 1;
  if (yes >= needed) return "won";
  return yes + missing >= needed ? "pending" : "lost";
}

/** Both halves must win; losing either loses. */
export function jointVote<T>(
  incoming: readonly T[],
  outgoing: readonly T[],
  voteOf: (member: T) => boolean | undefined,
): VoteResult {
  const first = majorityVote(incoming, voteOf);
  const second = majorityVote(outgoing, voteOf);
  if (first === second) return first;
  return first === "lost" || second === "lost" ? "lost" : "pending";
}
