/**
 * The scheduler's work on imports: checks a file, or imports it, in one transaction.
 *
 * Promises: all or nothing; a crash leaves the import due as it was, and it starts anew; two nodes never do the same one; how
 * far it is can be seen meanwhile, since that is told from outside the transaction; what was imported is on record;
 * a stop of the process ends the work before its next statement, and neither that nor an outage of the database counts as a
 * failure.
 */
import { type KyselyPlugin, sql } from "kysely";
import { record } from "../../audit/audit.ts";
import { inClinic } from "../../db/pool.ts";
import type { Db, Tx } from "../../db/schema.ts";
import { type Log, logEvent } from "../../log.ts";
import { type DueContext, DueRowFailed, type DueWork } from "../due-work.ts";
import { readRows } from "./csv.ts";
import { ImportRun, Undone } from "./import-run.ts";
import { type ImportState, placeOfErrors, placeOfFile } from "./imports.ts";
import { type ImportKind, KINDS } from "./kinds.ts";
import { isOutage } from "./outage.ts";

const TELL_EVERY_MS = 250;
const TELL_AFTER_FAILURE_MS = 10_000;
/** A bug is not mended by trying for ever; then the manager is told. */
const FAILURES_MAX = 3;
const WAIT_AFTER_FAILURE_SECONDS = 10;

interface DueImport {
  readonly id: number;
  readonly kind: ImportKind;
  readonly state: "checking" | "importing";
  readonly sendEvents: boolean;
  readonly file: Buffer;
  readonly lines: number;
  readonly createdBy: string;
}

/** @param db for telling how far it is, on a connection of its own */
export function importWork(db: Db): DueWork {
  return {
    name: "imports",
    async runDue(tx, context, now) {
      const due = await takeDue(tx, context.clinicId, now);
      if (due === undefined) return 0;
      try {
        await workOn({ tx, context, db }, due);
      } catch (error) {
        // The row is not to blame: the scheduler comes back to it, less and less often, however long that lasts.
        if (isOutage(error)) throw error;
        throw new DueRowFailed(due.id, error);
      }
      return 1;
    },
    postpone,
  };
}

async function takeDue(tx: Tx, clinicId: number, now: Temporal.Instant): Promise<DueImport | undefined> {
  const row = await tx
    .selectFrom("imports")
    .select(["id", "kind", "state", "send_events as sendEvents", "file", "lines", "created_by as createdBy"])
    .where("clinic_id", "=", clinicId)
    .where("due_at", "<=", now)
    .orderBy("due_at")
    .limit(1)
    .forNoKeyUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { file, state } = row;
  if (file === null || (state !== "checking" && state !== "importing")) throw new Error(`import ${row.id} has no work`);
  return { ...row, file, state };
}

interface Work {
  readonly tx: Tx;
  readonly context: DueContext;
  readonly db: Db;
}

async function workOn({ tx, context, db }: Work, due: DueImport): Promise<void> {
  const { clinicId, outbox, log, signal } = context;
  const isCheck = due.state === "checking";
  const seal = await outbox.seal.forClinic(tx, clinicId);
  const rows = readRows(seal.open(placeOfFile(due.id), due.file));
  const run = new ImportRun(isCheck, { tell: teller({ db, log }, { clinicId, id: due.id, last: due.lines }), signal });
  const silent = !due.sendEvents;
  await sql`savepoint before_import`.execute(tx);
  try {
    await KINDS[due.kind].make(
      { tx: tx.withPlugin(endedBy(signal)), context: { clinicId, outbox, silent }, run },
      rows,
    );
  } catch (error) {
    if (!(error instanceof Undone)) throw error;
    await sql`rollback to savepoint before_import`.execute(tx);
  }
  const state = run.errorsCount > 0 ? "refused" : isCheck ? "ready" : "done";
  await finish(tx, { clinicId, id: due.id }, { state, run, seal: (text) => seal.seal(placeOfErrors(due.id), text) });
  const { records, events, errorsCount } = run;
  logEvent(log, "import.finished", { clinic_id: clinicId, reason: due.kind, state, count: records });
  if (isCheck) return;
  await record(tx, {
    clinicId,
    actor: due.createdBy,
    action: state === "done" ? "import.done" : "import.refused",
    target: `import:${due.id}`,
    before: null,
    after: { kind: due.kind, records, events: silent ? 0 : events, errors: errorsCount },
  });
}

/** Lets no statement begin once the process stops, wherever in the work that is. */
function endedBy(signal: AbortSignal): KyselyPlugin {
  return {
    transformQuery({ node }) {
      signal.throwIfAborted();
      return node;
    },
    transformResult: async ({ result }) => result,
  };
}

/** Tells how far it is, a few times a second. It is for show: where it fails, that is logged once and the work goes on. */
function teller(
  { db, log }: { db: Db; log: Log },
  { clinicId, id, last }: { clinicId: number; id: number; last: number },
) {
  let nextMs = performance.now() + TELL_EVERY_MS;
  let hasFailed = false;
  const tell = (done: number) =>
    inClinic(db, clinicId, (tx) =>
      tx
        .updateTable("import_progress")
        .set({ done_lines: done })
        .where("clinic_id", "=", clinicId)
        .where("import_id", "=", id)
        .execute(),
    );
  return async (done: number) => {
    if (performance.now() < nextMs && (done < last || hasFailed)) return;
    try {
      await tell(done);
      nextMs = performance.now() + TELL_EVERY_MS;
    } catch (err) {
      if (!hasFailed)
        logEvent(log, "import.progress_failed", { clinic_id: clinicId, reason: `import:${id}`, err }, "warn");
      hasFailed = true;
      nextMs = performance.now() + TELL_AFTER_FAILURE_MS;
    }
  };
}

interface Outcome {
  readonly state: Extract<ImportState, "refused" | "ready" | "done">;
  readonly run: ImportRun;
  readonly seal: (text: string) => Buffer;
}

async function finish(tx: Tx, key: { clinicId: number; id: number }, { state, run, seal }: Outcome): Promise<void> {
  const isOver = state !== "ready";
  await tx
    .updateTable("imports")
    .set({
      state,
      due_at: null,
      failures: 0,
      records_count: run.records,
      events_count: run.events,
      errors_count: run.errorsCount,
      errors:
        run.errors.length === 0
          ? null
          : seal(JSON.stringify(run.errors.toSorted((one, other) => one.line - other.line))),
      ...(isOver ? { file: null, finished_at: sql<Temporal.Instant>`now()` } : {}),
    })
    .where("clinic_id", "=", key.clinicId)
    .where("id", "=", key.id)
    .execute();
}

/** What fails by a bug is tried again a few times, and then ends: nothing was imported. */
async function postpone(
  tx: Tx,
  { clinicId }: DueContext,
  { rowId, now }: { readonly rowId: number; readonly now: Temporal.Instant },
): Promise<number> {
  const row = await tx
    .updateTable("imports")
    .set({
      failures: sql<number>`failures + 1`,
      state: sql<ImportState>`case when failures + 1 < ${FAILURES_MAX} then state else 'failed' end`,
      file: sql<Buffer | null>`case when failures + 1 < ${FAILURES_MAX} then file end`,
      due_at: sql<Temporal.Instant | null>`case when failures + 1 < ${FAILURES_MAX}
        then ${now}::timestamptz + make_interval(secs => ${WAIT_AFTER_FAILURE_SECONDS}) end`,
      finished_at: sql<Temporal.Instant | null>`case when failures + 1 < ${FAILURES_MAX} then null else now() end`,
    })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", rowId)
    .where("due_at", "<=", now)
    .returning("failures")
    .executeTakeFirst();
  return row?.failures ?? 0;
}
