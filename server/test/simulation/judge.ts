/**
 * The judge of a simulated history. It reads the clinic's book of what was committed, what was posted and what the
 * receivers got, and the rows that are left; it knows contract §7 and nothing of how the engine works. Each violation is a
 * sentence.
 */
import type { Violation } from "../../../proof/history/history.ts";
import { judge as judgeEvidence } from "../../../proof/history/judge.ts";
import { PROBE_WAITS_MS } from "../../src/delivery/health.ts";
import { RETRY_WAITS_MS } from "../../src/delivery/policy.ts";
import { deliveryId } from "../../src/outbox/identifiers.ts";
import type { AttemptRow, FinishedRow } from "../model/tables.ts";
import type { Committed } from "./clinic.ts";
import { evidenceOf } from "./evidence.ts";
import { recovered, settings, withdrawn } from "./judge-settings.ts";
import type { Post, Reception } from "./network.ts";
import { EPOCH_MS } from "./process.ts";
import type { World } from "./world.ts";

const ATTEMPTS_PER_SCHEDULE = 10;
const SHORTEST_JITTER = 0.9;
const DAY_MS = 86_400_000;
/** The database is down for less than this in one piece. */
const WRITTEN_DOWN_AFTER_MS = 120_000;
/** From looking at a webhook's settings to sending: a process may stand still for a minute in between, and not only once. */
const SLACK_MS = 180_000;
/** Wall clocks jump by up to two hours, a few times. */
const CLOCK_MOVED_MS = 8 * 3_600_000;
/** From the end of trouble on: a lease runs out, is taken over, and what was held is looked at. */
const RECOVERY_MS = 120_000;

/** One delivery that should exist, and all that is known of it. */
export interface Case {
  id: string;
  webhookId: number;
  event: Committed;
  /** the webhook was on when it was emitted */
  on: boolean;
  isResent: boolean;
  /** ms of simulated time at which somebody erased its content; infinite where nobody did */
  erasedMs: number;
  /** when it ended for the first time */
  endedMs: number;
  finished: FinishedRow | undefined;
  /** by number */
  attempts: AttemptRow[];
  receptions: Reception[];
}

export async function judge(world: World): Promise<string[]> {
  const cases = casesOf(world);
  // Where the database's clock was set, a lease runs out earlier or later than its node can know.
  const isOnTime = world.databaseClock.jumps.length === 0;
  return [
    ...cases.flatMap((one) => [...ending(one), ...repeats(one), ...content(one), ...haste(world, one)]),
    ...settings(world, cases),
    ...withdrawn(world, cases),
    ...recovered(world, cases),
    ...strangers(world, cases),
    ...order(cases),
    ...numbers(world, cases),
    ...sending(world),
    ...(isOnTime ? beyondLease(world) : []),
    ...unheard(world),
    ...notices(world),
    ...probes(world),
    ...complaints(world),
    ...(world.plan.isCalm ? calmness(world, cases) : []),
    ...(await independent(world)),
  ];
}

/** How long the nodes have to come to rest again after the trouble: what a dead one holds is its own until its time by the database's clock. */
export function recoveryMs({ databaseClock }: World): number {
  return RECOVERY_MS + databaseClock.movedMs;
}

function casesOf({ clinic, model, network, ends }: World): Case[] {
  const receptions = Map.groupBy(network.receptions, ({ id }) => id);
  const attempts = Map.groupBy(model.tables.attempts.values(), deliveryId);
  const finished = new Map([...model.tables.finished.values()].map((row) => [deliveryId(row), row]));
  return clinic.committed.flatMap((event) =>
    event.expected.map(({ webhookId, on }): Case => {
      const id = deliveryId({ eventId: event.eventId, webhookId, part: 0 });
      return {
        ...{ id, webhookId, event, on, isResent: clinic.resent.has(id), finished: finished.get(id) },
        ...{
          erasedMs: clinic.erased.get(event.eventId) ?? Number.POSITIVE_INFINITY,
          endedMs: ends.get(id)?.[0] ?? Number.NaN,
        },
        attempts: (attempts.get(id) ?? []).sort((a, b) => a.attempt - b.attempt),
        receptions: receptions.get(id) ?? [],
      };
    }),
  );
}

const isAccepted = ({ status }: { status: number | null }) => status !== null && status >= 200 && status < 300;

/** Every accepted event ends, in a state that what happened allows. */
function ending({ id, finished, receptions, attempts, on, isResent, erasedMs }: Case): string[] {
  if (!finished) return [`${id} has not ended`];
  const { state, reason } = finished;
  if (state === "delivered" && !receptions.some(isAccepted)) return [`${id} counts as delivered and never arrived`];
  if (state === "given_up" && attempts.length < ATTEMPTS_PER_SCHEDULE) return [`${id} was given up too early`];
  if (reason === "expired" && erasedMs === Number.POSITIVE_INFINITY) return [`${id} lost its content while it waited`];
  if (reason === "off" && on) return [`${id} was dropped as off`];
  if (!on && !isResent && reason !== "off") return [`${id} was sent although its webhook was off`];
  return [];
}

/** After an attempt that is known to have succeeded there is no other, unless somebody sends it again. */
function repeats({ id, attempts, isResent }: Case): string[] {
  if (isResent) return [];
  return attempts
    .slice(0, -1)
    .filter((row) => row.outcome === "answered" && isAccepted(row) && !row.late)
    .map(({ attempt }) => `${id} was sent again although attempt ${attempt} had succeeded`);
}

/** Between an attempt that failed and the next lies at least the schedule's wait, unless the database's clock was set meanwhile. */
function haste({ databaseClock }: World, { id, attempts, receptions, isResent }: Case): string[] {
  if (isResent) return [];
  return attempts.flatMap(({ attempt, outcome, late }) => {
    const receivedMs = (n: number) => receptions.find((r) => r.attempt === n)?.receivedMs;
    const [one, next] = [receivedMs(attempt), receivedMs(attempt + 1)];
    const wait = (RETRY_WAITS_MS[attempt - 1] ?? 0) * SHORTEST_JITTER;
    if (late || outcome === "unknown" || one === undefined || next === undefined || next - one >= wait) return [];
    if (!databaseClock.isSteady(one, next)) return [];
    return [`${id}: attempt ${attempt + 1} came ${(next - one).toFixed(0)} ms after the one before`];
  });
}

/** The same id is the same body, number, subject and version, and they are those of its event. */
function content({ id, event, receptions, finished }: Case): string[] {
  return receptions.flatMap((got) => {
    const [first] = JSON.parse(got.body) as { consult: { id: number } }[];
    const isIts = first?.consult.id === event.number && got.subject === event.subject && got.version === event.version;
    if (!isIts) return [`${id} arrived with what is not its own`];
    if (finished && got.sequence !== finished.sequence)
      return [`${id} arrived under number ${got.sequence}, not ${finished.sequence}`];
    return [];
  });
}

/** Nothing arrives that was not committed for that address. */
function strangers({ network }: World, cases: readonly Case[]): string[] {
  const known = new Map(cases.map((one) => [one.id, one]));
  return network.receptions
    .filter(({ id, webhook }) => known.get(id)?.webhookId !== webhook)
    .map(({ id, webhook }) => `${id} arrived at webhook ${webhook} and was never committed for it`);
}

/** A later event of a subject is not sent before an earlier one is delivered or given up. */
function order(cases: readonly Case[]): string[] {
  const inOrder = cases.filter((one) => one.on);
  const groups = Map.groupBy(inOrder, ({ webhookId, event }) => `webhook ${webhookId}, ${event.subject}`);
  return [...groups].flatMap(([name, group]) => {
    const sorted = group.toSorted((a, b) => a.event.version - b.event.version);
    return sorted.flatMap((later, at) => {
      const firstMs = later.receptions[0]?.atMs;
      if (firstMs === undefined) return [];
      return sorted
        .slice(0, at)
        .filter((earlier) => !isOutOfTheWay(earlier, firstMs))
        .map((earlier) => `${name}: version ${later.event.version} was sent before ${earlier.event.version} had ended`);
    });
  });
}

function isOutOfTheWay({ receptions, finished, isResent, endedMs }: Case, atMs: number): boolean {
  if (isResent && endedMs <= atMs) return true;
  if (finished?.state === "given_up" || finished?.reason === "deleted" || finished?.reason === "expired") return true;
  return receptions.some((got) => isAccepted(got) && got.receivedMs <= atMs);
}

/** Per webhook the numbers are 1 … n, each for one delivery. */
function numbers({ clinic }: World, cases: readonly Case[]): string[] {
  return clinic.webhooks.flatMap(({ webhookId }) => {
    const given = cases
      .filter((one) => one.webhookId === webhookId)
      .flatMap(({ finished }) => finished?.sequence ?? [])
      .sort((a, b) => a - b);
    const at = given.findIndex((sequence, index) => sequence !== index + 1);
    return at < 0 ? [] : [`webhook ${webhookId}: number ${at + 1} is missing or doubled`];
  });
}

/** No attempt is sent twice; each leaves its row. Each begins under a lease that reaches its deadline. */
function sending({ network, model }: World): string[] {
  const rows = new Set([...model.tables.attempts.values()].map((row) => `${deliveryId(row)}#${row.attempt}`));
  const attempts = Map.groupBy(network.posts, ({ id, attempt }) => `${id}#${attempt}`);
  return [
    ...[...attempts].filter(([, posts]) => posts.length > 1).map(([name]) => `${name} was sent twice`),
    ...[...attempts.keys()].filter((name) => !rows.has(name)).map((name) => `${name} left no attempt row`),
  ];
}

function beyondLease({ network }: World): string[] {
  return network.posts
    .filter(({ leaseReaches }) => !leaseReaches)
    .map(({ id, attempt, process }) => `${process.name} sent ${id}#${attempt} beyond its lease`);
}

/** An answer that a node has heard is written down, whatever becomes of its lease, as long as the node lives. */
function unheard({ network, model }: World): string[] {
  const unknown = new Set(
    [...model.tables.attempts.values()]
      .filter(({ outcome }) => outcome === "unknown")
      .map((row) => `${deliveryId(row)}#${row.attempt}`),
  );
  return network.posts
    .filter(({ heardMs, process }) => heardMs !== null && process.endMs > heardMs + WRITTEN_DOWN_AFTER_MS)
    .map(({ id, attempt }) => `${id}#${attempt}`)
    .filter((name) => unknown.has(name))
    .map((name) => `${name} was answered, and its node has forgotten it`);
}

/** A webhook is turned off for failing only where its clinic was warned a day before. */
function notices({ model }: World): string[] {
  const told = [...model.tables.notices.values()];
  return told
    .filter(({ kind }) => kind === "webhook.turned_off")
    .filter(({ webhookId, at }) => {
      const warnings = told.filter((one) => one.webhookId === webhookId && one.kind === "webhook.off_soon");
      return !warnings.some((warning) => at - warning.at >= DAY_MS);
    })
    .map(({ webhookId }) => `webhook ${webhookId} was turned off without a warning a day before`);
}

/**
 * Once nothing else goes wrong, a parked webhook is left alone for the shortest wait at least, unless a probe has succeeded:
 * then it drains, be that written down already or not.
 */
function probes(world: World): string[] {
  const { network, plan } = world;
  const waitMs = PROBE_WAITS_MS[0] ?? 0;
  const late = network.posts.filter(({ atMs, isProbe }) => isProbe && atMs > plan.troubleMs + recoveryMs(world));
  const isDraining = ({ webhook, atMs }: Post) =>
    network.receptions.some(
      (got) => got.webhook === webhook && isAccepted(got) && got.receivedMs <= atMs && got.receivedMs > atMs - waitMs,
    );
  return [...Map.groupBy(late, ({ webhook }) => webhook)].flatMap(([webhook, posts]) =>
    posts
      .filter((probe, at) => at > 0 && probe.atMs - (posts[at - 1]?.atMs ?? 0) < waitMs && !isDraining(probe))
      .map(({ atMs }) => `webhook ${webhook} is parked and got a probe at ${atMs.toFixed(0)}, too soon after another`),
  );
}

/** What a node says of others, or that is looked into elsewhere. */
const NO_COMPLAINTS = ["node.lost", "dispatcher.sleepers_found"];

/** Nothing sleeps that should not, and the only errors are those of the database. */
function complaints({ complaints: heard, sleepers }: World): string[] {
  const own = heard.filter(({ kind, event }) => kind !== "ConnectionLost" && !NO_COMPLAINTS.includes(event));
  return [
    ...[...sleepers].map(([id, atMs]) => `webhook ${id} slept at ${atMs.toFixed(0)} although something waited for it`),
    ...own.map(({ node, event, kind }) => `${node} complained of ${event} ${kind}`),
  ];
}

/** Where nothing goes wrong, everything arrives exactly once, at the first attempt, and nobody complains. */
function calmness({ complaints: heard, clinic, network, plan }: World, cases: readonly Case[]): string[] {
  const tooMany = clinic.webhooks.filter(({ webhookId }, at) => {
    const allowed = plan.webhooks[at]?.concurrency ?? 0;
    return (network.mostInFlight.get(webhookId) ?? 0) > allowed;
  });
  return [
    ...cases
      .filter(({ receptions, attempts }) => receptions.length !== 1 || attempts.length !== 1)
      .map(({ id, receptions }) => `${id} arrived ${receptions.length} times although nothing was wrong`),
    ...heard.map(({ node, event }) => `${node} complained of ${event} although nothing was wrong`),
    ...tooMany.map(({ webhookId }) => `webhook ${webhookId} got more requests at a time than it allows`),
  ];
}

/** What the judge of the crash tests says, who knows nothing of the engine nor of this simulation. */
async function independent(world: World): Promise<string[]> {
  const { network, stills, troubleMs } = world.plan;
  const calmFromMs = EPOCH_MS + troubleMs + recoveryMs(world);
  const timesMoved = world.databaseClock.jumps.map(({ atMs }) => {
    return { fromMs: EPOCH_MS + atMs, untilMs: EPOCH_MS + atMs, of: null };
  });
  // Somebody erases content at any age here: whether he did is judged above.
  const told = { expiresAfterMs: 0, slackMs: SLACK_MS, clockMovedMs: CLOCK_MOVED_MS, calmFromMs, timesMoved };
  const { violations } = judgeEvidence(await evidenceOf(world), { drained: true, ...told });
  // What a process sends late, because it stood still, arrives after what others have sent meanwhile, as it was before.
  const isLate = ({ check, sentence }: Violation) => {
    const [, later, earlier] = /body at attempt (\d+) than at attempt (\d+)/.exec(sentence) ?? [];
    return check === "not_rising" || (check === "changed" && Number(later) < Number(earlier));
  };
  return violations
    .filter((violation) => !((network.stalls > 0 || stills > 0) && isLate(violation)))
    .map(({ check, sentence }) => `${check}: ${sentence}`);
}
