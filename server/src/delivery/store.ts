/**
 * All the engine's SQL: one function per transition, nothing else speaks to the engine's tables while deliveries run.
 *
 * Owns: the statements in sql/ and how their rows become values. Promises: every function is one statement, hence one
 * transaction; none holds a lock while anything is sent. Does not decide anything (policy.ts) nor send (attempt.ts).
 *
 * Locks are taken in one order by all who wait for them, here and on the clinic's side: a webhook's own row, its deliveries,
 * its run, its bells; several rows of one kind by their keys, clinic first. TAKE and REFILL have the run first, for whoever
 * has it may begin its deliveries: so they never wait for a delivery, but leave out what is locked and look again. What is
 * done now and then (REST, SWEEP, expiring, lost tests) waits for nobody at all: it leaves out what is locked till next time.
 */
import type pg from "pg";
import { arrayText, byteaArrayText } from "../db/values.ts";
import type {
  Beat,
  Begun,
  Counted,
  Reaped,
  RefillRequest,
  Released,
  RunHealth,
  RunKey,
  Scan,
  SettledAttempt,
  SettledHealth,
  TakeRequest,
  TurningOff,
  Vitals,
  Warning,
} from "./engine-store.ts";
import { type ScanRow, toScan } from "./scan-rows.ts";
import { sqlFile } from "./sql-file.ts";

/** Rows of a webhook's deliveries looked at in one go, at most. */
export const WINDOW_ROWS = 200;
/** Webhooks with bells that one TAKE looks at, at most. */
const BELLS_LOOKED_AT_MAX = 256;
/** Between the end of a node's lease and its being declared dead, as reap.sql has it. */
const GRACE_MS = 5_000;
/** A test whose sender has not settled it by then was lost with its process; longer than any deadline. */
const TEST_LOST_AFTER_MS = 60_000;
const NO_HEALTH: SettledHealth = { owner: 0, health: [] };
const FIRST: RunKey = { clinicId: 0, webhookId: 0 };

interface BeatRow {
  alive: boolean;
  others_sending: number;
  others_taking: number;
  first_end_ms: number | null;
  held: number;
  orphaned: boolean;
}

/** Every statement by its name; on its way to the database it is called `engine_<name>`. */
export const STATEMENTS = {
  take: sqlFile("take"),
  refill: sqlFile("refill"),
  settle: sqlFile("settle"),
  unbegin: sqlFile("unbegin"),
  release: sqlFile("release"),
  warn: sqlFile("warn"),
  turn_off: sqlFile("turn_off"),
  register:
    "insert into nodes (name, alive_until) values ($1, now() + $2::float8 * interval '1 millisecond') returning id",
  beat: sqlFile("beat"),
  retire: "delete from nodes where id = $1",
  retire_others: "delete from nodes where id <> $1",
  reap: sqlFile("reap"),
  rest: sqlFile("rest"),
  end_lost_tests: sqlFile("end_lost_tests"),
  sweep: sqlFile("sweep"),
} as const satisfies Record<string, string>;

export class DeliveryStore {
  readonly #pool: pg.Pool;
  readonly #pulse: pg.Pool;

  /** @param pulse for the heartbeat alone, so that it waits for no other statement; by default it goes with the others */
  constructor(pool: pg.Pool, pulse: pg.Pool = pool) {
    this.#pool = pool;
    this.#pulse = pulse;
  }

  /**
   * Leases up to `webhooks` webhooks for a node and begins up to `perWebhook` deliveries of each: of one that is healthy, or,
   * one delivery each, of those whose receivers are in doubt.
   */
  async take(owner: number, request: TakeRequest): Promise<Scan> {
    const { webhooks, perWebhook, suspect, after = FIRST, room = true } = request;
    const bells = [after.clinicId, after.webhookId, BELLS_LOOKED_AT_MAX];
    const values = [owner, webhooks, WINDOW_ROWS, perWebhook, suspect, ...bells, room];
    return toScan(onlyRow(await this.#rows<ScanRow>("take", values)));
  }

  /** Goes on with webhooks that the node holds. A run without a row in the answer is ours no more. */
  async refill(owner: number, requests: readonly RefillRequest[]): Promise<Scan> {
    const values = [
      owner,
      arrayText(requests.map((r) => r.clinicId)),
      arrayText(requests.map((r) => r.webhookId)),
      arrayText(requests.map((r) => r.fence)),
      arrayText(requests.map((r) => r.cursor ?? Number.MAX_SAFE_INTEGER)),
      arrayText(requests.map((r) => r.want)),
      arrayText(requests.map((r) => r.look)),
      requests.map((r) => r.passedOver.join("\n")),
      requests.map((r) => (r.freed.length > 0 ? r.freed.join("\n") : null)),
    ];
    return toScan(onlyRow(await this.#rows<ScanRow>("refill", values)));
  }

  /**
   * Writes what came of attempts, and the health of the receivers of webhooks that `owner` holds; returns the attempts that
   * still counted for their delivery. The others are marked as late.
   */
  async settle(results: readonly SettledAttempt[], { owner, health }: SettledHealth = NO_HEALTH): Promise<Counted[]> {
    const values = [...settleValues(results), ...healthValues(health), owner];
    const { followed, last } = onlyRow(await this.#rows<SettledRow>("settle", values));
    const counted = (places: number[] | null, hasNext: boolean) =>
      (places ?? []).map((place) => toCounted(results[place - 1], hasNext));
    return [...counted(followed, true), ...counted(last, false)];
  }

  /** Takes back that deliveries were begun; only for those of which nothing has left. */
  async unbegin(begun: readonly Begun[]): Promise<void> {
    await this.#rows("unbegin", [
      begun.map((b) => b.clinicId),
      begun.map((b) => b.webhookId),
      begun.map((b) => b.id),
      begun.map((b) => b.eventId),
      begun.map((b) => b.part),
      begun.map((b) => b.fence),
      begun.map((b) => b.attempt),
      begun.map((b) => b.orderKey),
    ]);
  }

  /**
   * Puts webhooks to sleep until `nextInMs` (null: until a bell), not at all where they were changed since `version`; what a
   * node yields is first of all for others to take.
   */
  async release(owner: number, runs: readonly Released[]): Promise<void> {
    await this.#rows("release", [
      owner,
      runs.map((r) => r.clinicId),
      runs.map((r) => r.webhookId),
      runs.map((r) => r.fence),
      runs.map((r) => r.version),
      runs.map((r) => r.nextInMs),
      runs.map((r) => r.yields ?? false),
    ]);
  }

  /** Tells a clinic once how its webhook's receiver fares, and remembers how far it has been told. */
  async warn(owner: number, { run, kind, warned, details }: Warning): Promise<void> {
    const { clinicId, webhookId, fence } = run;
    await this.#rows("warn", [clinicId, webhookId, owner, fence, kind, warned, JSON.stringify(details)]);
  }

  /** Turns a webhook off, unless it was changed since `version`, and tells its clinic; what waits is kept. */
  async turnOff(key: RunKey, { version, reason, details }: TurningOff): Promise<void> {
    const kind = reason === "receiver_gone" ? "webhook.gone" : "webhook.turned_off";
    const { clinicId, webhookId } = key;
    await this.#rows("turn_off", [clinicId, webhookId, version, reason, kind, JSON.stringify(details)]);
  }

  /** A new node, alive for `leaseMs`. */
  async register(name: string, leaseMs: number): Promise<number> {
    const rows = await this.#rows<{ id: number }>("register", [name, leaseMs]);
    const id = rows[0]?.id;
    if (id === undefined) throw new Error("registering a node returned no id");
    return id;
  }

  /** Says that the node is alive, and tells it of the others. */
  async beat(owner: number, { leaseMs, takes, sendsForMs }: Beat): Promise<Vitals> {
    const values = [owner, leaseMs, takes, sendsForMs];
    const [row] = await this.#rows<BeatRow>("beat", values, this.#pulse);
    if (row === undefined) throw new Error("a heartbeat was not answered");
    const { alive, held, orphaned, first_end_ms: end } = row;
    const nextDeathMs = end === null ? null : end + GRACE_MS;
    return { alive, othersSending: row.others_sending, othersTaking: row.others_taking, nextDeathMs, held, orphaned };
  }

  /** Removes a node; what it still holds comes due at the next reap. */
  async retire(owner: number): Promise<Reaped> {
    await this.#rows("retire", [owner]);
    return this.reap();
  }

  /** Every other node is dead: only for a database that this process alone can have open. */
  async retireAllOthers(owner: number): Promise<Reaped> {
    await this.#rows("retire_others", [owner]);
    return this.reap();
  }

  /** Gives the webhooks of dead nodes back, due at once; lets those that are off rest; ends tests whose sender was lost. */
  async reap(): Promise<Reaped> {
    await this.#rows("rest", []);
    await this.#rows("end_lost_tests", [TEST_LOST_AFTER_MS]);
    // Last: what it has committed is told, and nothing that fails afterwards can keep it from being told.
    return onlyRow(await this.#rows<Reaped>("reap", []));
  }

  /** Wakes webhooks that sleep although something waits for them, and returns how many: more than none is an alarm. */
  async sweep(): Promise<number> {
    return (await this.#rows("sweep", [])).length;
  }

  async #rows<Row extends pg.QueryResultRow>(
    name: keyof typeof STATEMENTS,
    values: unknown[],
    pool = this.#pool,
  ): Promise<Row[]> {
    const { rows } = await pool.query<Row>({ name: `engine_${name}`, text: STATEMENTS[name], values });
    return rows;
  }
}

/** Places (from 1) among the results of those that counted: those after which their subject has another, and the others. */
interface SettledRow {
  followed: number[] | null;
  last: number[] | null;
}

function toCounted(result: SettledAttempt | undefined, hasNext: boolean): Counted {
  if (result === undefined) throw new Error("settling counted a result that was not given");
  const { clinicId, webhookId, id } = result.begun;
  return { clinicId, webhookId, id, hasNext };
}

function onlyRow<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error("a statement of one row returned none");
  return row;
}

function settleValues(results: readonly SettledAttempt[]): unknown[] {
  const begun = results.map((r) => r.begun);
  return [
    arrayText(begun.map((b) => b.clinicId)),
    arrayText(begun.map((b) => b.webhookId)),
    arrayText(begun.map((b) => b.id)),
    arrayText(begun.map((b) => b.eventId)),
    arrayText(begun.map((b) => b.part)),
    arrayText(begun.map((b) => b.fence)),
    arrayText(begun.map((b) => b.attempt)),
    arrayText(results.map((r) => r.startedMsAgo)),
    arrayText(results.map((r) => r.durationMs)),
    arrayText(results.map((r) => r.outcome)),
    arrayText(results.map((r) => r.status)),
    arrayText(results.map((r) => r.choice?.practitioner ?? null)),
    arrayText(results.map((r) => r.choice?.patient ?? null)),
    arrayText(results.map((r) => r.bodySent)),
    byteaArrayText(results.map((r) => r.answer)),
    arrayText(results.map((r) => (r.next.do === "retry" ? r.next.inMs : null))),
    arrayText(results.map((r) => (r.next.do === "finish" ? r.next.state : null))),
    arrayText(results.map((r) => (r.next.do === "finish" ? r.next.reason : null))),
    arrayText(begun.map((b) => b.test)),
    arrayText(results.map((r) => r.version)),
    begun.map((b) => b.orderKey),
  ];
}

function healthValues(health: readonly RunHealth[]): unknown[] {
  return [
    arrayText(health.map((h) => h.clinicId)),
    arrayText(health.map((h) => h.webhookId)),
    arrayText(health.map((h) => h.fence)),
    arrayText(health.map((h) => h.version)),
    arrayText(health.map((h) => h.failures)),
    arrayText(health.map((h) => h.failingMs)),
    arrayText(health.map((h) => h.probes)),
    arrayText(health.map((h) => h.parked)),
  ];
}
