/**
 * Imports: what a manager asked for, how far it is, what came of it.
 *
 * Owns the rows of `imports` and `import_progress`. Promises that the file, which holds patients' data, is sealed and gone as
 * soon as it is not needed any more, and that an import is checked before it changes anything. The work itself is done by
 * import-work.ts when the scheduler asks for it.
 */
import { sql } from "kysely";
import { record } from "../../audit/audit.ts";
import type { Tx } from "../../db/schema.ts";
import { conflict, notFound } from "../../errors.ts";
import type { OutboxContext } from "../../outbox/emit.ts";
import { checkFile } from "./csv.ts";
import type { LineError } from "./import-run.ts";
import { type ImportKind, KINDS } from "./kinds.ts";

/** Waiting and running together; one more would only wait longer. */
const UNFINISHED_MAX = 10;

export type ImportState = "checking" | "ready" | "refused" | "importing" | "done" | "failed" | "expired";

export interface NewImport {
  readonly kind: ImportKind;
  readonly csv: string;
  readonly sendEvents: boolean;
  /** False: what passes is imported at once. */
  readonly dryRun: boolean;
  /** The user's id. */
  readonly createdBy: string;
}

export interface ImportContext {
  readonly clinicId: number;
  readonly outbox: OutboxContext;
}

export interface ImportView {
  readonly id: number;
  readonly kind: ImportKind;
  readonly state: ImportState;
  readonly sendEvents: boolean;
  readonly lines: number;
  readonly doneLines: number;
  readonly records: number;
  readonly events: number;
  readonly errors: number;
  readonly createdAt: Temporal.Instant;
  readonly finishedAt: Temporal.Instant | null;
}

/** Takes a file in, to be checked by the scheduler. @throws ProblemError naming `csv` when it is no file of that kind */
export async function createImport(tx: Tx, { clinicId, outbox }: ImportContext, wanted: NewImport): Promise<number> {
  const lines = checkFile(wanted.csv, KINDS[wanted.kind].columns);
  await refuseTooMany(tx, clinicId);
  const { id } = await tx
    .insertInto("imports")
    .values({
      clinic_id: clinicId,
      kind: wanted.kind,
      state: wanted.dryRun ? "checking" : "importing",
      send_events: wanted.sendEvents,
      file: Buffer.alloc(0),
      lines,
      due_at: sql<Temporal.Instant>`now()`,
      created_by: wanted.createdBy,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  const seal = await outbox.seal.forClinic(tx, clinicId);
  const file = seal.seal(placeOfFile(id), wanted.csv);
  await tx.updateTable("imports").set({ file }).where("clinic_id", "=", clinicId).where("id", "=", id).execute();
  await tx.insertInto("import_progress").values({ clinic_id: clinicId, import_id: id }).execute();
  return id;
}

/** One at a time per clinic, so that uploads at once cannot pass the limit together. */
async function refuseTooMany(tx: Tx, clinicId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`imports of clinic ${clinicId}`}, 0))`.execute(tx);
  const { count } = await tx
    .selectFrom("imports")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("clinic_id", "=", clinicId)
    .where("file", "is not", null)
    .executeTakeFirstOrThrow();
  if (Number(count) < UNFINISHED_MAX) return;
  throw conflict(
    "too_many_imports",
    `At most ${UNFINISHED_MAX} files wait at once. Import those that were checked first.`,
  );
}

/** Where a file is sealed. */
export function placeOfFile(id: number) {
  return { column: "imports.file", row: String(id) } as const;
}

/** Where its errors are. */
export function placeOfErrors(id: number) {
  return { column: "imports.errors", row: String(id) } as const;
}

export interface StartImport {
  readonly id: number;
  readonly sendEvents?: boolean | undefined;
  /** The user's id. */
  readonly by: string;
}

/** Imports a file that was found good. Saying so twice is once. @throws ProblemError 404; 409 unless it was found good */
export async function startImport(tx: Tx, clinicId: number, { id, sendEvents, by }: StartImport): Promise<void> {
  const { state } = await getImport(tx, clinicId, id);
  if (state === "importing") return;
  if (state !== "ready") {
    throw conflict("import_not_ready", "Only a file that was checked and found good can be imported. Check it anew.");
  }
  const { numUpdatedRows } = await tx
    .updateTable("imports")
    .set({
      state: "importing",
      due_at: sql<Temporal.Instant>`now()`,
      ...(sendEvents === undefined ? {} : { send_events: sendEvents }),
    })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .where("state", "=", "ready")
    .executeTakeFirstOrThrow();
  // Somebody else was first, and this has waited for them. No import becomes ready twice.
  if (numUpdatedRows === 0n) return startImport(tx, clinicId, { id, sendEvents, by });
  await tx
    .updateTable("import_progress")
    .set({ done_lines: 0 })
    .where("clinic_id", "=", clinicId)
    .where("import_id", "=", id)
    .execute();
  const after = { send_events: sendEvents ?? null };
  await record(tx, { clinicId, actor: by, action: "import.started", target: `import:${id}`, before: null, after });
}

function selectImports(tx: Tx, clinicId: number) {
  return tx
    .selectFrom("imports as i")
    .innerJoin("import_progress as p", (join) =>
      join.onRef("p.clinic_id", "=", "i.clinic_id").onRef("p.import_id", "=", "i.id"),
    )
    .select([
      "i.id",
      "i.kind",
      "i.state",
      "i.send_events as sendEvents",
      "i.lines",
      "p.done_lines as doneLines",
      "i.records_count as records",
      "i.events_count as events",
      "i.errors_count as errors",
      "i.created_at as createdAt",
      "i.finished_at as finishedAt",
    ])
    .where("i.clinic_id", "=", clinicId);
}

/** @throws ProblemError 404 */
export async function getImport(tx: Tx, clinicId: number, id: number): Promise<ImportView> {
  return selectImports(tx, clinicId)
    .where("i.id", "=", id)
    .executeTakeFirstOrThrow(() => notFound("the import"));
}

export interface ListImports {
  readonly clinicId: number;
  /** The last id of the page before. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** The newest first. */
export async function listImports(tx: Tx, { clinicId, before, limit }: ListImports): Promise<ImportView[]> {
  let list = selectImports(tx, clinicId);
  if (before !== undefined) list = list.where("i.id", "<", before);
  return list.orderBy("i.id", "desc").limit(limit).execute();
}

/** What is wrong with the file, line by line; the first `ERRORS_MAX`. @throws ProblemError 404 */
export async function importErrors(tx: Tx, { clinicId, outbox }: ImportContext, id: number): Promise<LineError[]> {
  const { errors } = await tx
    .selectFrom("imports")
    .select("errors")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .executeTakeFirstOrThrow(() => notFound("the import"));
  if (errors === null) return [];
  const seal = await outbox.seal.forClinic(tx, clinicId);
  return JSON.parse(seal.open(placeOfErrors(id), errors)) as LineError[];
}
