/**
 * /v1/imports: patients, consults and invoices from a file. A file is checked first; imported is what was found good, as a
 * whole, and nothing is sent unless that is asked for (contract §3 rule 8). The work is the scheduler's; a page asks how far
 * it is.
 */
import type { ServerResponse } from "node:http";
import { z } from "zod";
import { getClinic } from "../clinic/clinics.ts";
import { csvFile, FILE_MAX_BYTES, templateOf } from "../clinic/import/csv.ts";
import {
  createImport,
  getImport,
  type ImportView,
  importErrors,
  listImports,
  startImport,
} from "../clinic/import/imports.ts";
import { IMPORT_KINDS, KINDS } from "../clinic/import/kinds.ts";
import { DELIMITERS, ERROR_HEADERS, errorWords } from "../clinic/import/words.ts";
import { inClinic } from "../db/pool.ts";
import { notFound } from "../errors.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { LargeBodies } from "./large-bodies.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

/** JSON writes some characters of a file with more than one. */
const BODY_MAX_BYTES = 2 * FILE_MAX_BYTES;
/** In one process; each is in memory several times over while it is read. */
const BODIES_MAX = 4;
const CURSOR = z.tuple([z.int()]);
/** A file, not JSON. */
const CSV = { content: { "text/csv": { schema: z.string() } } };
const KIND = z.enum(IMPORT_KINDS);

const IMPORT = z.object({
  id: z.int(),
  kind: KIND,
  state: z.enum(["checking", "ready", "refused", "importing", "done", "failed", "expired"]),
  send_events: z.boolean(),
  lines: z.int().describe("Rows of the file, the header not counted."),
  done_lines: z.int().describe("How far the check or the import is."),
  records: z.int().describe("Records made, or that would be made."),
  events: z.int().describe("Events that come of it where sending is asked for."),
  errors: z.int(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
});

const NEW_IMPORT = z.strictObject({
  kind: KIND,
  csv: z.string().describe("The file's text, in UTF-8; at most 5 MiB and 20,000 lines."),
  send_events: z.boolean().optional().describe("False where absent: an import is silent."),
  dry_run: z.boolean().optional().describe("True where absent: the file is checked, and waits for `start`."),
});
const START = z.strictObject({ send_events: z.boolean().optional() }).nullish();
const LINE_ERROR = z.object({
  line: z.int().describe("The header is line 1."),
  column: z.string().nullable(),
  message: z.string(),
  code: z.string().nullable(),
});

export async function importsRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);
  readRoutes(app, context);
  errorRoutes(app, context);
  changeRoutes(app, context);
  templateRoute(app);
}

function readRoutes(app: App, { db }: ApiContext): void {
  const list = { querystring: PAGE_QUERY, response: { 200: pageOf(IMPORT) } };
  app.get("/imports", { schema: { summary: "List imports.", ...list } }, async ({ principal: { clinicId }, query }) => {
    const limit = query.limit ?? PAGE_DEFAULT_ROWS;
    const [before] = readCursor(query.cursor, CURSOR) ?? [];
    const rows = await inClinic(db, clinicId, (tx) => listImports(tx, { clinicId, before, limit: limit + 1 }));
    return toPage(rows, limit, { item: show, key: ({ id }) => [id] });
  });

  const one = { params: ID_PARAMS, response: { 200: IMPORT } };
  app.get(
    "/imports/:id",
    { schema: { summary: "Read how an import is getting on.", ...one } },
    async ({ principal: { clinicId }, params }) => {
      const id = readId(params.id, "import");
      return show(await inClinic(db, clinicId, (tx) => getImport(tx, clinicId, id)));
    },
  );
}

/** In the clinic's language, since a file is passed on to whoever mends it. */
function errorRoutes(app: App, { db, outbox }: ApiContext): void {
  const read = (clinicId: number, id: string) =>
    inClinic(db, clinicId, async (tx) => {
      const { locale } = await getClinic(tx, clinicId);
      const errors = await importErrors(tx, { clinicId, outbox }, readId(id, "import"));
      return { locale, errors: errors.map((error) => ({ ...error, message: errorWords(error, locale) })) };
    });

  const list = { params: ID_PARAMS, response: { 200: z.object({ data: z.array(LINE_ERROR) }) } };
  app.get(
    "/imports/:id/errors",
    { schema: { summary: "List what is wrong with the lines of an import.", ...list } },
    async ({ principal: { clinicId }, params }) => {
      return { data: (await read(clinicId, params.id)).errors };
    },
  );

  const file = { params: ID_PARAMS, response: { 200: CSV } };
  app.get(
    "/imports/:id/errors.csv",
    { schema: { summary: "Download what is wrong with the lines of an import as a CSV file.", ...file } },
    async ({ principal: { clinicId }, params }, reply) => {
      const { locale, errors } = await read(clinicId, params.id);
      const rows = errors.map(({ line, column, message }) => [line, column ?? "", message]);
      const text = csvFile([ERROR_HEADERS[locale], ...rows], DELIMITERS[locale]);
      return reply.type("text/csv; charset=utf-8").serializer(String).send(text);
    },
  );
}

function changeRoutes(app: App, context: ApiContext): void {
  const { outbox } = context;
  const bodies = new LargeBodies(BODIES_MAX);
  const create = {
    schema: {
      summary: "Check a CSV file of patients, consults or invoices, to import it.",
      body: NEW_IMPORT,
      response: { 202: IMPORT },
    },
    bodyLimit: BODY_MAX_BYTES,
    onRequest: async (_: unknown, { raw }: { raw: ServerResponse }) => bodies.enter(raw),
  };
  app.post("/imports", create, (request, reply) =>
    bodies.during(reply.raw, () =>
      command(request, reply, context, async (tx) => {
        const { clinicId, userId } = request.principal;
        const { kind, csv, send_events: sendEvents = false, dry_run: dryRun = true } = request.body;
        const wanted = { kind, csv, sendEvents, dryRun, createdBy: userId };
        const id = await createImport(tx, { clinicId, outbox }, wanted);
        return { status: 202, body: show(await getImport(tx, clinicId, id)) };
      }),
    ),
  );

  const start = { params: ID_PARAMS, body: START, response: { 202: IMPORT } };
  app.post(
    "/imports/:id/start",
    { schema: { summary: "Start an import that was checked.", ...start } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId, userId } = request.principal;
        const id = readId(request.params.id, "import");
        await startImport(tx, clinicId, { id, sendEvents: request.body?.send_events, by: userId });
        return { status: 202, body: show(await getImport(tx, clinicId, id)) };
      }),
  );
}

function templateRoute(app: App): void {
  const schema = { params: z.object({ kind: z.string() }), response: { 200: CSV } };
  app.get(
    "/imports/templates/:kind",
    { schema: { summary: "Download an empty CSV file to fill in.", ...schema } },
    async ({ params }, reply) => {
      const kind = KIND.safeParse(params.kind.replace(/\.csv$/, ""));
      if (!kind.success)
        throw notFound("the template", undefined, "There are those of patients, consults and invoices.");
      const text = templateOf(KINDS[kind.data].columns);
      return reply.type("text/csv; charset=utf-8").serializer(String).send(text);
    },
  );
}

function show(view: ImportView): z.infer<typeof IMPORT> {
  return {
    id: view.id,
    kind: view.kind,
    state: view.state,
    send_events: view.sendEvents,
    lines: view.lines,
    done_lines: view.doneLines,
    records: view.records,
    events: view.events,
    errors: view.errors,
    created_at: view.createdAt.toString(),
    finished_at: view.finishedAt?.toString() ?? null,
  };
}
