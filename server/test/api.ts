/**
 * The whole API on a database of its own, with a clinic and signed-in staff. Requests go through the real server
 * (`app.inject`), real sessions and real row-level security.
 */
import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { createAccounts } from "../src/accounts/accounts.ts";
import type { StaffRole } from "../src/accounts/principal.ts";
import type { ApiContext } from "../src/api/context.ts";
import { OPEN_ROUTES, V1_ROUTES } from "../src/api/routes.ts";
import { type App, createServer } from "../src/api/server.ts";
import { createClinic } from "../src/clinic/clinics.ts";
import { type Clock, systemClock } from "../src/clock.ts";
import { createKysely } from "../src/db/pool.ts";
import type { Db } from "../src/db/schema.ts";
import { Sender } from "../src/delivery/sender.ts";
import { DeliveryStore } from "../src/delivery/store.ts";
import { Targets } from "../src/delivery/targets.ts";
import { sendTest } from "../src/delivery/test-send.ts";
import { createEgress } from "../src/egress/client.ts";
import type { MailSender } from "../src/egress/mail.ts";
import type { Log } from "../src/log.ts";
import { Seal } from "../src/seal/seal.ts";
import { hear, noteSecret, noteSecrets, watchedLog } from "./canary/watch.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

export const TEST_ORIGIN = "http://localhost:4400";
/** Nothing listens there in these tests. */
const TEST_INBOX_PREFIX = "http://localhost:4401/inbox/";
const PASSWORD = "correct horse battery staple";

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  /** The body as JSON; null where it is empty. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read into answers freely, and a wrong path fails the assertion
  readonly json: any;
}

interface Call {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE" | "PUT";
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Where the request comes from; this machine by default. */
  readonly remoteAddress?: string;
}

/** Calls the API as one member of staff: `await manager("/v1/me")`. */
export type Caller = (path: string, call?: Call) => Promise<Answer>;

export interface TestApi {
  readonly app: App;
  readonly db: Db;
  readonly database: TestDatabase;
  readonly context: ApiContext;
  /** What signs the sessions; a second node has the same. */
  readonly secret: string;
  /** How often the dispatcher was woken so far. */
  nudges(): number;
  /** Nobody is signed in. */
  readonly anonymous: Caller;
  /** Under which everything is sealed, for commands that run beside the server. */
  readonly masterKey: KeyObject;
  /** A new clinic with a manager; the other roles have one person each as soon as they call. */
  newClinic(options?: { timeZone?: string; hasAcademy?: boolean }): Promise<TestClinic>;
  close(): Promise<void>;
}

export interface TestClinic {
  readonly id: number;
  readonly as: Record<StaffRole, Caller>;
  readonly emails: Record<StaffRole, string>;
  readonly password: string;
}

export interface TestApiOptions {
  readonly clock?: Clock;
  readonly log?: Log;
  readonly publicUrl?: string;
  /** Webhooks may have addresses on this machine; closed by default, as in production. */
  readonly allowLoopback?: boolean;
  /** Without one there is no mail server, as on a fresh machine. */
  readonly mail?: MailSender;
  /** What signs sessions, and under what everything is sealed; by chance by default. */
  readonly secret?: string;
  readonly masterKey?: KeyObject;
  /** Where names are looked up; the system's name servers by default. */
  readonly nameServers?: readonly string[];
}

/** Starts it; call `close` in `afterAll`. */
export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const log = options.log ?? watchedLog();
  const clock = options.clock ?? systemClock;
  const publicUrl = options.publicUrl ?? TEST_ORIGIN;
  const database = await createTestDatabase({ log });
  const db = createKysely(database.pools.app);
  const { masterKey = createSecretKey(randomBytes(32)) } = options;
  const seal = new Seal(masterKey);
  const { secret = randomBytes(32).toString("base64url") } = options;
  for (const one of [secret, PASSWORD]) noteSecret(one);
  const { monotonicMs } = clock;
  const mail = options.mail ?? null;
  const accounts = createAccounts({ db, authPool: database.pools.auth, secret, publicUrl, log, monotonicMs, mail });
  let nudges = 0;
  const egress = createEgress({
    rules: { allowLoopback: options.allowLoopback ?? false, inboxUrlPrefix: TEST_INBOX_PREFIX },
    monotonicMs: clock.monotonicMs,
    ...(options.nameServers && { nameServers: options.nameServers }),
  });
  const dispatch = createKysely(database.pools.dispatch);
  const targets = new Targets({ db: dispatch, seal, clock });
  const sender = new Sender({ db: dispatch, clock, log, egress, targets });
  const store = new DeliveryStore(database.pools.engine);
  const context: ApiContext = {
    db,
    seal,
    clock,
    log,
    publicUrl,
    accounts,
    sendsEmail: mail !== null,
    outbox: { seal, clock },
    egress,
    sendTest: (test) => sendTest({ db, seal, clock, store, targets, sender }, test),
    inboxUrlPrefix: TEST_INBOX_PREFIX,
    allowLoopback: options.allowLoopback ?? false,
    retentionDays: 30,
    nudge: () => {
      nudges += 1;
    },
  };
  const app = await createServer(context, { v1: V1_ROUTES, open: OPEN_ROUTES });
  await app.ready();
  const owner = createKysely(database.pools.owner);
  return {
    app,
    db,
    database,
    context,
    secret,
    masterKey,
    nudges: () => nudges,
    anonymous: callerOf(app),
    async newClinic(settings = {}) {
      const clinic = await createClinic(owner, seal, {
        name: "Test Clinic",
        timeZone: settings.timeZone ?? "America/Toronto",
        hasAcademy: settings.hasAcademy ?? true,
      });
      const manager = newStaff({ app, accounts }, clinic.id, "manager");
      const practitioner = newStaff({ app, accounts }, clinic.id, "practitioner");
      const frontDesk = newStaff({ app, accounts }, clinic.id, "front_desk");
      await manager.exists();
      return {
        id: clinic.id,
        as: { manager: manager.call, practitioner: practitioner.call, front_desk: frontDesk.call },
        emails: { manager: manager.email, practitioner: practitioner.email, front_desk: frontDesk.email },
        password: PASSWORD,
      };
    },
    async close() {
      await app.close();
      await accounts.close();
      await egress.close();
      await database.drop();
    },
  };
}

type Parts = { app: App; accounts: ReturnType<typeof createAccounts> };

function newStaff({ app, accounts }: Parts, clinicId: number, role: StaffRole) {
  const email = `${role.replace("_", "-")}.${clinicId}@example.test`;
  // A password costs a tenth of a second and more of hashing, and signing in as much again: both wait until they are needed.
  let created: Promise<unknown> | undefined;
  let signedIn: Promise<Caller> | undefined;
  const exists = () => {
    created ??= accounts.createStaff({ clinicId, role, name: `Test ${role}`, email, password: PASSWORD });
    return created;
  };
  const call: Caller = async (path, options) => {
    signedIn ??= exists().then(() => signIn(app, { email, password: PASSWORD }));
    return (await signedIn)(path, options);
  };
  return { email, call, exists };
}

/** Signs in through the real route. Each call comes from an address of its own, so that limits do not add up. */
export async function signIn(app: App, credentials: { email: string; password: string }): Promise<Caller> {
  const answer = await app.inject({
    method: "POST",
    url: "/api/auth/sign-in/email",
    payload: credentials,
    remoteAddress: anyAddress(),
  });
  if (answer.statusCode !== 200) throw new Error(`signing in answered ${answer.statusCode}: ${answer.body}`);
  return callerOf(app, cookieOf(answer));
}

/** The cookies that an answer sets, as a browser sends them back; those that it takes away are left out. */
export function cookieOf({ headers }: { headers: Record<string, unknown> }): string {
  return [headers["set-cookie"] ?? []]
    .flat()
    .map(String)
    .filter((cookie) => !/max-age=0/i.test(cookie))
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
}

/** Calls with such cookies. */
export function callerWith(app: App, cookies: string): Caller {
  return callerOf(app, cookies);
}

/** Of a client that was not seen before, more or less. */
export function anyAddress(): string {
  return `10.${[...randomBytes(3)].join(".")}`;
}

/** Calls with the given cookies, or without any. */
function callerOf(app: App, cookie?: string): Caller {
  return async (path, { method = "GET", body, headers = {}, remoteAddress } = {}) => {
    const answer = await app.inject({
      method,
      url: path,
      headers: { ...(cookie === undefined ? {} : { cookie }), ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
    });
    const json = answer.body === "" ? null : parse(answer.body);
    noteSecrets(body);
    if (answer.statusCode < 300) noteSecrets(json);
    else hear(`refusal of ${method} ${path.split("?", 1)[0]}`, answer.body);
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, json };
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
