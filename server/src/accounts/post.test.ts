/** Letters on their way: whoever waits to hear what came of one always hears it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestMail, type TestMail } from "../../test/mail.ts";
import { until } from "../../test/until.ts";
import { silentLog } from "../log.ts";
import { LETTERS_WAITING_MAX, Post, type PostOutcome } from "./post.ts";

let mail: TestMail;
beforeAll(async () => {
  mail = await startTestMail();
});
afterAll(() => mail.close());

const letter = { subject: "S", text: "T", html: "<p>T</p>" };
const open = () => new Post(mail.sender, silentLog());
/** Collects what is heard of letters, by name. */
function ear() {
  const heard: Record<string, PostOutcome> = {};
  return {
    heard,
    of: (name: string) => async (outcome: PostOutcome) => {
      heard[name] = outcome;
    },
  };
}

describe("what came of a letter is told", () => {
  it("when it was sent, and when the work before it failed", async () => {
    const post = open();
    const { heard, of } = ear();
    post.later(async () => ({ to: "somebody@example.test", letter }), of("good"));
    post.later(async () => Promise.reject(new Error("the link is over")), of("bad"));
    await until("both are told", () => Object.keys(heard).length === 2);
    expect(heard).toEqual({ good: "sent", bad: "failed" });
    await post.close();
  });

  it("when there was no room for it, and at the end of the process for each that still waited", async () => {
    const post = open();
    const { heard, of } = ear();
    const held = Promise.withResolvers<null>();
    let begun = 0;
    const hold = () => {
      begun += 1;
      return held.promise;
    };
    while (begun < 4) post.later(hold);
    for (let count = 0; count < LETTERS_WAITING_MAX; count += 1) post.later(hold, of(`waiting ${count}`));
    post.later(hold, of("too many"));
    await until("it is told", () => heard["too many"] !== undefined);
    expect(heard).toEqual({ "too many": "failed" });
    const closed = post.close();
    held.resolve(null);
    await closed;
    expect(Object.values(heard)).toEqual(Array(LETTERS_WAITING_MAX + 1).fill("failed"));
    expect(begun).toBe(4);
    post.later(hold, of("too late"));
    await until("it is told", () => heard["too late"] === "failed");
  });

  it("once, even if whoever hears it fails", async () => {
    const post = open();
    let calls = 0;
    post.later(
      async () => ({ to: "somebody@example.test", letter }),
      async () => {
        calls += 1;
        throw new Error("the database is away");
      },
    );
    await until("it was told", () => calls > 0);
    await post.close();
    expect(calls).toBe(1);
  });
});
