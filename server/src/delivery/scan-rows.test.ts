/** Numbers of a scan are what the database holds, or an error. */
import { expect, test } from "vitest";
import { type ScanRow, toScan } from "./scan-rows.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;
/** As the database's text is read. */
const rowOf = (id: string, fence: string, runFence: string): ScanRow =>
  JSON.parse(`{"scan": {"runs": [{"clinic_id": 1, "webhook_id": 1, "fence": ${runFence}}], "waiting": null, "contents": null,
    "begun": [{"clinic_id": 1, "webhook_id": 1, "id": ${id}, "fence": ${fence}, "event_id": "e"}]}}`);

test("an id or a fence beyond 2^53 - 1 is refused, and the largest one below is read", () => {
  const scan = toScan(rowOf(String(LARGEST), "2", "3"));
  expect([scan.begun[0]?.id, scan.begun[0]?.fence, scan.runs[0]?.fence]).toEqual([LARGEST, 2, 3]);
  const beyond = "9007199254740993";
  for (const row of [rowOf(beyond, "2", "3"), rowOf("1", beyond, "3"), rowOf("1", "2", beyond)])
    expect(() => toScan(row)).toThrow("beyond 2^53 - 1");
});
