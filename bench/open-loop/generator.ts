// The load generator, a process of its own: one job as JSON in its first argument, one result as JSON on its output.

import { processorMsOf, sleep } from "../processes.ts";
import type { Channel, Listener, OnReply } from "./channel.ts";
import { EtcdChannel } from "./etcd-channel.ts";
import { type ClosedJob, type FillJob, type Job, LATE_US, type LoadResult, type OpenJob } from "./job.ts";
import { Latencies } from "./latencies.ts";
import { planRequests, planTimes, type Requests } from "./plan.ts";
import { RedisChannel } from "./redis-channel.ts";

const CONNECTING_AT_ONCE = 200;
/** Replies that have not come by then are missing, and the run fails. */
const LAST_REPLY_MS_MAX = 30_000;
/** A closed loop begins again when it has sent all of its plan. */
const CLOSED_PLAN = 1_000_000;
const FILL_DEPTH_MAX = 256;
const FILL_BYTES_UNDER_WAY = 1024 * 1024;
const SECOND_US = 1_000_000;
/** What the system takes to wake a thread. */
const WAKING_US = 50;
/** Never written to: a wait for it is a sleep. */
const NOBODY = new Int32Array(new SharedArrayBuffer(4));

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
  { port, protocol, connections }: Job,
  valueBytes: number,
  listener: Listener,
): Promise<Channel[]> {
  const kind = protocol === "etcd" ? EtcdChannel : RedisChannel;
  const opened: Channel[] = [];
  while (opened.length < connections) {
    const some = Math.min(CONNECTING_AT_ONCE, connections - opened.length);
    const open = (): Promise<Channel> => kind.open(port, valueBytes, listener);
    opened.push(...(await Promise.all(Array.from({ length: some }, open))));
  }
  return opened;
}

async function fill(job: FillJob): Promise<LoadResult> {
  const tally = new Tally(job);
  tally.begin();
  const depth = Math.max(1, Math.min(FILL_DEPTH_MAX, Math.floor(FILL_BYTES_UNDER_WAY / job.valueBytes)));
  let sent = 0;
  await new Promise<void>((resolve) => {
    const more = (channel: Channel): void => {
      while (channel.outstanding < depth && sent < job.keys) channel.queue(sent++, true, 0);
      channel.flush();
      if (tally.answered === job.keys) resolve();
    };
    const onReply: OnReply = (_, isRight, what) => {
      tally.answered++;
      tally.check(isRight, what);
    };
    openAll(job, job.valueBytes, { onReply, onBatch: more }).then((all) => all.forEach(more));
  });
  return tally.result();
}

async function closedLoop(job: ClosedJob): Promise<LoadResult> {
  const tally = new Tally(job);
  const plan = planRequests(job.mix, CLOSED_PLAN);
  let next = 0;
  let isMeasuring = false;
  const send = (channel: Channel): void => {
    const atUs = nowUs();
    while (channel.outstanding < job.depth) {
      channel.queue(plan.keys[next]!, plan.isWrite[next] === 1, atUs);
      next = next + 1 === CLOSED_PLAN ? 0 : next + 1;
    }
    channel.flush();
  };
  const onReply: OnReply = (atUs, isRight, what) => {
    tally.check(isRight, what);
    if (!isMeasuring) return;
    tally.answered++;
    tally.latency.record(nowUs() - atUs);
  };
  const connections = await openAll(job, job.mix.valueBytes, { onReply, onBatch: send });
  connections.forEach(send);
  await sleep(job.warmUpMs);
  isMeasuring = true;
  tally.begin();
  await sleep(job.measureMs);
  return tally.result();
}

/** Sends each request of the plan when it is due. Sleeps only where it is told to: a timer of node is a millisecond late at best. */
class OpenLoop {
  readonly #connections: readonly Channel[];
  readonly #requests: Requests;
  readonly #timesUs: Float64Array;
  readonly #fromUs: number;
  readonly #tally: Tally;
  readonly #napUs: number;
  #next = 0;
  #startUs = 0;

  constructor(
    job: OpenJob,
    connections: readonly Channel[],
    requests: Requests,
    timesUs: Float64Array,
    tally: Tally,
  ) {
    this.#connections = connections;
    this.#requests = requests;
    this.#timesUs = timesUs;
    this.#fromUs = job.warmUpMs * 1000;
    this.#napUs = job.napUs;
    this.#tally = tally;
  }

  /** Until all requests have been sent. */
  run(): Promise<void> {
    this.#startUs = nowUs();
    return new Promise((resolve) => {
      const turn = (): void => {
        this.#sendDue();
        if (this.#next === this.#timesUs.length) {
          resolve();
          return;
        }
        if (this.#napUs > 0) this.#nap();
        setImmediate(turn);
      };
      turn();
    });
  }

  /** Leaves the processor to others until the next request is due, but for no longer than a reply may be overlooked. */
  #nap(): void {
    const leftUs = this.#timesUs[this.#next]! - (nowUs() - this.#startUs);
    if (leftUs > WAKING_US) Atomics.wait(NOBODY, 0, 0, Math.min(leftUs - WAKING_US, this.#napUs) / 1000);
  }

  /** When the request was due, by the clock of the run. */
  replied(dueUs: number): void {
    if (dueUs >= this.#fromUs) this.#tally.latency.record(nowUs() - this.#startUs - dueUs);
  }

  /** What was due when this turn began: what becomes due meanwhile waits until replies have been read. */
  #sendDue(): void {
    const connections = this.#connections;
    const beganUs = nowUs() - this.#startUs;
    for (; this.#next < this.#timesUs.length && this.#timesUs[this.#next]! <= beganUs; this.#next++) {
      const dueUs = this.#timesUs[this.#next]!;
      const channel = connections[this.#next % connections.length]!;
      channel.queue(this.#requests.keys[this.#next]!, this.#requests.isWrite[this.#next] === 1, dueUs);
      channel.flush();
      if (dueUs < this.#fromUs) continue;
      const lateUs = nowUs() - this.#startUs - dueUs;
      this.#tally.lag.record(lateUs);
      if (lateUs > LATE_US) this.#tally.late++;
    }
  }
}

const silence = ({ port }: Job, connections: readonly Channel[], missing: number, count: number): string =>
  `${missing} of ${count} requests to port ${port} had no reply, on ${connections.filter(({ outstanding }) => outstanding > 0).length} of ${connections.length} connections`;

async function openLoop(job: OpenJob): Promise<LoadResult> {
  const tally = new Tally(job);
  const count = Math.round((job.perSecond * (job.warmUpMs + job.measureMs)) / 1000);
  const requests = planRequests(job.mix, count);
  const timesUs = planTimes(job.arrivals, job.perSecond, count, job.mix.seed);
  let loop: OpenLoop | undefined;
  const onReply: OnReply = (dueUs, isRight, what) => {
    tally.answered++;
    tally.check(isRight, what);
    loop!.replied(dueUs);
  };
  const connections = await openAll(job, job.mix.valueBytes, { onReply });
  loop = new OpenLoop(job, connections, requests, timesUs, tally);
  tally.begin();
  await loop.run();
  const deadlineUs = nowUs() + LAST_REPLY_MS_MAX * 1000;
  while (tally.answered < count) {
    if (nowUs() > deadlineUs) throw new Error(silence(job, connections, count - tally.answered, count));
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
