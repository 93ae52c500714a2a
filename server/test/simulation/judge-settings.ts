/**
 * The judge of a simulated history, as to what people have changed: contract §6 and §7, to the moment. An attempt goes where,
 * is signed as, and carries what the webhook's settings say at some moment between the look by which it was begun and its
 * sending; what was erased before that look does not leave; and a recovery sends what has not arrived, and nothing else.
 */
import { createSigner } from "@hookwell/sdk/signature-node";
import { type Span, WIDTH } from "../../../proof/history/history.ts";
import { observe } from "../../../proof/history/reading.ts";
import { FAILURES_TO_PARK } from "../../src/delivery/health.ts";
import type { WebhookRow } from "../model/tables.ts";
import type { Case } from "./judge.ts";
import type { Post } from "./network.ts";
import type { World } from "./world.ts";

const BLOCKS = ["practitioner", "patient"] as const;

export function settings(world: World, cases: readonly Case[]): string[] {
  const known = new Map(cases.map((one) => [one.id, one]));
  return world.network.posts.flatMap((post) => {
    const span = { fromMs: lookedMs(world, post), untilMs: post.atMs };
    const name = `${post.id}#${post.attempt}`;
    return [
      ...(inForce(world, post.webhook, span).some(({ host }) => host === post.host)
        ? []
        : [`${name} went to ${post.host}, which was not the address of webhook ${post.webhook}`]),
      ...(isSigned(world, post, span) ? [] : [`${name} was not signed with each live secret, and no other`]),
      ...beyondChoice(world, known.get(post.id), post).map(
        (block) => `${name} carried more of the ${block} than was chosen`,
      ),
      ...(isProbeTooSoon(world, post) ? [`${name} was a probe of an address that had not failed`] : []),
    ];
  });
}

/** When whatever began it, the last time before it was sent, looked at the tables. */
function lookedMs({ claims }: World, { id, attempt, atMs }: Post): number {
  const looks = claims.get(`${id}#${attempt}`) ?? [];
  return looks.findLast((ms) => ms <= atMs) ?? atMs;
}

/** The settings that a webhook had at some moment of this time. */
function inForce({ settings: all }: World, webhookId: number, { fromMs, untilMs }: Span): WebhookRow[] {
  const own = all.filter(({ row }) => row.webhookId === webhookId);
  return own
    .filter((one, at) => one.fromMs <= untilMs && (own[at + 1]?.fromMs ?? untilMs) >= fromMs)
    .map(({ row }) => row);
}

/** A clock that was set while a signer was kept ends a secret that much earlier or later. */
function isSigned({ clinic: { secrets }, databaseClock: { movedMs } }: World, post: Post, span: Span): boolean {
  const [fromMs, untilMs] = [span.fromMs - movedMs, span.untilMs + movedMs];
  const changes = secrets.all.flatMap((one) => [one.fromMs, one.revokedMs]).filter((ms) => ms > fromMs && ms < untilMs);
  const seconds = Number(post.headers["webhook-timestamp"]);
  return [fromMs, span.fromMs, span.untilMs, untilMs, ...changes].some((ms) => {
    const live = secrets.live(post.webhook, ms).map(({ secret }) => secret);
    return live.length > 0 && createSigner(live)(post.id, seconds, post.body) === post.headers["webhook-signature"];
  });
}

/** What was chosen when the event happened *and* when it was sent, and no more. */
function beyondChoice(world: World, its: Case | undefined, post: Post) {
  const { carried } = observe({ ...post, webhook: String(post.webhook), status: null });
  if (!its || !carried) return [];
  const { beganMs, doneMs } = its.event;
  const now = inForce(world, post.webhook, { fromMs: lookedMs(world, post), untilMs: post.atMs });
  const then = inForce(world, post.webhook, { fromMs: beganMs, untilMs: doneMs });
  const widest = (rows: WebhookRow[], block: (typeof BLOCKS)[number]) =>
    Math.max(0, ...rows.map(({ choice }) => WIDTH[choice[block]]));
  return BLOCKS.filter((block) => WIDTH[carried[block]] > Math.min(widest(now, block), widest(then, block)));
}

/** A changed address ends a parking: the new one is parked for failures of its own. */
function isProbeTooSoon({ network }: World, { webhook, host, isProbe, atMs }: Post): boolean {
  if (!isProbe) return false;
  const own = network.posts.filter((post) => post.webhook === webhook && post.host === host && post.atMs < atMs);
  return own.length < FAILURES_TO_PARK;
}

/** What was erased does not leave. */
export function withdrawn(world: World, cases: readonly Case[]): string[] {
  const known = new Map(cases.map((one) => [one.id, one]));
  return world.network.posts
    .filter((post) => lookedMs(world, post) > (known.get(post.id)?.erasedMs ?? Number.POSITIVE_INFINITY))
    .map(({ id, attempt }) => `${id}#${attempt} left after its content had been erased`);
}

/** A recovery sends what was committed, waits no more and has not arrived, by the receivers' log, and nothing that has. */
export function recovered(world: World, cases: readonly Case[]): string[] {
  const posts = Map.groupBy(world.network.posts, ({ id }) => id);
  return world.clinic.recoveries.flatMap((recovery) => {
    const { webhookId, atMs, waiting, kept } = recovery;
    const own = cases.filter((one) => one.webhookId === webhookId && one.event.doneMs <= atMs);
    const taken = new Set(recovery.taken);
    const isGone = world.settings.some(({ row }) => row.webhookId === webhookId && row.deleted);
    const isSent = ({ id }: Case) => posts.get(id)?.some((post) => post.atMs >= atMs) ?? false;
    const owed = own.filter(
      (one) => kept.has(one.event.eventId) && !waiting.has(one.id) && !hasArrived(world, one, atMs),
    );
    return [
      ...owed
        .filter((one) => !isGone && one.erasedMs === Number.POSITIVE_INFINITY && !isSent(one))
        .filter((one) => hasEnded(world, one, atMs))
        .map(({ id }) => `${id} had not arrived, and a recovery has not sent it`),
      ...own
        .filter((one) => taken.has(one.id) && hasArrived(world, one, atMs))
        .map(({ id }) => `${id} was recovered although it had arrived`),
    ];
  });
}

/** Since it was last sent again, if it was, and its answer was heard in time; an answer that was not may be asked for again. */
function hasArrived({ clinic }: World, { id, receptions, attempts }: Case, atMs: number): boolean {
  const sinceMs = clinic.resent.get(id)?.findLast((ms) => ms < atMs) ?? Number.NEGATIVE_INFINITY;
  const heard = new Set(attempts.filter((row) => row.outcome === "answered" && !row.late).map((row) => row.attempt));
  return receptions.some(
    ({ status, attempt, receivedMs }) =>
      status >= 200 && status < 300 && heard.has(attempt) && receivedMs > sinceMs && receivedMs <= atMs,
  );
}

/** By a clock that was set back since, it may not have ended yet. */
function hasEnded({ ends, databaseClock }: World, { id }: Case, atMs: number): boolean {
  const endMs = ends.get(id)?.findLast((ms) => ms <= atMs) ?? 0;
  return databaseClock.at(endMs) <= databaseClock.at(atMs);
}
