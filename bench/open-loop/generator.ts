// The load generator, a process of its own: one job as JSON in its first argument, one result as JSON on its output.

import { processorMsOf, sleep } from "../processes.ts";
import { LoadConnection, type OnReply } from "./connection.ts";
import { type ClosedJob, type FillJob, type Job, LATE_US, type LoadResult, type OpenJob } from "./job.ts";
import { Latencies } from "./latencies.ts";
import { planRequests, planTimes, type Requests } from "./plan.ts";

const CONNECTING_AT_ONCE = 200;
/** Replies that have not come by then are missing, and the run fails. */
const LAST_REPLY_MS_MAX = 30_000;
/** A closed loop begins again when it has sent all of its plan. */
const CLOSED_PLAN = 1_000_000;
const FILL_DEPTH = 256;
const SECOND_US = 1_000_000;

const nowUs = (): number => performance.now() * 1000;

/** What is counted of replies, and of the processors, from begin() to result(). */
class Tally {
  readonly latency = new Latencies();
  readonly lag = new Latencies();
  late = 0;
  answered = 0;
  #wrong = 0;
  #firstWrong = "";
  readonly #pids: readonly number[];
  #fromUs = 0;
  #generatorMs = 0;
  #serverMs = 0;

  constructor({ pids }: Job) {
    this.#pids = pids;
  }

  begin(): void {
    this.#fromUs = nowUs();
    this.#generatorMs = processorMsOf(process.pid);
    this.#serverMs = this.#processorMsOfServer();
  }

  check(isRight: boolean, what: string): void {
    if (isRight) return;
    if (this.#wrong++ === 0) this.#firstWrong = what.slice(0, 200);
  }

  result(): LoadResult {
    const elapsedUs = nowUs() - this.#fromUs;
    const part = (usedMs: number): number => (usedMs * 1000) / elapsedUs;
    const lag = this.lag.percentiles();
    return {
      perSecond: (this.answered / elapsedUs) * SECOND_US,
      latency: this.latency.percentiles(),
      lag,
      latePart: lag.count === 0 ? 0 : this.late / lag.count,
      wrong: this.#wrong,
      firstWrong: this.#firstWrong,
      generatorProcessorPart: part(processorMsOf(process.pid) - this.#generatorMs),
      serverProcessorPart: part(this.#processorMsOfServer() - this.#serverMs),
    };
  }

  #processorMsOfServer(): number {
    return this.#pids.reduce((sum, pid) => sum + processorMsOf(pid), 0);
  }
}

async function openAll(
  { port, connections }: Job,
  valueBytes: number,
  onReply: OnReply,
  onBatch?: (connection: LoadConnection) => void,
): Promise<LoadConnection[]> {
  const opened: LoadConnection[] = [];
  while (opened.length < connections) {
    const some = Math.min(CONNECTING_AT_ONCE, connections - opened.length);
    const open = (): Promise<LoadConnection> => LoadConnection.open(port, valueBytes, onReply, onBatch);
    opened.push(...(await Promise.all(Array.from({ length: some }, open))));
  }
  return opened;
}

async function fill(job: FillJob): Promise<LoadResult> {
  const tally = new Tally(job);
  tally.begin();
  let sent = 0;
  await new Promise<void>((resolve) => {
    const more = (connection: LoadConnection): void => {
      while (connection.outstanding < FILL_DEPTH && sent < job.keys) connection.queue(sent++, true, 0);
      connection.flush();
      if (tally.answered === job.keys) resolve();
    };
    const onReply: OnReply = (_, isRight, what) => {
      tally.answered++;
      tally.check(isRight, what);
    };
    openAll(job, job.valueBytes, onReply, more).then((all) => all.forEach(more));
  });
  return tally.result();
}

async function closedLoop(job: ClosedJob): Promise<LoadResult> {
  const tally = new Tally(job);
  const plan = planRequests(job.mix, CLOSED_PLAN);
  let next = 0;
  let isMeasuring = false;
  const send = (connection: LoadConnection): void => {
    const atUs = nowUs();
    while (connection.outstanding < job.depth) {
      connection.queue(plan.keys[next]!, plan.isWrite[next] === 1, atUs);
      next = next + 1 === CLOSED_PLAN ? 0 : next + 1;
    }
    connection.flush();
  };
  const onReply: OnReply = (atUs, isRight, what) => {
    tally.check(isRight, what);
    if (!isMeasuring) return;
    tally.answered++;
    tally.latency.record(nowUs() - atUs);
  };
  const connections = await openAll(job, job.mix.valueBytes, onReply, send);
  connections.forEach(send);
  await sleep(job.warmUpMs);
  isMeasuring = true;
  tally.begin();
  await sleep(job.measureMs);
  return tally.result();
}

/** Sends each request of the plan when it is due. Never sleeps: a timer of node is a millisecond late at best. */
class OpenLoop {
  readonly #connections: readonly LoadConnection[];
  readonly #requests: Requests;
  readonly #timesUs: Float64Array;
  readonly #fromUs: number;
  readonly #tally: Tally;
  #next = 0;
  #startUs = 0;

  constructor(
    job: OpenJob,
    connections: readonly LoadConnection[],
    requests: Requests,
    timesUs: Float64Array,
    tally: Tally,
  ) {
    this.#connections = connections;
    this.#requests = requests;
    this.#timesUs = timesUs;
    this.#fromUs = job.warmUpMs * 1000;
    this.#tally = tally;
  }

  /** Until all requests have been sent. */
  run(): Promise<void> {
    this.#startUs = nowUs();
    return new Promise((resolve) => {
      const turn = (): void => {
        this.#sendDue();
        if (this.#next === this.#timesUs.length) resolve();
        else setImmediate(turn);
      };
      turn();
    });
  }

  /** When the request was due, by the clock of the run. */
  replied(dueUs: number): void {
    if (dueUs >= this.#fromUs) this.#tally.latency.record(nowUs() - this.#startUs - dueUs);
  }

  #sendDue(): void {
    const connections = this.#connections;
    let atUs = nowUs() - this.#startUs;
    for (; this.#next < this.#timesUs.length && this.#timesUs[this.#next]! <= atUs; this.#next++) {
      const dueUs = this.#timesUs[this.#next]!;
      const connection = connections[this.#next % connections.length]!;
      connection.queue(this.#requests.keys[this.#next]!, this.#requests.isWrite[this.#next] === 1, dueUs);
      connection.flush();
      atUs = nowUs() - this.#startUs;
      if (dueUs < this.#fromUs) continue;
      this.#tally.lag.record(atUs - dueUs);
      if (atUs - dueUs > LATE_US) this.#tally.late++;
    }
  }
}

async function openLoop(job: OpenJob): Promise<LoadResult> {
  const tally = new Tally(job);
  const count = Math.round((job.perSecond * (job.warmUpMs + job.measureMs)) / 1000);
  const requests = planRequests(job.mix, count);
  const timesUs = planTimes(job.arrivals, job.perSecond, count, job.mix.seed);
  let loop: OpenLoop | undefined;
  const connections = await openAll(job, job.mix.valueBytes, (dueUs, isRight, what) => {
    tally.answered++;
    tally.check(isRight, what);
    loop!.replied(dueUs);
  });
  loop = new OpenLoop(job, connections, requests, timesUs, tally);
  tally.begin();
  await loop.run();
  const deadlineUs = nowUs() + LAST_REPLY_MS_MAX * 1000;
  while (tally.answered < count) {
    if (nowUs() > deadlineUs) throw new Error(`${count - tally.answered} of ${count} requests had no reply`);
    await sleep(1);
  }
  return tally.result();
}

function run(job: Job): Promise<LoadResult> {
  switch (job.kind) {
    case "fill":
      return fill(job);
    case "closed":
      return closedLoop(job);
    case "open":
      return openLoop(job);
  }
}

const result = await run(JSON.parse(process.argv[2]!) as Job);
process.stdout.write(JSON.stringify(result), () => process.exit());
