/**
 * A change asked for over HTTP: one transaction that sees one clinic, done once per `Idempotency-Key`.
 *
 * Promises: the key is written in the transaction of the change itself, so that a key without its change, or a change
 * without its key, cannot exist; the same request with the same key gets the same answer for 7 days, less what is shown
 * once; a duplicate that comes while the first is still running waits for it. A refused or failed command keeps no key.
 * After the commit the dispatcher is woken.
 */
import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { sql } from "kysely";
import type { Principal } from "../accounts/principal.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { conflict, invalid } from "../errors.ts";
import type { ApiContext } from "./context.ts";

const IDEMPOTENCY_KEY_MAX_CHARACTERS = 128;
/** Longer than anything that waits for the outside world: a test send has 15 s. */
const ANSWER_LOST_AFTER_SECONDS = 60;
const KEY_PATTERN = /^[\x21-\x7e]{1,128}$/;

/** What becomes the response; no body means 204-like emptiness. */
export interface CommandAnswer {
  readonly status: number;
  readonly body?: unknown;
  /** What is kept for the same request, and answered to it, where that is less: a secret is shown once. */
  readonly kept?: unknown;
}

/** What a command reaches for; the whole of an ApiContext will do. */
export interface CommandContext extends Pick<ApiContext, "db" | "seal" | "nudge"> {
  /** How its transaction is made: `inClinic` unless somebody has another way. */
  transact?<Result>(clinicId: number, work: (tx: Tx) => Promise<Result>): Promise<Result>;
}

/** What of a Fastify request is needed here. */
export interface CommandRequest {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
  readonly principal: Principal;
}

/** What of a Fastify reply is needed here, whatever response schemas its route has. */
export interface CommandReply {
  code(status: number): { send(body: never): Thenable };
  header(name: string, value: string): unknown;
}

/** Fulfilled when the answer has left; not quite a promise, but it can be awaited. */
interface Thenable {
  then(fulfilled: () => void, rejected: (error: Error) => void): void;
}

/**
 * Runs `work` in the principal's clinic and sends its answer. Throws what `work` throws, after rolling back, and
 * `idempotency_key_reused` where the key was used for another request.
 */
export async function command(
  request: CommandRequest,
  reply: CommandReply,
  context: CommandContext,
  work: (tx: Tx) => Promise<CommandAnswer>,
): Promise<void> {
  const { clinicId } = request.principal;
  const key = readKey(request);
  const inTransaction = async (tx: Tx) => {
    if (key === null) return { answer: await work(tx), replayed: false };
    return once({ tx, key, clinicId, context }, work);
  };
  const { answer, replayed } = await (context.transact?.(clinicId, inTransaction) ??
    inClinic(context.db, clinicId, inTransaction));
  context.nudge(clinicId);
  if (replayed) reply.header("idempotency-replayed", "true");
  await reply.code(answer.status).send(answer.body as never);
}

/**
 * Like `command`, for work that waits for the outside world and must hold no transaction meanwhile. The key is taken first,
 * in a transaction of its own; a duplicate that comes before the answer gets 409 `still_running`. Where `work` throws, the
 * key is given back.
 */
export async function commandOutside(
  request: CommandRequest,
  reply: CommandReply,
  context: ApiContext,
  work: () => Promise<CommandAnswer>,
): Promise<void> {
  const { clinicId } = request.principal;
  const key = readKey(request);
  const inside =
    <Result>(step: (once: Once) => Promise<Result>) =>
    (known: Key) =>
      inClinic(context.db, clinicId, (tx) => step({ tx, key: known, clinicId, context }));
  const before = key && (await inside(takeOrReplay)(key));
  if (before) reply.header("idempotency-replayed", "true");
  const answer = before || (await workOrGiveBack(work, () => key && inside(giveBack)(key)));
  if (key && !before) await inside((once) => keep(once, answer))(key);
  await reply.code(answer.status).send(answer.body as never);
}

async function workOrGiveBack(
  work: () => Promise<CommandAnswer>,
  giveKeyBack: () => Promise<void> | null,
): Promise<CommandAnswer> {
  try {
    return await work();
  } catch (error) {
    await giveKeyBack();
    throw error;
  }
}

interface Key {
  readonly hash: Buffer;
  readonly requestHash: Buffer;
}

interface Once {
  readonly tx: Tx;
  readonly key: Key;
  readonly clinicId: number;
  readonly context: Pick<ApiContext, "seal">;
}

function readKey(request: CommandRequest): Key | null {
  const text = request.headers["idempotency-key"];
  if (text === undefined) return null;
  if (typeof text !== "string" || !KEY_PATTERN.test(text)) {
    throw invalid(
      "Idempotency-Key",
      `Send 1 to ${IDEMPOTENCY_KEY_MAX_CHARACTERS} visible ASCII characters.`,
      "idempotency_key",
    );
  }
  const { userId } = request.principal;
  return {
    // Two people who happen to choose the same key must not see each other's answers.
    hash: sha256([userId, text]),
    requestHash: sha256([request.method, request.url, JSON.stringify(request.body ?? null)]),
  };
}

function sha256(parts: readonly string[]): Buffer {
  return createHash("sha256").update(JSON.stringify(parts)).digest();
}

async function once(
  input: Once,
  work: (tx: Tx) => Promise<CommandAnswer>,
): Promise<{ answer: CommandAnswer; replayed: boolean }> {
  const before = await takeOrReplay(input);
  if (before !== null) return { answer: before, replayed: true };
  const answer = await work(input.tx);
  await keep(input, answer);
  return { answer, replayed: false };
}

/** Null when the key is ours from now on, otherwise what was answered to it. */
async function takeOrReplay(input: Once): Promise<CommandAnswer | null> {
  const { tx, key, clinicId } = input;
  // Where another transaction has just inserted the same key, this waits until that one has ended.
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto("idempotency_keys")
    .values({ clinic_id: clinicId, key_hash: key.hash, request_hash: key.requestHash })
    .onConflict((conflicting) => conflicting.columns(["clinic_id", "key_hash"]).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 0n && !(await takeOver(input)) ? replay(input) : null;
}

/** A key that was taken but never got its answer, because the process was lost in between, is free again after a while. */
async function takeOver({ tx, key, clinicId }: Once): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("idempotency_keys")
    .set({ request_hash: key.requestHash, created_at: sql<Temporal.Instant>`now()` })
    .where("clinic_id", "=", clinicId)
    .where("key_hash", "=", key.hash)
    .where("status", "is", null)
    .where("created_at", "<", sql<Temporal.Instant>`now() - make_interval(secs => ${ANSWER_LOST_AFTER_SECONDS})`)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

async function giveBack({ tx, key, clinicId }: Once): Promise<void> {
  await tx
    .deleteFrom("idempotency_keys")
    .where("clinic_id", "=", clinicId)
    .where("key_hash", "=", key.hash)
    .where("status", "is", null)
    .execute();
}

async function keep({ tx, key, clinicId, context }: Once, answer: CommandAnswer): Promise<void> {
  const seal = await context.seal.forClinic(tx, clinicId);
  const text = JSON.stringify((answer.kept === undefined ? answer.body : answer.kept) ?? null);
  await tx
    .updateTable("idempotency_keys")
    .set({ status: answer.status, answer: seal.seal(placeOf(key), text) })
    .where("clinic_id", "=", clinicId)
    .where("key_hash", "=", key.hash)
    .execute();
}

async function replay({ tx, key, clinicId, context }: Once): Promise<CommandAnswer> {
  const row = await tx
    .selectFrom("idempotency_keys")
    .select(["request_hash", "status", "answer"])
    .where("clinic_id", "=", clinicId)
    .where("key_hash", "=", key.hash)
    .executeTakeFirstOrThrow();
  if (!row.request_hash.equals(key.requestHash)) {
    throw conflict(
      "idempotency_key_reused",
      "This Idempotency-Key was used for another request. Use a new key for a new request.",
    );
  }
  if (row.status === null || row.answer === null) {
    throw conflict(
      "still_running",
      "The first request with this Idempotency-Key is still running. Ask again in a moment.",
    );
  }
  const seal = await context.seal.forClinic(tx, clinicId);
  const body: unknown = JSON.parse(seal.open(placeOf(key), row.answer));
  return { status: row.status, body: body ?? undefined };
}

function placeOf(key: Key) {
  return { column: "idempotency_keys.answer", row: key.hash.toString("hex") } as const;
}
