/**
 * Subjects whose delivery is refused again and again, beside others of the same webhook, under load: the others go past them, and
 * nothing of a blocked subject overtakes what it waits for (engine.md: order per subject without head-of-line blocking).
 */
import { expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import type { TestEngine } from "../../test/engine.ts";
import { withOwnClinic } from "../../test/own-clinic.ts";
import type { Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";

const SUBJECTS = 150;
const BLOCKED = 30;
const EACH = 3;
const EVENTS = ["participant.added", "consult.updated", "participant.removed"] as const;

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;

withOwnClinic((own) => {
  ({ engine, receiver, clinicId } = own);
});

const numberOf = (subject: unknown) => Number(String(subject).replace("consult:", ""));
const isBlocked = (subject: unknown) => numberOf(subject) <= BLOCKED;

/** The versions that were taken of a subject, in the order in which they were. */
function takenOf(subject: string, taken: readonly [string, number][]): number[] {
  return taken.filter(([of]) => of === subject).map(([, version]) => version);
}

test("a fifth of a webhook's subjects blocked hold up none of the others, while events go on coming", async () => {
  await engine.createWebhook(clinicId, { url: receiver.url, concurrency: 8, pacePerSecond: 1_000 });
  const taken: [string, number][] = [];
  const refused: number[] = [];
  let isMended = false;
  receiver.answer = (got, response) => {
    const subject = String(got.headers["webhook-subject"]);
    const version = Number(got.headers["webhook-subject-version"]);
    const isRefused = !isMended && isBlocked(subject);
    if (isRefused) refused.push(version);
    else taken.push([subject, version]);
    response.writeHead(isRefused ? 422 : 200).end(); // it lives, and does not like this one
  };
  await engine.startDispatcher({ random: () => 0.5 });
  const subjects = Array.from({ length: SUBJECTS }, (_, n) => `consult:${n + 1}`);
  for (const event of EVENTS) for (const subject of subjects) await engine.emit(clinicId, subject, event);
  await until("all the others have arrived", () => taken.length === (SUBJECTS - BLOCKED) * EACH);
  for (const subject of subjects.slice(BLOCKED)) expect(takenOf(subject, taken)).toEqual([1, 2, 3]);
  await until("all that is blocked has been tried", () => refused.length >= BLOCKED);
  expect(new Set(refused)).toEqual(new Set([1])); // nothing of a blocked subject went past what it waits for
  isMended = true;
  await until("nothing is left", async () => {
    await engine.bringDue();
    return (await clinicLog(engine.owner, () => clinicId).hot()).length === 0;
  });
  for (const subject of subjects.slice(0, BLOCKED)) expect(takenOf(subject, taken)).toEqual([1, 2, 3]);
  const { rows } = await engine.owner.query(
    "select count(distinct sequence)::int as numbers, max(sequence)::int as last from finished_deliveries where clinic_id = $1",
    [clinicId],
  );
  expect(rows).toEqual([{ numbers: SUBJECTS * EACH, last: SUBJECTS * EACH }]);
});
