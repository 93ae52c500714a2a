/**
 * The canary watch over everything that the suites do: when a test's database is dropped, its whole content, what the test's
 * servers logged and what they refused are searched for the names of patients and the secrets that the test had.
 *
 * Every patient is a canary: the names are taken from the clinics' own records of this database, and from the SDK's samples, of
 * which no record need exist. Every secret is one: those that the API showed or was given, whatever their shape. A finding
 * fails the suite whose database it is. Every row of every table is read, the long tables piece by piece; at most NAMES_MAX
 * names of patients, SECRETS_MAX secrets of a test file and LOG_CHARACTERS_MAX characters of its logs are looked for and in.
 */
import { sampleFacts } from "@hookwell/sdk";
import pg from "pg";
import { API_KEY_PREFIX } from "../../src/accounts/api-keys.ts";
import { createLog, type Log } from "../../src/log.ts";
import { NAMES_MAY_STAND_IN } from "./places.ts";

/** Tables with fewer rows are read all by one statement; nearly all are. */
const SHORT_TABLE_ROWS = 2_000;
const PIECE_ROWS = 5_000;
const NAMES_MAX = 500;
const SECRETS_MAX = 2_000;
const LOG_CHARACTERS_MAX = 20_000_000;
/** Shorter ones stand in other words. */
const NAME_MIN_CHARACTERS = 6;
const SECRET_MIN_CHARACTERS = 12;
const STATEMENT_MS = 20_000;
/** Names of fields in requests and answers that hold a secret. */
const SECRET_FIELDS = new Set([
  "secret",
  "private_key",
  "password",
  "new_password",
  "current_password",
  "token",
  "link",
]);

/** Of this test file: each has its own module. */
const secrets = new Set<string>();
const said: { readonly where: string; readonly text: string }[] = [];
let saidCharacters = 0;

export interface Finding {
  /** a column, or `log`, or `refusal of …` */
  readonly place: string;
  readonly kind: "name" | "secret";
  /** what was found */
  readonly canary: string;
}

/** A log of debug level that nobody reads but the watch. */
export function watchedLog(): Log {
  return createLog({ destination: { write: (line) => hear("log", line) }, level: "debug" });
}

/** Something that was said where anybody may read it: a line of a log, a refusal. */
export function hear(where: string, text: string): void {
  saidCharacters += text.length;
  if (saidCharacters > LOG_CHARACTERS_MAX) return;
  said.push({ where, text });
}

/** Notes what of a request or an answer is a secret. */
export function noteSecrets(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const [field, one] of Object.entries(value)) {
    // A key is an API key, or the idempotency key of an event, which is none.
    const isSecret = SECRET_FIELDS.has(field) || (field === "key" && String(one).startsWith(API_KEY_PREFIX));
    if (typeof one === "string" && isSecret) noteSecret(one);
    else if (field === "backup_codes" && Array.isArray(one)) for (const code of one) noteSecret(String(code));
    else noteSecrets(one);
  }
}

export function noteSecret(text: string): void {
  // Of a link what stands behind the # opens something.
  const secret = text.split("#").at(-1) ?? text;
  if (secret.length < SECRET_MIN_CHARACTERS || secrets.size >= SECRETS_MAX) return;
  secrets.add(secret);
}

export interface SearchOptions {
  /** The fuzzer gives everything the same names, a patient and a plan alike: in its tables they say nothing, elsewhere they do. */
  readonly namesAreEverybodys?: boolean | undefined;
}

/** Searches a database and what was said so far, and forgets the latter. Empty where all is well. */
export async function searchForCanaries(url: string, options: SearchOptions = {}): Promise<Finding[]> {
  const client = new pg.Client({ connectionString: url, statement_timeout: STATEMENT_MS, lock_timeout: STATEMENT_MS });
  await client.connect();
  try {
    const tables = await tablesOf(client);
    const names = tables.includes('"public"."patients"') ? await namesOf(client) : sampleNames();
    const found = [...searchSaid({ name: names, secret: [...secrets] })];
    if (tables.length > 0) found.push(...(await searchTables(client, tables, options.namesAreEverybodys ? [] : names)));
    return found;
  } finally {
    await client.end();
  }
}

/** @throws Error that says where something was found, for whoever drops a database */
export async function refuseCanaries(url: string, options: SearchOptions = {}): Promise<void> {
  const found = await searchForCanaries(url, options);
  if (found.length === 0) return;
  const lines = [...new Set(found.map(({ place, kind, canary }) => `${place}: the ${kind} ${JSON.stringify(canary)}`))];
  throw new Error(
    `Canaries were found where none may be (server/test/canary/places.ts lists where):\n${lines.slice(0, 20).join("\n")}`,
  );
}

function sampleNames(): string[] {
  const facts = JSON.stringify([sampleFacts("participant.added"), sampleFacts("invoice.created")]);
  const people = [...facts.matchAll(/"(?:participants|client)":(\[.*?\]|\{.*?\})/g)].map(([text]) => text).join();
  return [...people.matchAll(/"(?:name|email)":"([^"]+)"/g)].map(([, name]) => name ?? "");
}

async function namesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select distinct name from (select name from patients union all select email from patients) p
     where length(name) >= $1 and name ~ '[ @]' limit $2`,
    [NAME_MIN_CHARACTERS, NAMES_MAX],
  );
  return [...new Set([...rows.map(({ name }) => name), ...sampleNames()])];
}

/** Quoted, with their schema; a partitioned table stands for its partitions. */
async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('"%s"."%s"', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'`,
  );
  return rows.map(({ name }) => name);
}

function* searchSaid(canaries: Readonly<Record<Finding["kind"], readonly string[]>>): Generator<Finding> {
  const all = said.splice(0);
  saidCharacters = 0;
  for (const kind of ["name", "secret"] as const) {
    const pattern = patternOf(canaries[kind]);
    for (const { where, text } of pattern === null ? [] : all) {
      const canary = pattern?.exec(text)?.[0];
      if (canary !== undefined) yield { place: where, kind, canary };
    }
  }
}

/** One statement over all tables, and one look at what it brings: nothing is to be found nearly always. */
async function searchTables(
  client: pg.Client,
  tables: readonly string[],
  names: readonly string[],
): Promise<Finding[]> {
  const of = (table: string, at: number) =>
    `(select ${at} as at, count(*)::int as rows, string_agg(t::text, E'\\n') as v
      from (select * from ${table} limit ${SHORT_TABLE_ROWS}) t)`;
  const { rows: read } = await client.query<TableStart>(tables.map(of).join(" union all "));
  const found: Finding[] = [];
  for (const [kind, canaries] of [["name", names] as const, ["secret", [...secrets]] as const]) {
    const pattern = patternOf(canaries);
    for (const { at, rows, v } of pattern === null ? [] : read) {
      const table = tables[at];
      if (table !== undefined && pattern !== null && (rows === SHORT_TABLE_ROWS || pattern.test(v ?? "")))
        found.push(...(await findColumns(client, table, { kind, pattern })));
    }
  }
  return found;
}

interface TableStart {
  at: number;
  rows: number;
  v: string | null;
}

/** For a long table, and one in which something was found: in which of its columns. */
async function findColumns(
  client: pg.Client,
  table: string,
  { kind, pattern }: { kind: Finding["kind"]; pattern: RegExp },
): Promise<Finding[]> {
  const short = table.replaceAll('"', "").replace(/^public\./, "");
  const found = new Map<string, Finding>();
  for await (const rows of piecesOf(client, table)) {
    if (!pattern.test(rows.flatMap((row) => Object.values(row)).join("\n"))) continue;
    for (const [column, value] of rows.flatMap((row) => Object.entries(row))) {
      const canary = pattern.exec(String(value))?.[0];
      const place = `${short}.${column}`;
      if (canary === undefined || (kind === "name" && place in NAMES_MAY_STAND_IN)) continue;
      found.set(place, { place, kind, canary });
    }
  }
  return [...found.values()];
}

/** All rows of a table, as texts. */
async function* piecesOf(client: pg.Client, table: string): AsyncGenerator<Record<string, unknown>[]> {
  const fetch = { text: `fetch ${PIECE_ROWS} from pieces`, types: { getTypeParser: () => (value: string) => value } };
  await client.query(`begin read only; declare pieces no scroll cursor for select * from ${table}`);
  for (;;) {
    const { rows } = await client.query<Record<string, unknown>>(fetch);
    if (rows.length === 0) break;
    yield rows;
  }
  await client.query("commit");
}

/** Each as it is, as it stands in JSON, in a URL, and as the bytes of a `bytea` are printed. Null where there is none. */
function patternOf(canaries: readonly string[]): RegExp | null {
  if (canaries.length === 0) return null;
  const spellings = canaries.flatMap((one) => [
    one,
    JSON.stringify(one).slice(1, -1),
    encodeURIComponent(one),
    Buffer.from(one, "utf8").toString("hex"),
  ]);
  return new RegExp(
    [...new Set(spellings)].map((one) => one.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|"),
    "i",
  );
}
