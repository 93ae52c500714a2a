/**
 * The server under the fuzzer: everything as `serve` starts it, on sockets and a real PostgreSQL, with the demo's clinic, a
 * second clinic whose rows must never be seen, and callers of every kind.
 */
import { createSecretKey, randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp, type RunningApp } from "../../src/app.ts";
import { createClinic } from "../../src/clinic/clinics.ts";
import { seedDemo } from "../../src/demo/seed.ts";
import { silentLog } from "../../src/log.ts";
import type { CallerName } from "./request.ts";
import { isObject } from "./schema.ts";

/** In everything of the second clinic that has a name. */
export const FOREIGN_CANARY = "Quokka-Foreign";
const PASSWORD = "a password for the fuzzer";
/** A person may send 600 in a minute; then another one goes on, and at last the first one again. */
const REQUESTS_PER_PERSON = 500;
/** Of each role; 20 may sign in from one address in a minute. */
const TEAM_PEOPLE = 8;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Sent {
  readonly method: string;
  /** with its query */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

export class FuzzServer {
  /** Ids of rows that were seen, by noun; of the other clinic as `foreign <noun>`. */
  readonly ids = new Map<string, (string | number)[]>();
  readonly #app: RunningApp;
  readonly #clinicId: number;
  readonly #people = new Map<string, { sent: number; members: Record<string, string>[] }>();
  readonly #keys = new Map<CallerName, { id: number; headers: Record<string, string> }>();
  #hired = 0;

  private constructor(app: RunningApp, clinicId: number) {
    this.#app = app;
    this.#clinicId = clinicId;
  }

  static async start(app: RunningApp): Promise<FuzzServer> {
    const clinic = await seedDemo({ ...app, password: PASSWORD, replacePasswords: false });
    const server = new FuzzServer(app, clinic.id);
    await server.#openKeys();
    const { url } = await server.#asked("GET", "/v1/inbox");
    server.ids.set("inbox", [url as string]);
    await server.#fillOtherClinic();
    return server;
  }

  async description(): Promise<unknown> {
    return (await fetch(`${this.#app.publicUrl}/openapi.json`)).json();
  }

  async send({ method, path, headers, body }: Sent): Promise<Answer> {
    const answer = await fetch(this.#app.publicUrl + path, { method, headers, body, redirect: "manual" });
    return { status: answer.status, headers: answer.headers, text: await textOf(answer) };
  }

  /** What the caller's requests carry. */
  async credential(caller: CallerName): Promise<Readonly<Record<string, string>>> {
    if (caller === "nobody") return {};
    if (caller === "bad_key") return { authorization: `Bearer hk_${"x".repeat(49)}` };
    if (caller === "manager" || caller === "front_desk") return this.#person(this.#clinicId, caller);
    return this.#keys.get(caller)?.headers ?? {};
  }

  /** The first rows of each kind and the callers' own keys stay, so that there is something to ask about. */
  isKept(path: string, id: unknown): boolean {
    const noun = /^\/v1\/([a-z-]+)\/\{id\}$/.exec(path)?.[1] ?? "";
    const kept = [...(this.ids.get(noun) ?? []).slice(0, KEPT_ROWS), ...(noun === "api-keys" ? this.#ownKeys() : [])];
    return kept.some((one) => String(one) === String(id));
  }

  #ownKeys(): number[] {
    return [...this.#keys.values()].map(({ id }) => id);
  }

  async #openKeys(): Promise<void> {
    const url = "https://receiver.example.test/hook";
    const webhook = await this.#asked("POST", "/v1/webhooks", { url, events: ["participant.added"] });
    const open = async (caller: CallerName, scopes: string[], more: object = {}) => {
      const made = await this.#asked("POST", "/v1/api-keys", { name: caller, scopes, ...more });
      this.#keys.set(caller, { id: made.id as number, headers: { authorization: `Bearer ${made.key}` } });
    };
    await open("feed_key", ["feed"]);
    await open("pull_key", ["deliveries:pull"], { webhook_id: webhook.id });
    await open("embed_key", ["embed"], { embed_origins: ["https://suite.example.test"] });
  }

  async #fillOtherClinic(): Promise<void> {
    const { owner, seal } = this.#app;
    const name = `${FOREIGN_CANARY} Clinic`;
    const { id: clinicId } = await createClinic(owner, seal, { name, timeZone: "America/Toronto", hasAcademy: true });
    const ask = async (path: string, body: object) => {
      const made = await this.#asked("POST", `/v1/${path}`, body, clinicId);
      this.#note(`foreign ${path}`, made.id);
      return made.id;
    };
    const person = { name: `${FOREIGN_CANARY} Person`, email: "quokka.foreign@example.test" };
    const patient = await ask("patients", person);
    const practitioner = await ask("practitioners", person);
    const service = await ask("services", {
      name: `${FOREIGN_CANARY} Service`,
      kind: "class",
      duration: 30,
      capacity: 9,
    });
    const when = { service_id: service, practitioner_id: practitioner, start_time: "2026-12-01T09:00" };
    await ask("consults", { ...when, patient_ids: [patient] });
    await ask("webhooks", {
      name: FOREIGN_CANARY,
      url: "https://quokka.example.test/x",
      events: ["participant.added"],
    });
    await ask("courses", { name: `${FOREIGN_CANARY} Course`, price: 10 });
    await ask("packages", { name: `${FOREIGN_CANARY} Package`, price: 10, value: 10 });
    await ask("invoices", {
      client_id: patient,
      line_items: [{ description: FOREIGN_CANARY, unit_price: 5, units: 1 }],
    });
  }

  async #asked(
    method: string,
    path: string,
    body?: object,
    clinicId = this.#clinicId,
  ): Promise<Record<string, unknown>> {
    const headers = { ...(await this.#person(clinicId, "manager")), "content-type": "application/json" };
    const answer = await this.send({ method, path, headers, body: body ? Buffer.from(JSON.stringify(body)) : null });
    if (answer.status > 299) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
    return JSON.parse(answer.text);
  }

  async #person(clinicId: number, role: "manager" | "front_desk"): Promise<Record<string, string>> {
    const place = `${role} of ${clinicId}`;
    const team = this.#people.get(place) ?? { sent: 0, members: [] };
    this.#people.set(place, team);
    const turn = Math.floor(team.sent / REQUESTS_PER_PERSON) % TEAM_PEOPLE;
    team.sent += 1;
    const member = team.members[turn] ?? (await this.#hire(clinicId, role));
    team.members[turn] = member;
    return member;
  }

  async #hire(clinicId: number, role: "manager" | "front_desk"): Promise<Record<string, string>> {
    this.#hired += 1;
    const email = `fuzz.${this.#hired}@example.test`;
    await this.#app.accounts.createStaff({ clinicId, role, name: "Fuzz Person", email, password: PASSWORD });
    const answer = await fetch(`${this.#app.publicUrl}/api/auth/sign-in/email`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: this.#app.publicUrl },
      body: JSON.stringify({ email, password: PASSWORD }),
    });
    if (!answer.ok) throw new Error(`signing in answered ${answer.status}: ${await answer.text()}`);
    return {
      cookie: answer.headers
        .getSetCookie()
        .map((cookie) => cookie.split(";")[0])
        .join("; "),
    };
  }

  #note(noun: string, id: unknown): void {
    if (typeof id !== "number" && typeof id !== "string") return;
    const known = this.ids.get(noun) ?? [];
    if (known.length === 0) this.ids.set(noun, known);
    if (!known.includes(id)) known.push(id);
    if (known.length > IDS_MAX) known.splice(KEPT_ROWS, 1);
  }

  /** Remembers the ids in an answer to an address below /v1. */
  learn(path: string, body: unknown): void {
    const noun =
      path
        .replace(/^\/v1\//, "")
        .split("/")
        .filter((part) => !part.startsWith("{"))
        .at(-1) ?? "";
    const rows = isObject(body) && Array.isArray(body.data) ? body.data : [body];
    for (const row of rows.filter(isObject)) {
      this.#note(noun, row.id);
      for (const inner of ["line_items", "payments", "credits"]) {
        for (const one of [row[inner] ?? []].flat().filter(isObject)) this.#note(inner, one.id);
      }
      this.#note("series", row.series_id);
    }
  }
}

/** A stream never ends: its beginning has to do. */
async function textOf(answer: Response): Promise<string> {
  if (!answer.headers.get("content-type")?.startsWith("text/event-stream")) return answer.text();
  const reader = answer.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  await reader?.cancel();
  return new TextDecoder().decode(value);
}

const IDS_MAX = 40;
const KEPT_ROWS = 4;

/** Starts an app of its own, on the given database or one that is made and removed; runs `work` with it. */
export async function withFuzzServer<Result>(
  databaseUrl: string | undefined,
  work: (server: FuzzServer) => Promise<Result>,
): Promise<Result> {
  const dataFolder = await mkdtemp(join(tmpdir(), "hookwell-fuzz-"));
  await chmod(dataFolder, 0o711); // root runs PostgreSQL as another user, which must be able to pass through
  const config = {
    ...{ databaseUrl, dataFolder, host: "127.0.0.1", port: 0, publicUrl: "http://localhost:0", inboxPort: 0 },
    ...{ authSecret: undefined, allowLoopback: false, mail: undefined, role: "all" as const },
    masterKey: { from: "environment" as const, keys: [createSecretKey(randomBytes(32))] },
    ...{ operatorKey: undefined, allowed: { networks: [], ports: [], httpHosts: [] } },
    ...{ hostPacePerSecond: 1_000, retentionDays: 30 },
  };
  try {
    const app = await createApp(config, { log: silentLog(), pageFolder: join(dataFolder, "page") });
    try {
      return await work(await FuzzServer.start(app));
    } finally {
      await app.stop();
    }
  } finally {
    await rm(dataFolder, { recursive: true, force: true });
  }
}
