/** Nothing is asked for a clinic that nobody watches. */
import { describe, expect, it } from "vitest";
import { until } from "../../test/until.ts";
import { Watch, type Watcher } from "./watch.ts";

const MARKS = { deliveries: "a", webhooks: "b", notices: "c" };

function watcher(clinicId: number, changed: Partial<Watcher> = {}) {
  const state = { seen: 0, ended: false };
  const one: Watcher = {
    ...{ clinicId, userId: "someone", mayStay: async () => true },
    see: () => {
      state.seen += 1;
      return true;
    },
    end: () => {
      state.ended = true;
    },
    ...changed,
  };
  return { one, state };
}

describe("the watch", () => {
  it("looks at a clinic once for all who watch it, and no more when the last has left", async () => {
    let reads = 0;
    const read = async () => {
      reads += 1;
      return MARKS;
    };
    const watch = new Watch({ read, onFailure: () => {}, pollMs: 1 });
    expect(watch.clinics).toBe(0);
    const [first, second] = [watcher(1), watcher(1)];
    const leave = [watch.enter(first.one), watch.enter(second.one)];
    await until("both have seen it often", async () => first.state.seen > 5 && second.state.seen > 5);
    expect(reads).toBeLessThan(first.state.seen + second.state.seen);
    for (const go of leave) go();
    expect(watch.clinics).toBe(0);
  });

  it("lets go whoever may not stay or does not read, and keeps the others", async () => {
    const watch = new Watch({ read: async () => MARKS, onFailure: () => {}, pollMs: 1 });
    const gone = [watcher(1, { mayStay: async () => false }), watcher(1, { see: () => false })];
    const stays = watcher(1);
    for (const { one } of [...gone, stays]) watch.enter(one);
    await until("they are gone", async () => gone.every(({ state }) => state.ended));
    expect([gone[0]?.state.seen, stays.state.ended]).toEqual([0, false]);
    watch.close();
    expect([stays.state.ended, watch.clinics]).toEqual([true, 0]);
  });

  it("lets a clinic's watchers go when the look fails, says so, and takes them again", async () => {
    let fails = true;
    const failures: number[] = [];
    const read = async () => {
      if (fails) throw new Error("the database is away");
      return MARKS;
    };
    const watch = new Watch({ read, onFailure: (_, clinicId) => failures.push(clinicId), pollMs: 1 });
    const first = watcher(7);
    watch.enter(first.one);
    await until("it was let go", async () => first.state.ended);
    expect([failures, watch.clinics]).toEqual([[7], 0]);
    fails = false;
    const again = watcher(7);
    watch.enter(again.one);
    await until("it is back", async () => again.state.seen > 0);
    watch.close();
  });

  it("has room for so many of a person, of a clinic, and no one while it closes", () => {
    const watch = new Watch({ read: async () => MARKS, onFailure: () => {} });
    for (let at = 0; at < 4; at += 1) watch.enter(watcher(1).one);
    expect(() => watch.enter(watcher(1).one)).toThrow(/4 windows/);
    for (let at = 4; at < 50; at += 1) watch.enter(watcher(1, { userId: `person ${at}` }).one);
    expect(() => watch.enter(watcher(1, { userId: "one more" }).one)).toThrow(/Too many people/);
    watch.enter(watcher(2).one);
    watch.close();
    expect(() => watch.enter(watcher(3).one)).toThrow(/stopping/);
  });
});
