/**
 * The audit trail as a file, CSV or JSON, with the list's filters. It is written as it is read, so that its length costs no
 * memory; the trail is append-only, so that pages read one after another make one whole. That it was exported stands in it.
 */
import { Readable } from "node:stream";
import { z } from "zod";
import { record } from "../audit/audit.ts";
import { countTrail, listTrail, type TrailFilter } from "../audit/trail.ts";
import { getClinic } from "../clinic/clinics.ts";
import { csvFile } from "../clinic/import/csv.ts";
import { inClinic } from "../db/pool.ts";
import { invalid } from "../errors.ts";
import {
  AUDIT_ENTRY,
  type NamedEntry,
  readFilter,
  showEntry,
  TRAIL_FILTERS,
  type TrailQuery,
  withTargetNames,
} from "./audit-shapes.ts";
import type { ApiContext } from "./context.ts";
import { perPersonAndMinute } from "./person-limits.ts";
import type { App } from "./server.ts";

const EXPORT_ENTRIES_MAX = 100_000;
/** Of one person and each kind of file. */
const EXPORTS_PER_MINUTE_MAX = 10;
const PAGE_ENTRIES = 1_000;

const COLUMNS = [
  "sequence",
  "at",
  "actor",
  "actor_name",
  "origin",
  "action",
  "target",
  "target_name",
  "before",
  "after",
];
const QUERY = z.strictObject(TRAIL_FILTERS);

export function exportRoutes(app: App, context: ApiContext): void {
  const config = perPersonAndMinute(EXPORTS_PER_MINUTE_MAX);
  const asCsv = { querystring: QUERY, response: { 200: { content: { "text/csv": { schema: z.string() } } } } };
  app.get(
    "/audit/export.csv",
    { schema: { summary: "Download the history as a CSV file.", ...asCsv }, config },
    async ({ principal, query }, reply) => {
      const { pages, timeZone, delimiter } = await begin(context, principal, query);
      const file = Readable.from(csv(pages, { timeZone, delimiter }));
      return reply
        .type("text/csv; charset=utf-8")
        .header(...attachment("csv"))
        .serializer(String)
        .send(file as never);
    },
  );

  const asJson = { querystring: QUERY, response: { 200: z.array(AUDIT_ENTRY) } };
  app.get(
    "/audit/export.json",
    { schema: { summary: "Download the history as a JSON file.", ...asJson }, config },
    async ({ principal, query }, reply) => {
      const { pages, timeZone } = await begin(context, principal, query);
      const file = Readable.from(json(pages, timeZone));
      return reply
        .type("application/json; charset=utf-8")
        .header(...attachment("json"))
        .send(file as never);
    },
  );
}

function attachment(kind: "csv" | "json"): [string, string] {
  return ["content-disposition", `attachment; filename="audit.${kind}"`];
}

interface Begun {
  readonly pages: AsyncGenerator<NamedEntry[]>;
  readonly timeZone: string;
  readonly delimiter: "," | ";";
}

/** Refuses what is too much and notes the export, before the first byte leaves. */
async function begin(
  { db }: ApiContext,
  { clinicId, userId: actor }: { clinicId: number; userId: string },
  query: TrailQuery,
): Promise<Begun> {
  return inClinic(db, clinicId, async (tx) => {
    const { timeZone, locale } = await getClinic(tx, clinicId);
    const filter = readFilter(query, { clinicId, timeZone });
    const entries = await countTrail(tx, filter, EXPORT_ENTRIES_MAX + 1);
    if (entries > EXPORT_ENTRIES_MAX) {
      throw invalid("from_date", `A file holds at most ${EXPORT_ENTRIES_MAX} entries. Choose fewer days.`, "too_many");
    }
    const after = { entries, filter: query };
    await record(tx, { clinicId, actor, action: "audit.exported", target: "audit", before: null, after });
    return { pages: readPages(db, filter), timeZone, delimiter: locale === "fr-CA" ? ";" : "," };
  });
}

/** Newest first. A file that grew beyond its limit meanwhile ends there. */
async function* readPages(db: ApiContext["db"], filter: TrailFilter): AsyncGenerator<NamedEntry[]> {
  let beforeSequence: number | null = null;
  for (let read = 0; read < EXPORT_ENTRIES_MAX; read += PAGE_ENTRIES) {
    const page = await readPage(db, filter, beforeSequence);
    if (page.length > 0) yield page;
    if (page.length < PAGE_ENTRIES) return;
    beforeSequence = page.at(-1)?.sequence ?? null;
  }
}

function readPage(db: ApiContext["db"], filter: TrailFilter, beforeSequence: number | null): Promise<NamedEntry[]> {
  const { clinicId } = filter;
  return inClinic(db, clinicId, async (tx) =>
    withTargetNames(tx, clinicId, await listTrail(tx, filter, { beforeSequence, limit: PAGE_ENTRIES })),
  );
}

async function* csv(
  pages: AsyncIterable<NamedEntry[]>,
  { timeZone, delimiter }: Pick<Begun, "timeZone" | "delimiter">,
): AsyncGenerator<string> {
  yield csvFile([COLUMNS], delimiter);
  for await (const page of pages) {
    const rows = page.map((entry) => {
      const { actor, before: _before, after: _after, ...shown } = showEntry(entry, timeZone);
      const cells = { ...shown, actor: actor.id, actor_name: actor.name, before: entry.before, after: entry.after };
      return COLUMNS.map((column) => cells[column as keyof typeof cells] ?? "");
    });
    // Only the file's first line carries the mark that says how it is written.
    yield csvFile(rows, delimiter).replace(/^\uFEFF/, "");
  }
}

async function* json(pages: AsyncIterable<NamedEntry[]>, timeZone: string): AsyncGenerator<string> {
  let between = "[";
  for await (const page of pages) {
    for (const entry of page) {
      yield `${between}${JSON.stringify(showEntry(entry, timeZone))}`;
      between = ",\n";
    }
  }
  yield between === "[" ? "[]" : "]";
}
