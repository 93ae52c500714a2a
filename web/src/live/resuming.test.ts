/** A stream that ends is taken up again where it was: soon, ever later while there is none, and not once it is stopped. */
import { describe, expect, it } from "vitest";
import { ProblemError } from "../api/call.ts";
import { HandClock } from "./hand-clock.ts";
import { Resuming } from "./resuming.ts";

type Body = ReadableStream<Uint8Array<ArrayBuffer>>;

/** What one try to open it comes to: what is said before the end, or a refusal; "stays" does not end. */
type Try = string | Error;
const STAYS = "retry: 500\n\nid: stays\ndata: stays\n\n";

function bodyOf(said: string): Body {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(said));
      if (said !== STAYS) controller.close();
    },
  });
}

function begin(...tries: readonly Try[]) {
  const clock = new HandClock();
  const asked: (string | undefined)[] = [];
  const heard: string[] = [];
  const [stopping, ends] = [new AbortController(), [] as number[]];
  const open = async (lastId: string | undefined): Promise<Body> => {
    asked.push(lastId);
    const next = tries[asked.length - 1] ?? STAYS;
    if (next instanceof Error) throw next;
    return bodyOf(next);
  };
  const source = {
    open,
    onEvent: ({ data }: { data: string }) => heard.push(data),
    onEnd: () => ends.push(clock.nowMs()),
  };
  const resuming = new Resuming(source, clock);
  const done = resuming.listen(stopping.signal);
  /** Waits until it pauses, and lets that time pass; tells how long it was, in milliseconds. */
  const pause = async (): Promise<number> => {
    await expect.poll(() => clock.waits).toHaveLength(1);
    const [ms = Number.NaN] = clock.waits;
    clock.pass(ms);
    return ms;
  };
  return { clock, asked, heard, ends, resuming, stopping, done, pause };
}

const away = () => new ProblemError({ status: 0, code: "no_connection", message: "" });
const refused = () => new ProblemError({ status: 503, code: "too_many_streams", message: "" });

describe("a stream", () => {
  it("is asked for again after the time that the server has named, with the id of what was heard last", async () => {
    const { asked, heard, pause } = begin(
      "retry: 1234\n\nid: one\ndata: 1\n\nid: two\ndata: 2\n\ndata: no id\n\n",
      "data: 3\n\n",
    );
    expect(await pause()).toBe(1_234);
    expect(await pause()).toBe(1_234);
    await expect.poll(() => heard).toEqual(["1", "2", "no id", "3", "stays"]);
    expect(asked).toEqual([undefined, "two", "two"]);
  });

  it("is asked for ever later while nobody answers or nothing is said, and soon again after it stood", async () => {
    const tries = [
      "retry: 1000\n\nid: one\ndata: 1\n\n",
      away(),
      "",
      new TypeError("cut"),
      away(),
      away(),
      away(),
      away(),
      "data: 2\n\n",
    ];
    const { asked, pause, ends, heard } = begin(...tries);
    const waits: number[] = [];
    for (const _ of tries) waits.push(await pause());
    expect(waits).toEqual([1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 1_000]);
    await expect.poll(() => heard).toEqual(["1", "2", "stays"]);
    expect(new Set(asked.slice(1))).toEqual(new Set(["one"]));
    expect(ends).toHaveLength(tries.length);
  });

  it("that is refused is asked for again in a minute", async () => {
    const { pause, asked } = begin(refused());
    expect(await pause()).toBe(60_000);
    await expect.poll(() => asked).toHaveLength(2);
  });

  it("is not asked for again when it is stopped while it waits", async () => {
    const waiting = begin(away());
    await expect.poll(() => waiting.clock.waits).toHaveLength(1);
    waiting.stopping.abort();
    await waiting.done;
    expect([waiting.clock.waits, waiting.asked.length]).toEqual([[], 1]);
  });

  it("goes on by the same id after it was stopped, as in a window that was hidden", async () => {
    const { clock, asked, heard, resuming, stopping, done } = begin("id: one\ndata: 1\n\n");
    await expect.poll(() => clock.waits).toHaveLength(1);
    stopping.abort();
    await done;
    void resuming.listen(new AbortController().signal);
    await expect.poll(() => heard).toEqual(["1", "stays"]);
    expect(asked).toEqual([undefined, "one"]);
  });
});
