import { describe, expect, it } from "vitest";
import { coversShown, isJoined, reread, rowsOf, shownPages, withReread } from "./pages.ts";

/** Row 9 stands above row 8; ids of events rise with time. */
const row = (event: number, { state = "waiting", webhook = 1, part = 0 } = {}) => ({
  ...{ id: `${event}/${webhook}/${part}`, event_id: `0${event}`, webhook: { id: webhook }, part, state },
});
const page = (events: number[], next_cursor: string | null = `after ${events.at(-1)}`) => ({
  data: events.map((event) => row(event)),
  next_cursor,
});
const ids = (rows: { id: string }[]) => rows.map(({ id }) => Number(id.split("/")[0]));

describe("a page that was read again", () => {
  it("has what is new above, and keeps what has been pushed off its end", () => {
    const now = reread(page([5, 4, 3]), page([7, 6, 5]));
    expect(ids(now.data)).toEqual([7, 6, 5, 4, 3]);
    expect(now.next_cursor).toBe("after 3");
  });

  it("loses what no longer fits the filter, and may reach over the next page", () => {
    const now = reread(page([5, 4, 3]), page([5, 3, 2]));
    expect(ids(now.data)).toEqual([5, 3, 2]);
    expect(now.next_cursor).toBe("after 2");
    expect(ids(rowsOf([now, page([2, 1])]))).toEqual([5, 3, 2, 1]);
  });

  it("is all there is, when nothing follows", () => {
    expect(reread(page([5, 4, 3]), page([5, 4], null)).data).toHaveLength(2);
    expect(reread(page([5, 4, 3]), page([], null)).data).toEqual([]);
  });

  it("goes by webhook and part where the event is the same", () => {
    const before = {
      data: [row(5, { webhook: 10 }), row(5, { webhook: 9, part: 1 }), row(5, { webhook: 9 })],
      next_cursor: "x",
    };
    const now = { data: [row(5, { webhook: 10 }), row(5, { webhook: 9, part: 1 })], next_cursor: "y" };
    expect(reread(before, now).data).toEqual(before.data);
  });
});

describe("what was read from the top", () => {
  it("is joined to what was known where it reaches it, or has reached the end", () => {
    expect(isJoined(page([5, 4]), page([7, 6, 5]))).toBe(true);
    expect(isJoined(page([5, 4]), page([7, 6]))).toBe(false);
    expect(isJoined(page([5, 4]), page([7, 6], null))).toBe(true);
    expect(isJoined(page([], null), page([7, 6]))).toBe(true);
  });
});

describe("what new rows have pushed down", () => {
  // Read as 5, 4, 3 at first; 7 and 6 came in above.
  const before = page([7, 6, 5, 4, 3]);

  it("is read again as far as it is in sight, and not beyond", () => {
    expect(coversShown(before, page([7, 6, 5]), ["4/1/0", "3/1/0"])).toBe(false);
    expect(coversShown(before, page([7, 6, 5, 4, 3]), ["4/1/0", "3/1/0"])).toBe(true);
    expect(coversShown(before, page([7, 6, 5]), ["6/1/0", "5/1/0"])).toBe(true);
    expect(coversShown(before, page([9, 8]), [])).toBe(false);
    expect(coversShown(before, page([9, 8, 7]), ["1/1/0"])).toBe(true);
  });
});

describe("the pages in sight", () => {
  const all = { pages: [page([9, 8]), page([7, 6]), page([5, 4])], pageParams: [null, "after 8", "after 6"] };

  it("are those of the rows in sight, but the first, which is read anyhow", () => {
    expect(shownPages(all, ["8/1/0", "6/1/0"])).toEqual(["after 8"]);
    expect(shownPages(all, [])).toEqual([]);
  });

  it("take their places, and leave the others as they were", () => {
    const again = { data: [row(7, { state: "delivered" }), row(6)], next_cursor: "after 6" };
    const now = withReread(all, new Map([["after 8", again]]));
    expect(now.pages).toEqual([all.pages[0], again, all.pages[2]]);
    expect(withReread(all, new Map([["gone", again]])).pages).toEqual(all.pages);
  });
});
