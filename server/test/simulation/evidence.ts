/** A simulated history as evidence for the independent judge (proof/history), which knows nothing of the engine. */
import type {
  AcceptedEvent,
  AttemptRow,
  DeliveryRow,
  History,
  LiveSecret,
  Reception,
  WebhookVersion,
} from "../../../proof/history/history.ts";
import { toReception } from "../../../proof/history/reading.ts";
import { deliveryId } from "../../src/outbox/identifiers.ts";
import { attemptName, type DeliveryName, nameOf, type DeliveryRow as OpenRow } from "../model/tables.ts";
import { CLINIC_ID, type Committed } from "./clinic.ts";
import { RETRY_AFTER_SECONDS } from "./network.ts";
import { EPOCH_MS } from "./process.ts";
import type { World } from "./world.ts";

const NAME = "consult.updated";
const clinic = String(CLINIC_ID);
const plain = (uuid: string) => uuid.replaceAll("-", "");

/** Everything that the judge reads, with times on the machine's one clock: simulated time. */
export async function evidenceOf(world: World): Promise<History> {
  const { clinic: book, model } = world;
  const secrets = secretsOf(world);
  return {
    accepted: book.committed.map(accepted),
    refused: book.refused.map(plain),
    changes: [...book.resent].flatMap(([of, times]) =>
      times.map((ms) => ({ what: "resent" as const, of, fromMs: EPOCH_MS + ms, untilMs: EPOCH_MS + ms })),
    ),
    webhooks: versions(world),
    secrets,
    receptions: await receptions(world, secrets),
    events: book.committed.map(({ eventId, beganMs }) => ({
      ...{ clinic, event: plain(eventId), name: NAME, occurredMs: EPOCH_MS + beganMs, test: false },
    })),
    deliveries: [...ended(world), ...open(world)],
    // What ends because its content is gone leaves a row, and nothing was sent: it says nothing of a receiver, and is no probe.
    attempts: [...model.tables.attempts.values()]
      .filter(({ outcome }) => outcome !== "failed_here")
      .map(
        ({ attempt, durationMs, outcome, status, late, ...key }): AttemptRow => ({
          ...{
            id: deliveryId(key),
            webhook: String(key.webhookId),
            attempt,
            startedMs: startedMs(world, { ...key, attempt }),
          },
          ...{ durationMs, outcome, status, late },
        }),
      ),
  };
}

function startedMs({ starts }: World, row: DeliveryName & { attempt: number }): number {
  const ms = starts.get(attemptName(row));
  if (ms === undefined) throw new Error(`nobody has noted when ${attemptName(row)} started`);
  return EPOCH_MS + ms;
}

function accepted({ eventId, subject, version, beganMs, doneMs }: Committed): AcceptedEvent {
  const times = { beganMs: EPOCH_MS + beganMs, doneMs: EPOCH_MS + doneMs };
  return { clinic, event: plain(eventId), name: NAME, subject, version, participants: 1, ...times };
}

function versions({ settings }: World): WebhookVersion[] {
  return settings.map(({ fromMs, row }, at) => {
    const next = settings.slice(at + 1).find((other) => nameOf(other.row) === nameOf(row));
    const { enabled, deleted, choice, host } = row;
    return {
      ...{ clinic, webhook: String(row.webhookId), events: [NAME], onePerRequest: false, enabled, deleted },
      ...{ practitioner: choice.practitioner, patient: choice.patient, address: host },
      fromMs: isFirst(settings, at) ? Number.NEGATIVE_INFINITY : EPOCH_MS + fromMs,
      untilMs: next ? EPOCH_MS + next.fromMs : Number.POSITIVE_INFINITY,
    };
  });
}

function isFirst(settings: World["settings"], at: number): boolean {
  return settings.findIndex(({ row }) => row.webhookId === settings[at]?.row.webhookId) === at;
}

/** A secret that ends by the database's clock ends earlier or later where that was set. */
function secretsOf({ clinic: book, databaseClock: { movedMs } }: World): LiveSecret[] {
  return book.secrets.all.map(({ webhookId, id, secret, fromMs, revokedMs, retiresAt }) => {
    const ends = Math.min(EPOCH_MS + revokedMs, retiresAt);
    const [beganMs, isEnding] = [EPOCH_MS + fromMs, ends < Number.POSITIVE_INFINITY];
    const times = {
      beganMs,
      fromMs: beganMs,
      untilMs: isEnding ? ends - movedMs : null,
      endedMs: isEnding ? ends + movedMs : null,
    };
    return { webhook: String(webhookId), name: `secret ${id}`, secret, ...times };
  });
}

function receptions({ network }: World, secrets: readonly LiveSecret[]): Promise<Reception[]> {
  return Promise.all(
    network.receptions.map(({ webhook, host, headers, body, receivedMs, status, isAnswered }) => {
      const line = { webhook: String(webhook), address: host, headers, body, atMs: EPOCH_MS + receivedMs };
      const asked = isAnswered && status === 429 ? RETRY_AFTER_SECONDS : null;
      return toReception({ ...line, status: isAnswered ? status : null, retryAfterSeconds: asked }, secrets);
    }),
  );
}

function ended({ model, clinic: book, ends }: World): DeliveryRow[] {
  return [...model.tables.finished.values()].map(({ state, reason, sequence, attempt, ...key }) => ({
    ...named(book.committed, key),
    ...{ sequence, attempts: attempt, state, reason, begun: false, dueMs: null },
    finishedMs: EPOCH_MS + (ends.get(deliveryId(key))?.at(-1) ?? 0),
  }));
}

function open({ model, clinic: book }: World): DeliveryRow[] {
  const rows = [...model.tables.deliveries.values()].flatMap((ofWebhook) => [...ofWebhook.values()]);
  return rows.map(({ sequence, attempt, begunAt, dueAt, ...key }: OpenRow) => ({
    ...named(book.committed, key),
    ...{ sequence, attempts: attempt, state: "open", reason: null, begun: begunAt !== null, finishedMs: null },
    dueMs: dueAt === Number.POSITIVE_INFINITY ? null : dueAt,
  }));
}

function named(committed: readonly Committed[], key: { eventId: string; webhookId: number; part: number }) {
  const { subject = "", version = 0 } = committed.find(({ eventId }) => eventId === key.eventId) ?? {};
  const id = deliveryId(key);
  return { id, clinic, webhook: String(key.webhookId), event: plain(key.eventId), subject, version, test: false };
}
