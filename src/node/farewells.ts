// Clients that leave channels (docs/adr/0009): an unsubscribing command waits until this node has delivered all that was
// published, and counted for the client, before. In: sessions whose next command leaves something. Out: may it run now?
// The others are told first that the client does not count any more; then the leader is asked how far the log goes;
// then this node applies it up to there. It delivers and answers nothing itself.
//
//   UNSUBSCRIBE ──> leaving: not counted ──> counts told ──> seshat.applied ──:index──> applied here ──> it runs

import { encodeCommand } from "../resp/request-parser.ts";
import type { SeshatNode } from "./node.ts";
import { ownSession } from "./own-session.ts";
import type { Session } from "./session.ts";
import { FAREWELL_SESSION_ID } from "./session-numbers.ts";

const LINE_END = "\r\n";
const QUESTION = encodeCommand(["seshat.applied"]);

/** One command that waits. */
export interface Farewell {
  /** What this node must have applied before it runs; undefined until that is known. */
  index: number | undefined;
}

/** What is asked of a leader at one time, for all who wait then. */
interface Question {
  readonly leader: number;
  readonly farewells: readonly Farewell[];
}

export class Farewells {
  readonly #node: SeshatNode;
  readonly #session: Session;
  #unasked: Farewell[] = [];
  readonly #asked: Question[] = [];
  #heard = "";

  constructor(node: SeshatNode) {
    this.#node = node;
    this.#session = ownSession(node, FAREWELL_SESSION_ID, (bytes, length) => this.#hear(bytes, length));
  }

  /**
   * May the session's next command leave subscriptions now? If not, it is to be held, and to ask again when isOver() says so.
   * @param leave marks what it leaves; called once
   */
  mayLeave(session: Session, leave: () => void): boolean {
    const { replica } = this.#node;
    const known = session.farewell;
    if (known !== undefined) {
      if (!this.isOver(known)) return false;
      session.farewell = undefined;
      return true;
    }
    // A leader that may read from memory has applied all that is agreed on, and counts for itself.
    replica.beginReads();
    if (session.kind !== "pubsub" || replica.readsAllowed) return true;
    leave();
    session.farewell = { index: undefined };
    this.#unasked.push(session.farewell);
    this.#node.requestTurn();
    return false;
  }

  /** Or nobody can be asked: a client does not wait for longer than elections take. */
  isOver({ index }: Farewell): boolean {
    const { replica, isLeaderless } = this.#node;
    return isLeaderless || (index !== undefined && replica.machine.appliedIndex >= index);
  }

  /** Once a turn, behind what the turn tells the others of subscriptions. */
  flush(): void {
    if (this.#unasked.length === 0) return;
    const { leader } = this.#node.replica;
    if (this.#node.pubSub.peers.isUntold(leader)) return;
    this.#asked.push({ leader, farewells: this.#unasked });
    this.#unasked = [];
    this.#session.receive(QUESTION, 0, QUESTION.length);
  }

  #hear(bytes: Buffer, length: number): void {
    const lines = (this.#heard + bytes.toString("latin1", 0, length)).split(LINE_END);
    this.#heard = lines.pop() ?? "";
    for (const line of lines) {
      const question = this.#asked.shift();
      if (question !== undefined) this.#answered(question, line);
    }
  }

  #answered({ leader, farewells }: Question, line: string): void {
    const { replica, isLeaderless } = this.#node;
    // Another leader may have answered, which counted the clients until then.
    const isAnswer = line.startsWith(":") && leader === replica.leader;
    if (!isAnswer && !isLeaderless) this.#unasked.push(...farewells);
    else for (const farewell of farewells) farewell.index = isAnswer ? Number(line.slice(1)) : 0;
    this.#node.requestTurn();
  }
}
