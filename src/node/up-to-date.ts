// Commands that wait until this node has applied all that was agreed on, and so perhaps answered to somebody, before. Those
// that leave channels: what was published, and counted for the client, comes before their reply (docs/adr/0009). Those that
// look at what the log has done to this node's clients (CLIENT LIST). In: sessions with such a command. Out: may it run now?
// It delivers and answers nothing itself.
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
export interface Lag {
  /** What this node must have applied before it runs; undefined until that is known. */
  index: number | undefined;
}

/** What is asked of a leader at one time, for all who wait then. */
interface Question {
  readonly leader: number;
  readonly waiting: readonly Lag[];
}

export class UpToDate {
  readonly #node: SeshatNode;
  readonly #session: Session;
  #unasked: Lag[] = [];
  readonly #asked: Question[] = [];
  #heard = "";

  constructor(node: SeshatNode) {
    this.#node = node;
    this.#session = ownSession(node, FAREWELL_SESSION_ID, (bytes, length) => this.#hear(bytes, length));
  }

  /**
   * May the session's next command run now? If not, it is to be held, and to ask again when isOver() says so.
   * @param begins called when it begins to wait: what is told to the others now, the leader knows when it is asked
   */
  isUpToDate(session: Session, begins?: () => void): boolean {
    const { replica } = this.#node;
    const known = session.lag;
    if (known !== undefined) {
      if (!this.isOver(known)) return false;
      session.lag = undefined;
      return true;
    }
    // A leader that may read from memory has applied all that is agreed on.
    replica.beginReads();
    if (replica.readsAllowed) return true;
    begins?.();
    session.lag = { index: undefined };
    this.#unasked.push(session.lag);
    this.#node.requestTurn();
    return false;
  }

  /** Or nobody can be asked: a client does not wait for longer than elections take. */
  isOver({ index }: Lag): boolean {
    const { replica, isLeaderless } = this.#node;
    return isLeaderless || (index !== undefined && replica.machine.appliedIndex >= index);
  }

  /** Once a turn, behind what the turn tells the others of subscriptions. */
  flush(): void {
    if (this.#unasked.length === 0) return;
    const { leader } = this.#node.replica;
    if (this.#node.pubSub.peers.isUntold(leader)) return;
    this.#asked.push({ leader, waiting: this.#unasked });
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

  #answered({ leader, waiting }: Question, line: string): void {
    const { replica, isLeaderless } = this.#node;
    // Another leader may have answered, which counted the clients until then.
    const isAnswer = line.startsWith(":") && leader === replica.leader;
    if (!isAnswer && !isLeaderless) this.#unasked.push(...waiting);
    else for (const command of waiting) command.index = isAnswer ? Number(line.slice(1)) : 0;
    this.#node.requestTurn();
  }
}
