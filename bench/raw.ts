/**
 * The yardstick: undici alone. A process that signs a body like Hookwell's and POSTs it, so many at once, again and again.
 * No database, no sealing, no rendering, nothing is kept: the fastest that this machine can send at all.
 */
import { type ChildProcess, fork } from "node:child_process";
import { generateSecret } from "@hookwell/sdk";
import { createSigner, type Signer } from "@hookwell/sdk/signature-node";
import { Agent, type Dispatcher } from "undici";
import { type BenchReceiver, machineMs } from "./receiver.ts";

/** As many as Hookwell opens to one origin: more were slower for this loop, too. */
const CONNECTIONS = 64;

export interface RawOptions {
  url: string;
  /** Of each request, in bytes. */
  body: string;
  concurrency: number;
  warmUp: number;
  count: number;
}

export interface RawFigures {
  per_second: number;
}

/** Sends `warmUp` requests that do not count and then `count` that do, in a process of its own. */
export async function measureRaw(receiver: BenchReceiver, options: Omit<RawOptions, "url">): Promise<RawFigures> {
  await receiver.reset({ record: false });
  const child = fork(import.meta.filename, ["send"]);
  const figures = await answerOf<RawFigures>(child, { ...options, url: receiver.url } satisfies RawOptions);
  const received = await receiver.count();
  if (received !== options.warmUp + options.count) throw new Error(`${received} raw requests arrived`);
  return figures;
}

/** Sends a forked process its task and returns what it answers; its end before that is an error. */
export async function answerOf<Answer>(child: ChildProcess, task: object): Promise<Answer> {
  const answered = Promise.withResolvers<Answer>();
  child.once("message", (message) => answered.resolve(message as Answer));
  child.once("exit", (code) => answered.reject(new Error(`the sending process ended with ${code}`)));
  child.send(task);
  return answered.promise;
}

async function send({ url, body, concurrency, warmUp, count }: RawOptions): Promise<RawFigures> {
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1 });
  const { origin, pathname } = new URL(url);
  const sign = createSigner(generateSecret());
  const loop = new Loop({ agent, origin, path: pathname, body, sign });
  await loop.run(warmUp, concurrency);
  const begun = machineMs();
  await loop.run(count, concurrency);
  const seconds = (machineMs() - begun) / 1_000;
  await agent.close();
  return { per_second: count / seconds };
}

interface LoopOptions {
  agent: Agent;
  origin: string;
  path: string;
  body: string;
  sign: Signer;
}

class Loop {
  readonly #options: LoopOptions;
  #sent = 0;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Sends `count` requests, each as soon as one of the `concurrency` before it has been answered. */
  run(count: number, concurrency: number): Promise<void> {
    const done = Promise.withResolvers<void>();
    let begun = 0;
    let ended = 0;
    const next = () => {
      if (begun < count) {
        begun += 1;
        this.#post(onEnd, done.reject);
      }
    };
    const onEnd = () => {
      ended += 1;
      if (ended === count) done.resolve();
      else next();
    };
    for (let n = 0; n < concurrency; n += 1) next();
    return done.promise;
  }

  #post(onEnd: () => void, onError: (error: Error) => void): void {
    const { agent, origin, path, body, sign } = this.#options;
    this.#sent += 1;
    const id = `msg_bench_${this.#sent}`;
    const timestampSeconds = Math.floor(Date.now() / 1_000);
    const headers = [
      ...["content-type", "application/json", "user-agent", "Hookwell-bench/1", "webhook-id", id],
      ...["webhook-timestamp", String(timestampSeconds), "webhook-signature", sign(id, timestampSeconds, body)],
      ...["webhook-attempt", "1", "webhook-subject", id],
    ];
    agent.dispatch({ origin, path, method: "POST", headers, body }, new Handler(onEnd, onError));
  }
}

class Handler implements Dispatcher.DispatchHandler {
  readonly #onEnd: () => void;
  readonly #onError: (error: Error) => void;
  #status = 0;

  constructor(onEnd: () => void, onError: (error: Error) => void) {
    this.#onEnd = onEnd;
    this.#onError = onError;
  }

  onRequestStart(): void {}
  onResponseStart(_controller: unknown, status: number): void {
    this.#status = status;
  }
  onResponseData(): void {}
  onResponseEnd(): void {
    if (this.#status === 200) this.#onEnd();
    else this.#onError(new Error(`the receiver answered ${this.#status}`));
  }
  onResponseError(_controller: unknown, error: Error): void {
    this.#onError(error);
  }
}

if (process.argv[2] === "send") {
  process.once("message", (task: RawOptions) => {
    void send(task).then((figures) => process.send?.(figures, () => process.exit()));
  });
}
