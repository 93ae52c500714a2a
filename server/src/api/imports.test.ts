/** Files of each kind: checked first, imported as a whole, silent unless asked. */
import { beforeEach, describe, expect, it } from "vitest";
import { PATIENTS, useImports } from "../../test/imports.ts";
import { csvFile } from "../clinic/import/csv.ts";
import { silentLog } from "../log.ts";
import { runMaintenance } from "../maintenance.ts";

const { withClinics, post, get, schedule, check, start, rowsOf, events, patients, api, clinic } = useImports();

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
    const file = await clinic().as.manager(`/v1/imports/${checked.id}/errors.csv`);
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
    await api().database.pools.owner.query("update clinics set locale = 'fr-CA' where id = $1", [clinic().id]);
    const { id } = await check("patients", "name,email\nSam Sample,sam\n");
    const { text } = await clinic().as.manager(`/v1/imports/${id}/errors.csv`);
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
    await api().database.pools.owner.query("update imports set created_at = now() - interval '25 hours'");
    await runMaintenance({ owner: api().database.pools.owner, log: silentLog(), retentionDays: 30 });
    expect(await get(`/v1/imports/${id}`)).toMatchObject({ state: "expired" });
    expect(await rowsOf("select file from imports where clinic_id = $1")).toEqual([{ file: null }]);
  });
});

describe("a file that is none", () => {
  withClinics();

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
