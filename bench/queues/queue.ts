/**
 * The same work done by a sender on a job queue, in a process of its own, on a database of its own of the same PostgreSQL:
 * first jobs that do not count, then as many as Hookwell has, timed from the first request until the queue has nothing left
 * that is not done.
 */
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { BenchServer } from "../database.ts";
import { cpuSeconds, cpuSecondsOfFamily, difference } from "../process-figures.ts";
import { answerOf } from "../raw.ts";
import type { BenchReceiver } from "../receiver.ts";
import { type Job, QueueSender } from "./sender.ts";

const POLL_MS = 5;
const DRAIN_LIMIT_MS = 600_000;
const WEBHOOKS = 100;

export interface QueueTask {
  databaseUrl: string;
  receiverUrl: string;
  postmasterPid: number;
  body: string;
  /** requests in flight at most */
  concurrency: number;
  warmUp: number;
  count: number;
}

export interface QueueFigures {
  per_second: number;
  /** CPU seconds meanwhile */
  cpu: { node: number | null; postgres: number | null };
}

/** What a contestant has to be able to do. */
export interface Queue {
  /** Puts jobs into the queue; nobody works on it meanwhile. */
  add(jobs: readonly Job[]): Promise<void>;
  /** Works until `stop` is called. */
  work(send: QueueSender): Promise<{ stop(): Promise<void> }>;
  /** Whether every job is done, durably. */
  isDone(): Promise<boolean>;
  /** A statement against its database. */
  query(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Runs one of the modules in this folder against a new database. */
export async function measureQueue(
  { server, receiver }: { server: BenchServer; receiver: BenchReceiver },
  module: "pg-boss" | "graphile-worker",
  task: Omit<QueueTask, "databaseUrl" | "receiverUrl" | "postmasterPid">,
): Promise<QueueFigures> {
  const name = module.replace("-", "_");
  const databaseUrl = await server.create(name);
  try {
    await receiver.reset({ record: false });
    const child = fork(new URL(`./${module}.ts`, import.meta.url));
    const { postmasterPid } = server;
    const whole: QueueTask = { ...task, databaseUrl, receiverUrl: receiver.url, postmasterPid };
    const figures = await answerOf<QueueFigures>(child, whole);
    const received = await receiver.count();
    if (received !== task.warmUp + task.count) throw new Error(`${received} of ${module}'s requests arrived`);
    return figures;
  } finally {
    await server.drop(name);
  }
}

/** The contestant's side: takes the task from the parent process and answers with the figures. */
export function serveTask(open: (task: QueueTask) => Promise<Queue>): void {
  process.once("message", (task: QueueTask) => {
    void compete(task, open).then((figures) => process.send?.(figures, () => process.exit()));
  });
}

async function compete(task: QueueTask, open: (task: QueueTask) => Promise<Queue>): Promise<QueueFigures> {
  const queue = await open(task);
  const sender = new QueueSender(task.databaseUrl, task.concurrency);
  await sender.createTable();
  await queue.add(jobs(task, task.warmUp));
  await drain(queue, sender, task.warmUp);
  await queue.add(jobs(task, task.count));
  await queue.query("vacuum analyze");
  await queue.query("checkpoint");
  sender.firstBeganAt = Number.POSITIVE_INFINITY;
  const cpu = () => [cpuSeconds(process.pid), cpuSecondsOfFamily(task.postmasterPid)] as const;
  const before = cpu();
  const endedAt = await drain(queue, sender, task.warmUp + task.count);
  const [node, postgres] = cpu().map((after, at) => difference(after, before[at] ?? null));
  const seconds = (endedAt - sender.firstBeganAt) / 1_000;
  const figures = { per_second: task.count / seconds, cpu: { node: node ?? null, postgres: postgres ?? null } };
  await sender.close();
  await queue.close();
  return figures;
}

/** Works until so many jobs have been answered and all are done; when that was (Date.now). */
async function drain(queue: Queue, sender: QueueSender, count: number): Promise<number> {
  const worker = await queue.work(sender);
  const giveUpAt = Date.now() + DRAIN_LIMIT_MS;
  while (sender.answered < count || !(await queue.isDone())) {
    if (Date.now() > giveUpAt) throw new Error(`${sender.answered} of ${count} jobs were sent in time`);
    await pause(POLL_MS);
  }
  const endedAt = Date.now();
  await worker.stop();
  return endedAt;
}

function jobs({ receiverUrl, body }: QueueTask, count: number): Job[] {
  return Array.from({ length: count }, (_, n) => ({
    webhookId: n % WEBHOOKS,
    eventId: randomUUID(),
    url: receiverUrl,
    body,
  }));
}
