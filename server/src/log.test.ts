import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createLog, type LogFields, logEvent } from "./log.ts";

const CANARY = "Quillon Testperson";

function captured() {
  const lines: string[] = [];
  const log = createLog({ destination: { write: (line: string) => void lines.push(line) } });
  return { log, text: () => lines.join(""), last: () => JSON.parse(lines.at(-1) ?? "null") as Record<string, unknown> };
}

test("a line carries its event, time, level and allowed keys", () => {
  const { log, last } = captured();
  logEvent(log, "delivery.attempted", { clinic_id: 1, webhook_id: 2, outcome: "answered" }, "warn");
  expect(last()).toEqual({
    event: "delivery.attempted",
    level: "warn",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    clinic_id: 1,
    webhook_id: 2,
    outcome: "answered",
  });
});

test("keys outside the allow-list are dropped, whichever way they come", () => {
  const { log, text } = captured();
  logEvent(log, "a.b", { name: CANARY, clinic_id: 1 } as LogFields);
  log.info({ body: CANARY, req: { url: CANARY } }, "a.b");
  log.child({ patient: CANARY }).info("a.b");
  log.child({ clinic_id: 7 }).info("a.b");
  expect(text()).not.toContain(CANARY);
  expect(text()).toContain('"clinic_id":7');
});

test("an allowed key takes no objects, and no long texts", () => {
  const { log, last } = captured();
  logEvent(log, "a.b", { reason: { inner: CANARY } } as unknown as LogFields);
  expect(last()).not.toHaveProperty("reason");
  logEvent(log, "a.b", { reason: "x".repeat(5_000) });
  expect(last().reason).toBe("x".repeat(200));
});

test("an error leaves its kind, its code and its places, and never its message", () => {
  const { log, text, last } = captured();
  const err = Object.assign(new TypeError(`invalid input: ${CANARY}\n  and ${CANARY}`), {
    code: "22P02",
    detail: CANARY,
  });
  const outer = new Error(CANARY, { cause: err });
  logEvent(log, "a.b", { err }, "error");
  log.error(err);
  log.error({ err });
  log.error(outer, "a.b");
  expect(last().err).toMatchObject({
    kind: "Error",
    at: [expect.stringContaining("log.test.ts"), ...Array(7).fill(expect.any(String))],
    cause: { kind: "TypeError", code: "22P02" },
  });
  expect(text()).not.toContain(CANARY);
});

test("a file is for this user only", async () => {
  const folder = await mkdtemp(join(tmpdir(), "hookwell-log-"));
  const file = join(folder, "deeper", "hookwell.log");
  const log = createLog({ destination: { file } });
  logEvent(log, "server.started", { port: 4400 });
  await expect.poll(() => readFile(file, "utf8")).toContain('"event":"server.started"');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await rm(folder, { recursive: true });
});
