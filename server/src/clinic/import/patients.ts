/** Patients from a file. A patient who is added sends nothing (contract §1). */
import { invalid } from "../../errors.ts";
import { cleanEmail, cleanName, fold } from "../names.ts";
import { addPatient } from "../people.ts";
import type { Column, Row } from "./csv.ts";
import type { ImportJob } from "./import-run.ts";

export const PATIENT_COLUMNS: readonly Column[] = [
  { name: "name", isNeeded: true, example: "Sam Sample" },
  { name: "email", isNeeded: false, example: "sam.sample@example.test" },
];

/** A name and address that are here already are refused, so that the same file cannot be imported twice by mistake. */
export async function importPatients({ tx, context, run }: ImportJob, rows: AsyncIterable<Row>): Promise<void> {
  const { clinicId } = context;
  const make = async (row: Row) => {
    const name = cleanName("name", row.value("name"));
    const email = cleanEmail("email", row.value("email"));
    let same = tx
      .selectFrom("patients")
      .select("id")
      .where("clinic_id", "=", clinicId)
      .where("name_folded", "=", fold(name));
    same = email === null ? same.where("email", "is", null) : same.where("email", "=", email);
    if ((await same.limit(1).executeTakeFirst()) !== undefined) {
      throw invalid(
        "name",
        "This patient is here already, or stands twice in the file. Remove the line.",
        "already_there",
      );
    }
    await addPatient(tx, clinicId, { name, email });
    return { events: 0 };
  };
  await run.each(rows, make, (field) => ({ column: field || null }));
  run.end();
}
