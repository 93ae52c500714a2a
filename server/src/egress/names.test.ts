/** Look-ups: how long an answer is kept, how many go out at once, and that none waits for ever or on libuv's threads. */
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createNameServer, type NameServer } from "../../test/name-server.ts";
import { until } from "../../test/until.ts";
import { fixedClock } from "../clock.ts";
import { ANSWER_KEPT_MS_MAX, LOOKUPS_AT_ONCE_MAX, LOOKUPS_WAITING_MAX, Names, NO_ANSWER_KEPT_MS } from "./names.ts";

let server: NameServer;
const clock = fixedClock("2026-01-15T12:00:00Z");
beforeEach(async () => {
  server = await createNameServer({ "hooks.example.test": ["192.0.2.1"] });
});
afterEach(() => server.close());

const open = (lookupMs?: number) =>
  new Names({ nameServers: [server.address], monotonicMs: clock.monotonicMs, ...(lookupMs && { lookupMs }) });
/** Two questions, one for each family, are one look-up. */
const lookUps = () => server.asked.length / 2;

describe("an answer", () => {
  test("is asked for at each look-up where the name says that it must not be kept", async () => {
    const names = open();
    expect(await names.addressesOf("hooks.example.test")).toEqual(["192.0.2.1"]);
    server.names["hooks.example.test"] = ["192.0.2.2", "2001:db8::2"];
    expect(await names.addressesOf("hooks.example.test")).toEqual(["192.0.2.2", "2001:db8::2"]);
    expect(lookUps()).toBe(2);
  });

  test("is kept for two seconds at most, however long the name says it may be", async () => {
    server.ttlSeconds = 86_400;
    const names = open();
    await names.addressesOf("hooks.example.test");
    server.names["hooks.example.test"] = ["192.0.2.2"];
    clock.advance({ milliseconds: ANSWER_KEPT_MS_MAX - 1 });
    expect(await names.addressesOf("hooks.example.test")).toEqual(["192.0.2.1"]);
    clock.advance({ milliseconds: 1 });
    expect(await names.addressesOf("hooks.example.test")).toEqual(["192.0.2.2"]);
    expect(lookUps()).toBe(2);
  });

  test("that there is no such name is kept for one second", async () => {
    const names = open();
    const missing = () => names.addressesOf("missing.example.test").catch((error: { kind: string }) => error.kind);
    expect(await missing()).toBe("name_not_found");
    server.names["missing.example.test"] = ["192.0.2.3"];
    clock.advance({ milliseconds: NO_ANSWER_KEPT_MS - 1 });
    expect(await missing()).toBe("name_not_found");
    clock.advance({ milliseconds: 1 });
    expect(await missing()).toEqual(["192.0.2.3"]);
  });

  test("that does not come is waited for until the look-up's own deadline, and not remembered", async () => {
    server.isSilent = true;
    const names = open(50);
    await expect(names.addressesOf("hooks.example.test")).rejects.toMatchObject({ kind: "timed_out" });
    server.isSilent = false;
    expect(await names.addressesOf("hooks.example.test")).toEqual(["192.0.2.1"]);
  });
});

describe("look-ups at once", () => {
  test("of one name are one", async () => {
    const names = open();
    await Promise.all(Array.from({ length: 500 }, () => names.addressesOf("hooks.example.test")));
    expect(lookUps()).toBe(1);
  });

  test(`are ${LOOKUPS_AT_ONCE_MAX} names, and ${LOOKUPS_WAITING_MAX} wait; whoever comes then is turned away`, async () => {
    server.isSilent = true;
    const names = open();
    const ask = (n: number) => names.addressesOf(`n${n}.example.test`).catch((error: { kind: string }) => error.kind);
    const all = LOOKUPS_AT_ONCE_MAX + LOOKUPS_WAITING_MAX;
    for (let n = 0; n < all; n++) void ask(n);
    await until("all places are taken", () => lookUps() >= LOOKUPS_AT_ONCE_MAX);
    expect(await ask(all)).toBe("timed_out");
    expect(new Set(server.asked).size).toBe(LOOKUPS_AT_ONCE_MAX);
  });

  test("that hang hold none of libuv's threads, which others need", async () => {
    server.isSilent = true;
    const names = open();
    for (let n = 0; n < 64; n++) names.addressesOf(`n${n}.example.test`).catch(() => {});
    await until("they are under way", () => lookUps() >= 64);
    // Reading a file takes such a thread, and there are four.
    expect((await readFile(import.meta.filename)).length).toBeGreaterThan(0);
  });
});
