/** What a stream says is heard whatever pieces it comes in, and no more of it is kept than there may be. */
import { describe, expect, it } from "vitest";
import { readServerEvents, type ServerEvent } from "./server-events.ts";

async function read(
  ...chunks: (string | Uint8Array<ArrayBuffer>)[]
): Promise<{ events: ServerEvent[]; retries: number[] }> {
  const events: ServerEvent[] = [];
  const retries: number[] = [];
  const bytes = chunks.map((chunk) => (typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk));
  const reading = { onEvent: (event: ServerEvent) => events.push(event), onRetry: (ms: number) => retries.push(ms) };
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const chunk of bytes) controller.enqueue(chunk);
      controller.close();
    },
  });
  await readServerEvents(body, reading);
  return { events, retries };
}

const SAID = 'retry: 1500\n\n:\n\nid: a.b.c\nevent: changed\ndata: {"topics":["deliveries"]}\n\n';
const HEARD = {
  events: [{ id: "a.b.c", event: "changed", data: '{"topics":["deliveries"]}' }],
  retries: [1_500],
};

describe("events of the server", () => {
  it("are the same wherever the pieces are cut, and with any kind of line's end", async () => {
    for (const said of [SAID, SAID.replaceAll("\n", "\r\n"), SAID.replaceAll("\n", "\r")]) {
      for (let at = 0; at <= said.length; at += 1) expect(await read(said.slice(0, at), said.slice(at))).toEqual(HEARD);
      expect(await read(...said)).toEqual(HEARD);
    }
  });

  it("keep a letter whose bytes come in two pieces", async () => {
    const bytes = new TextEncoder().encode("data: Québec 🇨🇦\n\n");
    for (let at = 0; at <= bytes.length; at += 1) {
      const { events } = await read(bytes.slice(0, at), bytes.slice(at));
      expect(events).toEqual([{ event: "message", data: "Québec 🇨🇦", id: undefined }]);
    }
  });

  it("join their lines of data; what is no field is passed over, and so is what the end cut off", async () => {
    const { events } = await read("data: one\ndata:two\nnothing: of ours\n: a comment\n\ndata: cut");
    expect(events).toEqual([{ event: "message", data: "one\ntwo", id: undefined }]);
  });

  it("end with an error where a line, or an event, goes on for longer than one may", async () => {
    const long = "x".repeat(9_000);
    await expect(read(`data: ${long}`, long)).rejects.toThrow(/max buffer size/);
    await expect(read(`data: ${long}\n`, `data: ${long}\n`)).rejects.toThrow(/max buffer size/);
    expect((await read(`data: ${long}\n\n`, `data: ${long}\n\n`)).events).toHaveLength(2);
  });

  it("end with what the connection failed with", async () => {
    const failing = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => controller.error(new Error("cut")),
    });
    await expect(readServerEvents(failing, { onEvent: () => {}, onRetry: () => {} })).rejects.toThrow("cut");
  });
});
