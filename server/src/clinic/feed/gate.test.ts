import { expect, test } from "vitest";
import { FeedGate } from "./gate.ts";

/** Work that ends by hand, in the order in which it was begun. */
function slowWork() {
  const begun: { clinicId: number; end: (error?: unknown) => void }[] = [];
  const work = (clinicId: number) => () =>
    new Promise<string>((fulfil, reject) => {
      begun.push({ clinicId, end: (error) => (error === undefined ? fulfil("done") : reject(error)) });
    });
  return { begun, work };
}

/** Lets everything go on that can. */
const settled = () => new Promise((fulfil) => setImmediate(fulfil));

test("a clinic has two transactions at once and a node eight; the others wait, each clinic in its turn", async () => {
  const gate = new FeedGate();
  const { begun, work } = slowWork();
  const clinics = [1, 1, 1, 1, 2, 2, 3, 3, 4, 5];
  const results = clinics.map((clinicId) => gate.run(clinicId, work(clinicId)));
  expect(begun.map(({ clinicId }) => clinicId)).toEqual([1, 1, 2, 2, 3, 3, 4, 5]);
  for (let at = 0; at < clinics.length; at += 1) {
    begun[at]?.end();
    await settled();
  }
  expect(begun).toHaveLength(clinics.length);
  expect(await Promise.all(results)).toEqual(clinics.map(() => "done"));
});

test("when too many of a clinic wait its next one is turned away at once with 429, and other clinics go on", async () => {
  const gate = new FeedGate();
  const { begun, work } = slowWork();
  const taken = Array.from({ length: 102 }, () => gate.run(1, work(1)));
  await expect(gate.run(1, work(1))).rejects.toMatchObject({
    status: 429,
    code: "too_many_requests",
    retryAfterSeconds: 1,
  });
  const other = gate.run(2, work(2));
  begun.at(-1)?.end();
  expect(await other).toBe("done");
  for (let at = 0; at < 103; at += 1) {
    begun[at]?.end();
    await settled();
  }
  expect(await Promise.all(taken)).toHaveLength(102);
});

test("a place that fails is free again, and the failure goes to whoever asked", async () => {
  const gate = new FeedGate();
  const fail = () => Promise.reject(new Error("from the work"));
  for (let n = 0; n < 20; n += 1) await expect(gate.run(1, fail)).rejects.toThrow("from the work");
  expect(await gate.run(1, async () => "done")).toBe("done");
});
