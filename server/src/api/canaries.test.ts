/**
 * Canaries: a clinic whose patients, notes and secrets have unmistakable names is driven through everything that can happen
 * to a delivery and everything that can go wrong with a request. Then they are looked for in the log, in every refusal, in
 * what is open to everybody, and in every column of every table.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { type FilledClinic, fillClinic } from "../../test/filled-clinic.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { createKysely } from "../db/pool.ts";
import { Dispatcher } from "../delivery/dispatcher.ts";
import { DeliveryStore } from "../delivery/store.ts";
import { createEgress, type Egress } from "../egress/client.ts";
import { createLog, type Log } from "../log.ts";
import { healthRoutes } from "./health.ts";
import { pageRoutes } from "./page.ts";
import { OPEN_ROUTES, V1_ROUTES } from "./routes.ts";
import { type App, createServer } from "./server.ts";

const MARK = "Zqxcanary";
/** Of persons: names, addresses, what is written about them. */
const PERSONS = ["Zqxcanary Patient", "Zqxcanary Other", "zqxcanary.patient@", "zqxcanary.other@", "Zqxcanary notes"];
const PERSON_FOLDED = ["zqxcanary patient", "zqxcanary other"];
const ADDRESS_SECRET = "zqxcanary-address";
const PASSWORD = "zqxcanary-password-of-nobody";

/** The clinic's own records, where a patient's name is what they are for. Everything else is sealed or has none. */
const NAMES_MAY_STAND_IN = ["consults.notes", "patients.email", "patients.name", "patients.name_folded"];

const logged: string[] = [];
const log: Log = createLog({ destination: { write: (line) => void logged.push(line) }, level: "debug" });
const refusals: { path: string; text: string }[] = [];

let api: TestApi;
let receiver: Receiver;
let dispatcher: Dispatcher;
let egress: Egress;
let clinic: TestClinic;
let filled: FilledClinic;
let manager: Caller;
let secrets: string[];
let newSecret: string;

beforeAll(async () => {
  [api, receiver] = await Promise.all([startTestApi({ log, allowLoopback: true }), createReceiver()]);
  const { clock, seal } = api.context;
  egress = createEgress({ rules: { allowLoopback: true, inboxUrlPrefix: null }, monotonicMs: clock.monotonicMs });
  const pool = api.database.pools.dispatch;
  const parts = { store: new DeliveryStore(pool), db: createKysely(pool), seal, egress, clock, log, name: "canaries" };
  dispatcher = new Dispatcher(parts);
  await dispatcher.start();
  clinic = await api.newClinic();
  manager = watched(clinic.as.manager);
  const url = `${receiver.url}/${ADDRESS_SECRET}?key=${ADDRESS_SECRET}`;
  // Receivers quote what they are sent, in answers and in headers.
  receiver.answer = ({ body, headers }, response) => {
    const quoted = {
      "x-quoted": encodeURIComponent(body.slice(0, 200)),
      "x-signature": String(headers["webhook-signature"]),
    };
    response.writeHead(500, quoted).end(`cannot do ${body} ${JSON.stringify(headers)}`);
  };
  filled = await fillClinic(api, { ...clinic, as: { ...clinic.as, manager } }, { mark: MARK, url });
  await deliverAndFail();
  await doWrong();
  secrets = [
    ...[filled.webhookSecret, newSecret, filled.feedKey, filled.pullKey, clinic.password, PASSWORD],
    ...[ADDRESS_SECRET, `${MARK}-header-value`, "zqxcanary-idempotency"],
  ];
}, 120_000);
afterAll(async () => {
  await dispatcher.stop();
  await egress.close();
  await receiver.close();
  await api.close();
});

/** Keeps every refusal, to look into it later. */
function watched(caller: Caller): Caller {
  return async (path, call) => {
    const answer: Answer = await caller(path, call);
    if (answer.status >= 400) refusals.push({ path, text: answer.text + JSON.stringify(answer.headers) });
    return answer;
  };
}

/** Failing, tested, turned over to a new secret, delivered, sent again. */
async function deliverAndFail(): Promise<void> {
  const { webhooks, deliveries } = filled.ids;
  dispatcher.nudge();
  await until("something failed", () => receiver.received.length > 0);
  await manager(`/v1/webhooks/${webhooks}/test`, { method: "POST", body: { event: "consult.updated" } });
  const rotated = await manager(`/v1/webhooks/${webhooks}/rotate-secret`, { method: "POST", body: {} });
  newSecret = rotated.json.secret;
  const headers = { "idempotency-key": "zqxcanary-idempotency" };
  await manager(`/v1/webhooks/${webhooks}/test`, { method: "POST", body: { event: "consult.updated" }, headers });
  receiver.answer = ({ body }, response) => response.writeHead(200).end(body);
  await api.database.pools.owner.query("update deliveries set due_at = now() where begun_at is null");
  await api.database.pools.owner.query("update runs set next_at = now(), answered_at = now() where owner is null");
  dispatcher.nudge();
  await until("something was delivered", async () => {
    const { rows } = await api.database.pools.owner.query("select from finished_deliveries where state = 'delivered'");
    return rows.length > 0;
  });
  await manager(`/v1/deliveries/${deliveries}/resend`, { method: "POST", body: {} });
  await receiver.down();
  dispatcher.nudge();
  await manager(`/v1/webhooks/${webhooks}/test`, { method: "POST", body: { event: "consult.updated" } });
}

/** Everything that can be wrong with a request, with canaries in it wherever a caller can put one. */
async function doWrong(): Promise<void> {
  const anonymous = watched(api.anonymous);
  const name = `${MARK} Patient`;
  const post = (path: string, body: unknown, caller = manager) => caller(path, { method: "POST", body });
  await post("/v1/patients", { name, email: name, [`${MARK}_surprise`]: name });
  await post("/v1/patients", { name: { first: name } });
  await post("/v1/consults", { service_id: name, practitioner_id: 1, start_time: name });
  await post("/v1/webhooks", { url: `https://${ADDRESS_SECRET}.invalid:22/${ADDRESS_SECRET}`, events: [name] });
  await post("/v1/webhooks/check-url", { url: `http://10.0.0.1/${ADDRESS_SECRET}` });
  await post("/v1/imports", { kind: "patients", csv: `name,mail\n"${name}` });
  await post("/v1/events", { key: name, facts: { name } });
  await manager(`/v1/patients/${encodeURIComponent(name)}`);
  await manager(`/v1/deliveries?subject=${encodeURIComponent(name)}&cursor=${encodeURIComponent(name)}`);
  await anonymous(`/nowhere/${encodeURIComponent(name)}`);
  await anonymous("/v1/me", { headers: { authorization: `Bearer ${filled.feedKey.slice(0, -2)}` } });
  await anonymous("/v1/me", { headers: { cookie: `hookwell.session_token=${PASSWORD}` } });
  await post("/api/auth/sign-in/email", { email: `${MARK}.patient@example.test`, password: PASSWORD }, anonymous);
  await post("/api/auth/sign-in/email", { email: clinic.emails.manager, password: PASSWORD }, anonymous);
  for (const payload of [`{"name":"${name}"`, `{"name":"${name}","name":"${name}"}`, `{"__proto__":"${name}"}`]) {
    const headers = { "content-type": "application/json" };
    const { body } = await api.app.inject({ method: "POST", url: "/api/auth/sign-in/email", payload, headers });
    refusals.push({ path: "broken JSON", text: body });
  }
  await failInside(name);
}

/** Faults of our own: the database quotes the values that it chokes on. */
async function failInside(name: string): Promise<void> {
  const { owner } = api.database.pools;
  await owner.query(`create function choke() returns trigger language plpgsql as $$ begin
    raise exception 'choked on %', new using detail = new.email, hint = new.name; end $$`);
  await owner.query("create trigger choke before insert on patients for each row execute function choke()");
  await manager("/v1/patients", {
    method: "POST",
    body: { name: `${name} Junior`, email: "zqxcanary.patient@example.test" },
  });
  await owner.query("drop trigger choke on patients");
  await owner.query("alter table services rename to services_hidden");
  await manager(`/v1/services`, { method: "POST", body: { name, kind: "class", duration: 60 } });
  await owner.query("alter table services_hidden rename to services");
  // What was sealed for another row no longer opens.
  await owner.query("update webhooks set url = set_byte(url, 20, (get_byte(url, 20) + 1) % 256)");
  await manager("/v1/webhooks");
  await manager(`/v1/webhooks/${filled.ids.webhooks}`);
}

const holds = (text: string, wanted: readonly string[]) =>
  wanted.filter((one) => text.toLowerCase().includes(one.toLowerCase()) || text.includes(encodeURIComponent(one)));

describe("a canary", () => {
  it("was there to be found: it arrived at the receiver, and things failed in every way", () => {
    const arrived = JSON.stringify(receiver.received);
    expect(holds(arrived, ["Zqxcanary Patient", ADDRESS_SECRET, `${MARK}-header-value`])).toHaveLength(3);
    expect(refusals.length).toBeGreaterThan(15);
    expect(refusals.filter(({ text }) => text.includes('"internal_error"')).length).toBeGreaterThanOrEqual(3);
    const events = new Set(logged.map((line) => JSON.parse(line).event));
    expect([...events]).toEqual(expect.arrayContaining(["http.answered"]));
    expect(logged.length).toBeGreaterThan(50);
  });

  it("is in no line of the log", () => {
    const lines = logged.filter((line) => holds(line, [MARK, ...secrets]).length > 0);
    expect(lines).toEqual([]);
  });

  it("is in no refusal", () => {
    const quoting = refusals.filter(({ text }) => holds(text, [...PERSONS, ...secrets]).length > 0);
    expect(quoting).toEqual([]);
  });

  it("is in nothing that is open to everybody: probes, the API's description, the page", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hookwell-page-"));
    await writeFile(join(folder, "index.html"), "<!doctype html><style nonce=__CSP_NONCE__></style>");
    const health = healthRoutes({ isReady: () => true, allowLoopback: true });
    const open = [health, ...OPEN_ROUTES, pageRoutes(folder)];
    const app: App = await createServer(api.context, { v1: V1_ROUTES, open });
    try {
      for (const url of ["/livez", "/readyz", "/openapi.json", "/", `/patients/${filled.ids.patients}`]) {
        const { statusCode, body, headers } = await app.inject({ url });
        const [, nonce = "none"] =
          /^default-src 'none'; .*'nonce-([^']+)'/.exec(String(headers["content-security-policy"])) ?? [];
        if (String(headers["content-type"]).startsWith("text/html")) expect(body).toContain(`nonce=${nonce}`);
        expect([url, statusCode, holds(body + JSON.stringify(headers), [MARK, ...secrets])]).toEqual([url, 200, []]);
      }
    } finally {
      await app.close();
      await rm(folder, { recursive: true });
    }
  });

  it("that is a secret is in no column of any table, and one that is a person's name only in the clinic's own records", async () => {
    const found = { secrets: new Set<string>(), names: new Set<string>() };
    let columns = 0;
    for (const { place, values } of await dump()) {
      columns += 1;
      if (holds(values, secrets).length > 0) found.secrets.add(place);
      if (holds(values, [...PERSONS, ...PERSON_FOLDED]).length > 0) found.names.add(place);
    }
    expect(columns).toBeGreaterThan(400);
    expect([...found.secrets].sort()).toEqual([]);
    expect([...found.names].sort()).toEqual(NAMES_MAY_STAND_IN);
  });
});

/** Every column of every table of every schema of ours, its values as text and, where they are bytes, as the bytes read. */
async function dump(): Promise<{ place: string; values: string }[]> {
  const { owner } = api.database.pools;
  const { rows } = await owner.query<{ schema: string; table: string; column: string; type: string }>(
    `select c.table_schema as schema, c.table_name as "table", c.column_name as "column", c.data_type as type
     from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
     where t.table_type = 'BASE TABLE' and c.table_schema in ('public', 'auth')
       and not exists (select from pg_inherits i where i.inhrelid = format('%I.%I', c.table_schema, c.table_name)::regclass)`,
  );
  const all: { place: string; values: string }[] = [];
  for (const { schema, table, column, type } of rows) {
    const value = type === "bytea" ? `"${column}"` : `"${column}"::text`;
    const { rows: values } = await owner.query<{ v: string | Buffer | null }>(
      `select ${value} as v from "${schema}"."${table}"`,
    );
    const text = values.map(({ v }) => (Buffer.isBuffer(v) ? v.toString("latin1") : (v ?? ""))).join("\n");
    all.push({ place: schema === "public" ? `${table}.${column}` : `${schema}.${table}.${column}`, values: text });
  }
  return all;
}
