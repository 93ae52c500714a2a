/** Imports from a file: checked first, all or nothing, silent unless asked, and told how far they are. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { until } from "../../test/until.ts";
import { csvFile } from "../clinic/import/csv.ts";
import { importWork } from "../clinic/import/import-work.ts";
import { silentLog } from "../log.ts";
import { runMaintenance } from "../maintenance.ts";
import { Scheduler } from "../scheduler/scheduler.ts";

let api: TestApi;
let clinic: TestClinic;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

/** A clinic of its own for each of a group's tests. */
const withClinics = () =>
  beforeEach(async () => {
    clinic = await api.newClinic();
  });

const post = (path: string, body: unknown = {}) => clinic.as.manager(path, { method: "POST", body });
const get = async (path: string) => (await clinic.as.manager(path)).json;

function scheduler(): Scheduler {
  const { db, context } = api;
  return new Scheduler({ db, outbox: context.outbox, log: silentLog(), works: [importWork(db)], nudge: () => {} });
}

async function schedule(): Promise<void> {
  await scheduler().runOnce();
}

/** While `work` runs, such changes fail with this SQLSTATE. */
async function failing(change: string, state: string, work: () => Promise<void>): Promise<void> {
  const [, table] = change.split(" on ");
  const { owner } = api.database.pools;
  await owner.query(`create function fail_on_purpose() returns trigger language plpgsql
    as $$ begin raise exception 'on purpose' using errcode = '${state}'; end $$`);
  await owner.query(`create trigger fail_on_purpose before ${change}
    for each row execute function fail_on_purpose()`);
  try {
    await work();
  } finally {
    await owner.query(`drop trigger fail_on_purpose on ${table}; drop function fail_on_purpose()`);
  }
}

/** Uploads, has it checked, and returns what came of that. */
async function check(kind: string, csv: string) {
  const { status, json } = await post("/v1/imports", { kind, csv });
  expect(status).toBe(202);
  await schedule();
  return get(`/v1/imports/${json.id}`);
}

async function start(id: number, body: object = {}) {
  expect((await post(`/v1/imports/${id}/start`, body)).status).toBe(202);
  await schedule();
  return get(`/v1/imports/${id}`);
}

async function rowsOf(statement: string): Promise<Record<string, unknown>[]> {
  return (await api.database.pools.owner.query(statement, [clinic.id])).rows;
}
const events = () => rowsOf("select name, subject from events where clinic_id = $1 order by id");
const patients = async () => (await get("/v1/patients")).data.map(({ name }: { name: string }) => name);

const PATIENTS = 'name,email\r\nSam Sample,sam@example.test\r\n"Example, Test",\r\n';

describe("a file of patients", () => {
  withClinics();

  it("is checked without changing anything, then imported as a whole, and sends nothing", async () => {
    const checked = await check("patients", PATIENTS);
    expect(checked).toMatchObject({ state: "ready", lines: 2, done_lines: 2, records: 2, events: 0, errors: 0 });
    expect(await patients()).toEqual([]);
    expect(await start(checked.id)).toMatchObject({ state: "done", records: 2, done_lines: 2 });
    expect(await patients()).toEqual(["Example, Test", "Sam Sample"]);
    expect(await events()).toEqual([]);
  });

  it("with a bad line changes nothing, and says what is wrong in every line", async () => {
    const csv = "\uFEFFName;Email\nSam Sample;sam@example.test\n;nobody@example.test\nTest Example;not an address\n";
    const checked = await check("patients", csv);
    expect(checked).toMatchObject({ state: "refused", lines: 3, errors: 2 });
    const { data } = await get(`/v1/imports/${checked.id}/errors`);
    expect(data).toMatchObject([
      { line: 3, column: "name", code: "empty" },
      { line: 4, column: "email", code: "not_an_email" },
    ]);
    const file = await clinic.as.manager(`/v1/imports/${checked.id}/errors.csv`);
    expect(file.headers["content-type"]).toBe("text/csv; charset=utf-8");
    expect(file.text.split("\r\n")[1]).toMatch(/^3,name,/);
    expect((await post(`/v1/imports/${checked.id}/start`)).json.code).toBe("import_not_ready");
    expect(await patients()).toEqual([]);
  });

  it("that became wrong between check and import is refused as a whole", async () => {
    const checked = await check("patients", PATIENTS);
    await post("/v1/patients", { name: "Example, Test" });
    expect(await start(checked.id)).toMatchObject({ state: "refused", errors: 1 });
    expect(await patients()).toEqual(["Example, Test"]);
  });

  it("cannot be imported twice by mistake", async () => {
    await start((await check("patients", PATIENTS)).id);
    expect(await check("patients", PATIENTS)).toMatchObject({ state: "refused", errors: 2 });
  });

  it("is told of lines with too few or too many cells, and of a quote within a cell, by their lines", async () => {
    const csv = 'name,email\r\nSam Sample\r\n\r\nTest Example,,\r\n"Two\r\nlines",\r\nBad "quote" here,x\r\n';
    const { data } = await get(`/v1/imports/${(await check("patients", csv)).id}/errors`);
    expect(data).toMatchObject([
      { line: 2, column: null, code: "cell_count" },
      { line: 4, column: null, code: "cell_count" },
      { line: 5, column: "name", code: "control_characters" },
      { line: 7, column: null, code: "invalid" },
    ]);
  });

  it("tells what is wrong in the clinic's language, in a file that no spreadsheet takes for formulas", async () => {
    await api.database.pools.owner.query("update clinics set locale = 'fr-CA' where id = $1", [clinic.id]);
    const { id } = await check("patients", "name,email\nSam Sample,sam\n");
    const { text } = await clinic.as.manager(`/v1/imports/${id}/errors.csv`);
    const sentence = "Ce n’est pas une adresse de courriel. Écrivez-la comme nom@example.test.";
    expect(text).toBe(`\uFEFFligne;colonne;erreur\r\n2;email;${sentence}\r\n`);
    expect(csvFile([["=1+1", "-1", "@x", 'say "hi"', -1, "a;b"]], ",")).toBe(
      `\uFEFF'=1+1,'-1,'@x,"say ""hi""",-1,"a;b"\r\n`,
    );
  });

  it("is told by its lines, also after a cell of several", async () => {
    const checked = await check("patients", 'name,email\n"Two\nlines",\nSam Sample,x\n');
    const { data } = await get(`/v1/imports/${checked.id}/errors`);
    expect(data).toMatchObject([
      { line: 2, column: "name", code: "control_characters" },
      { line: 4, column: "email", code: "not_an_email" },
    ]);
  });

  it("is sealed while it waits, and gone when it is done", async () => {
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS });
    const [waiting] = await rowsOf("select file from imports where clinic_id = $1");
    expect(String(waiting?.file)).not.toContain("Sam Sample");
    expect(String(waiting?.file)).not.toBe("");
    await schedule();
    await start(json.id);
    expect(await rowsOf("select file from imports where clinic_id = $1")).toEqual([{ file: null }]);
  });

  it("that nobody imports is gone after a day", async () => {
    const { id } = await check("patients", PATIENTS);
    await api.database.pools.owner.query("update imports set created_at = now() - interval '25 hours'");
    await runMaintenance({ owner: api.database.pools.owner, log: silentLog() });
    expect(await get(`/v1/imports/${id}`)).toMatchObject({ state: "expired" });
    expect(await rowsOf("select file from imports where clinic_id = $1")).toEqual([{ file: null }]);
  });
});

describe("a file that is none", () => {
  beforeAll(async () => {
    clinic = await api.newClinic();
  });

  it.each([
    ["nothing in it", "", "empty"],
    ["nothing but a header", "name,email\n", "empty"],
    ["a needed column missing", "email\nsam@example.test\n", "missing"],
    ["a column that is not known", "name,phone\nSam Sample,1\n", "unknown_field"],
    ["a column twice", "name,name\nSam Sample,Sam\n", "twice"],
    ["a quote that is not closed", 'name,email\n"Sam Sample,\n', "invalid"],
    ["too many lines", `name\n${"Sam Sample\n".repeat(20_001)}`, "too_many"],
    ["too many bytes", `name\n${"x".repeat(5 * 1024 * 1024)}\n`, "too_big"],
  ])("is refused at once, with the reason: %s", async (_what, csv, code) => {
    const { status, json } = await post("/v1/imports", { kind: "patients", csv });
    expect(status).toBe(400);
    expect(json.errors).toMatchObject([{ field: "csv", code }]);
  });
});

describe("a file of consults", () => {
  withClinics();

  const CONSULTS = [
    "start_time,service,practitioner,patients",
    "2031-03-04 09:00,Invented class,pat@example.test,sam@example.test|test@example.test",
    "2031-03-05T09:00,Invented class,PAT@example.test,",
    "",
  ].join("\n");

  beforeEach(async () => {
    await post("/v1/practitioners", { name: "Pat Pretend", email: "pat@example.test" });
    await post("/v1/services", { name: "Invented class", kind: "class", duration: 45 });
    await post("/v1/patients", { name: "Sam Sample", email: "sam@example.test" });
    await post("/v1/patients", { name: "Test Example", email: "test@example.test" });
  });

  it("is silent, and on record", async () => {
    const checked = await check("consults", CONSULTS);
    expect(checked).toMatchObject({ state: "ready", records: 2, events: 1 });
    expect(await start(checked.id)).toMatchObject({ state: "done", records: 2 });
    expect(await events()).toEqual([]);
    const audit = await rowsOf("select action, after from audit where clinic_id = $1 order by id");
    expect(audit.map(({ action }) => action)).toEqual(["import.started", "import.done"]);
    expect(JSON.parse(String(audit[1]?.after))).toEqual({ kind: "consults", records: 2, events: 0, errors: 0 });
  });

  it("sends what scheduling by hand sends, where that is asked for", async () => {
    const checked = await check("consults", CONSULTS);
    await start(checked.id, { send_events: true });
    expect((await events()).map(({ name }) => name)).toEqual(["participant.added"]);
  });

  it("sends nothing by being checked, though sending is asked for", async () => {
    const { json } = await post("/v1/imports", { kind: "consults", csv: CONSULTS, send_events: true });
    await schedule();
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "ready", events: 1 });
    expect(await events()).toEqual([]);
  });

  it("cannot be imported twice by mistake", async () => {
    await start((await check("consults", CONSULTS)).id);
    expect(await check("consults", CONSULTS)).toMatchObject({ state: "refused", errors: 2 });
  });

  it("has places for so many patients at most, all lines together", async () => {
    const service = await post("/v1/services", { name: "Large class", kind: "class", duration: 45, capacity: 1 });
    expect(service.status).toBe(201);
    const { data } = await get("/v1/patients");
    const many = Array.from({ length: 4_500 }, () => data[0].id).join("|");
    const lines = Array.from(
      { length: 23 },
      (_, at) => `2031-03-10 09:${10 + at},Large class,pat@example.test,${many}`,
    );
    const head = "start_time,service,practitioner,patients";
    const checked = await check("consults", [head, ...lines].join("\n"));
    const errors = (await get(`/v1/imports/${checked.id}/errors`)).data;
    const beyond = errors.filter(({ message }: { message: string }) => message.includes("all lines of a file"));
    expect(beyond).toMatchObject([{ line: 24, column: "patients", code: "too_many" }]);
  });

  it("names the column of what is unknown or stands for two", async () => {
    await post("/v1/patients", { name: "Another Sample", email: "sam@example.test" });
    const csv = CONSULTS.replace("2031-03-05T09:00", "tomorrow").replace("PAT@example.test", "who@example.test");
    const checked = await check("consults", csv);
    const { data } = await get(`/v1/imports/${checked.id}/errors`);
    expect(data).toMatchObject([
      { line: 2, column: "patients", code: "ambiguous" },
      { line: 3, column: "practitioner", code: "not_found" },
    ]);
  });
});

describe("a file of invoices", () => {
  withClinics();

  const INVOICES = [
    "invoice_number,invoice_date,patient,description,unit_price,units,tax_rate,paid,payment_method",
    'OLD-1,2025-11-03,sam@example.test,Invented treatment,"95,00",1,13,162.72,cash',
    "OLD-1,2025-11-03,sam@example.test,Foam roller,24.50,2,13,,",
    "OLD-2,2025-11-04,sam@example.test,Invented treatment,95.00,1,13,,",
  ].join("\n");

  beforeEach(() => post("/v1/patients", { name: "Sam Sample", email: "sam@example.test" }));

  it("makes one invoice of its lines, with what was paid", async () => {
    const checked = await check("invoices", INVOICES);
    expect(checked).toMatchObject({ state: "ready", lines: 3, records: 2, events: 2 });
    await start(checked.id);
    const { data } = await get("/v1/invoices");
    expect(data).toMatchObject([
      { invoice_number: "OLD-2", status: "draft", total: 107.35 },
      { invoice_number: "OLD-1", status: "paid_in_full", total: 162.72, invoice_date: "2025-11-03" },
    ]);
    expect(await events()).toEqual([]);
  });

  it("takes a payment from any of its lines, and refuses what would be dropped in silence", async () => {
    const head = "invoice_number,invoice_date,patient,description,unit_price,paid,payment_method\n";
    const csv = `${head}OLD-1,2025-11-03,sam@example.test,Invented treatment,95.00,40,cash\nOLD-1,,,,,55,cheque\n`;
    await start((await check("invoices", csv)).id);
    const [invoice] = (await get("/v1/invoices")).data;
    expect(invoice).toMatchObject({ status: "paid_in_full", line_items: [{ total: 95 }] });
    expect(invoice.payments.map(({ total }: { total: number }) => total)).toEqual([40, 55]);
    await post("/v1/patients", { name: "Test Example", email: "test@example.test" });
    const lines = [
      "NEW-1,2025-11-03,sam@example.test,Invented treatment,95.00,,",
      "NEW-1,2025-11-04,,Invented treatment,95.00,,",
      "NEW-1,,test@example.test,Invented treatment,95.00,,",
      "NEW-2,2025-11-03,sam@example.test,Invented treatment,95.00,,cash",
      "NEW-3,2025-11-03,sam@example.test,Invented treatment,95.00,10.005,cash",
      "",
    ];
    const { data } = await get(`/v1/imports/${(await check("invoices", head + lines.join("\n"))).id}/errors`);
    expect(data).toMatchObject([
      { line: 3, column: "invoice_date", code: "invalid" },
      { line: 4, column: "patient", code: "invalid" },
      { line: 5, column: "paid", code: "missing" },
      { line: 6, column: "paid", code: "amount_decimals" },
    ]);
  });

  it("is counted on from, where its numbers look like the clinic's own", async () => {
    const head = "invoice_number,invoice_date,patient,description,unit_price\n";
    const line = (number: string) => `${number},2025-11-03,sam@example.test,Invented treatment,95.00\n`;
    await start((await check("invoices", `${head}${line("INV-07001")}${line("INV-00003")}${line("OLD-9")}`)).id);
    const [patient] = (await get("/v1/patients")).data;
    const line_items = [{ description: "Invented treatment", unit_price: 1, units: 1 }];
    const made = await post("/v1/invoices", { client_id: patient.id, line_items });
    expect(made.json.invoice_number).toBe("INV-07002");
  });

  it("sends one event for each invoice, where that is asked for", async () => {
    await start((await check("invoices", INVOICES)).id, { send_events: true });
    expect((await events()).map(({ name }) => name)).toEqual(["invoice.created", "invoice.created"]);
  });

  it("is refused as a whole for one number that is taken, and for one amount that is none", async () => {
    const csv = INVOICES.replace("24.50", "cheap");
    const checked = await check("invoices", csv);
    const { data } = await get(`/v1/imports/${checked.id}/errors`);
    expect(data).toMatchObject([{ line: 3, column: "unit_price", code: "wrong_type" }]);
    await start((await check("invoices", INVOICES)).id);
    expect(await check("invoices", INVOICES)).toMatchObject({ state: "refused", errors: 2 });
  });
});

describe("imports", () => {
  withClinics();

  it("have a template for each kind, which itself is a file of that kind", async () => {
    for (const kind of ["patients", "consults", "invoices"]) {
      const { text, headers } = await clinic.as.manager(`/v1/imports/templates/${kind}.csv`);
      expect(headers["content-type"]).toBe("text/csv; charset=utf-8");
      expect((await post("/v1/imports", { kind, csv: text })).status).toBe(202);
    }
    expect((await clinic.as.manager("/v1/imports/templates/others.csv")).status).toBe(404);
  });

  it("of another clinic are not found", async () => {
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS });
    const other = await api.newClinic();
    for (const path of ["", "/errors", "/errors.csv"]) {
      expect((await other.as.manager(`/v1/imports/${json.id}${path}`)).status).toBe(404);
    }
    expect((await other.as.manager(`/v1/imports/${json.id}/start`, { method: "POST", body: {} })).status).toBe(404);
    expect((await other.as.manager("/v1/imports")).json.data).toEqual([]);
  });

  it("that fail by a bug end as failed after a few tries, with nothing imported", async () => {
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS });
    await api.database.pools.owner.query("update imports set file = 'not sealed' where id = $1", [json.id]);
    for (let tries = 0; tries < 3; tries += 1) {
      await api.database.pools.owner.query("update imports set due_at = now() where id = $1 and due_at is not null", [
        json.id,
      ]);
      await schedule();
    }
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "failed", records: 0 });
    expect(await patients()).toEqual([]);
  });

  it("that are cut off midway leave nothing behind, and are done as a whole later", async () => {
    const { owner } = api.database.pools;
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS, dry_run: false });
    const inTheWay = await owner.connect();
    try {
      await inTheWay.query("begin; lock table patients in share row exclusive mode");
      const cutOff = schedule();
      const waiting = `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await until("the import waits for the lock", async () => (await owner.query(waiting)).rows.length > 0);
      await owner.query(`select pg_terminate_backend(pid) from (${waiting}) as cut_off`);
      await cutOff;
    } finally {
      await inTheWay.query("rollback");
      inTheWay.release();
    }
    expect(await patients()).toEqual([]);
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "importing" });
    await owner.query("update imports set due_at = now() where id = $1", [json.id]);
    await schedule();
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "done", records: 2 });
    expect(await patients()).toEqual(["Example, Test", "Sam Sample"]);
  });

  it("are given up by a stop of the process, leave nothing behind, and are due as before", async () => {
    const { owner } = api.database.pools;
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS, dry_run: false });
    const stopping = scheduler();
    const inTheWay = await owner.connect();
    try {
      await inTheWay.query("begin; lock table patients in share row exclusive mode");
      stopping.start();
      const waiting = `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await until("the import waits for the lock", async () => (await owner.query(waiting)).rows.length > 0);
      const stopped = stopping.stop();
      await inTheWay.query("rollback");
      await stopped;
    } finally {
      inTheWay.release();
    }
    expect(await patients()).toEqual([]);
    expect(await rowsOf("select state, failures from imports where clinic_id = $1")).toEqual([
      { state: "importing", failures: 0 },
    ]);
    await schedule();
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "done", records: 2 });
  });

  it("go on, though nobody can be told how far they are", async () => {
    await failing("update on import_progress", "57014", async () => {
      const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS, dry_run: false });
      await schedule();
      expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "done", records: 2, done_lines: 0 });
    });
  });

  it("outlast an outage of the database, however long", async () => {
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS, dry_run: false });
    await failing("insert on patients", "53300", async () => {
      for (let tries = 0; tries < 4; tries += 1) await schedule();
    });
    await schedule();
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "done", records: 2 });
  });

  it("are ten at most that wait, though more come at the same moment", async () => {
    for (let at = 0; at < 8; at += 1) await post("/v1/imports", { kind: "patients", csv: PATIENTS });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => post("/v1/imports", { kind: "patients", csv: PATIENTS })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 202, 409, 409]);
  });

  it("are started once, though two people start one at the same moment", async () => {
    const { id } = await check("patients", PATIENTS);
    const answers = await Promise.all(Array.from({ length: 4 }, () => post(`/v1/imports/${id}/start`)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    const audit = await rowsOf("select action from audit where clinic_id = $1");
    expect(audit).toEqual([{ action: "import.started" }]);
  });

  it("come in four at a time in one process; more are to be sent again, and a place is free again afterwards", async () => {
    const send = () => post("/v1/imports", { kind: "patients", csv: PATIENTS });
    const { owner } = api.database.pools;
    const inTheWay = await owner.connect();
    const taken: ReturnType<typeof send>[] = [];
    try {
      await inTheWay.query("begin; lock table imports in share row exclusive mode");
      taken.push(...Array.from({ length: 4 }, send));
      const waiting = `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await until("four wait", async () => (await owner.query(waiting)).rows.length === 4);
      expect(await send()).toMatchObject({ status: 503, json: { code: "busy" }, headers: { "retry-after": "5" } });
    } finally {
      await inTheWay.query("rollback");
      inTheWay.release();
    }
    expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    for (let at = 0; at < 5; at += 1) expect((await send()).status).toBe(202);
  });

  it("are done once, though two nodes look at the same moment", async () => {
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS, dry_run: false });
    await Promise.all([schedule(), schedule()]);
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "done", records: 2 });
    expect(await patients()).toHaveLength(2);
  });
});
