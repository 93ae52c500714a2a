/**
 * The logs as they are written, one JSON line a fact, and how they become evidence. A receiver's line has the whole message;
 * what is kept of it is small, so that a million receptions fit into memory.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { verify } from "@hookwell/sdk/signature";
import type { AcceptedEvent, Block, LiveSecret, Reception, RecordedChange, WebhookVersion } from "./history.ts";

/** A line of a receiver's log: one POST. */
export interface ReceiverLine {
  webhook: string;
  /** where it arrived, where the receiver knows that */
  address?: string;
  headers: Readonly<Record<string, string>>;
  /** null where it did not arrive whole */
  body: string | null;
  atMs: number;
  status: number | null;
  retryAfterSeconds?: number | null;
}

/** A line of the client's log. */
export type ClientLine =
  | ({ kind: "accepted" } & AcceptedEvent)
  | { kind: "refused"; event: string }
  | ({ kind: "configured" } & Omit<WebhookVersion, "fromMs" | "untilMs"> & { beganMs: number; doneMs: number })
  | ({ kind: "secret" } & LiveSecret)
  | ({ kind: "change" } & RecordedChange);

/** A message as evidence. Without `secrets` nobody looks at its signature. */
export async function toReception(line: ReceiverLine, secrets?: readonly LiveSecret[]): Promise<Reception> {
  const seen = observe(line);
  if (!secrets || line.body === null) return seen;
  const own = secrets.filter(({ webhook }) => webhook === line.webhook);
  const by: string[] = [];
  for (const one of own) if (await fits(line, line.body, one)) by.push(one.name);
  const entries = (line.headers["webhook-signature"] ?? "").split(" ").filter((entry) => entry !== "");
  return { ...seen, signed: { by, entries: entries.length } };
}

/** The age is judged elsewhere: the node's clock may have been moved on purpose. */
async function fits(line: ReceiverLine, body: string, { secret }: LiveSecret): Promise<boolean> {
  const nowSeconds = Number(line.headers["webhook-timestamp"] ?? 0);
  return (await verify({ headers: line.headers, body, secrets: secret, nowSeconds })).ok;
}

/** Everything of a message but its signature. */
export function observe(line: ReceiverLine): Reception {
  const { webhook, address = null, headers, body, atMs, status, retryAfterSeconds = null } = line;
  const header = (name: string) => headers[`webhook-${name}`];
  const sequence = header("sequence");
  return {
    ...{ webhook, address, atMs, status, retryAfterSeconds },
    id: header("id") ?? "",
    subject: header("subject") ?? "",
    version: Number(header("subject-version") ?? 0),
    sequence: sequence === undefined ? null : Number(sequence),
    attempt: Number(header("attempt") ?? 0),
    test: header("test") === "true",
    timestampMs: Number(header("timestamp") ?? 0) * 1_000,
    bodyHash: body === null ? null : createHash("sha256").update(body).digest("base64url").slice(0, 22),
    carried: body === null ? null : carriedBy(body),
    signed: null,
  };
}

/** How much of each person a body holds: of several objects in it, the most. */
function carriedBy(body: string): { practitioner: Block; patient: Block } | null {
  try {
    const value = JSON.parse(body) as unknown;
    const objects = (Array.isArray(value) ? value : [value]) as Record<string, unknown>[];
    return { practitioner: widthOf(objects, ["practitioner"]), patient: widthOf(objects, ["participant", "client"]) };
  } catch {
    return null; // the body hash and the signature still speak of it
  }
}

function widthOf(objects: readonly Record<string, unknown>[], keys: readonly string[]): Block {
  let width: Block = "off";
  for (const block of objects.flatMap((object) => keys.map((key) => object[key]))) {
    if (block === undefined) continue;
    if (block !== null && Object.keys(block).some((key) => key !== "id")) return "all";
    width = "id";
  }
  return width;
}

/** The lines of a file, one after the other. A last line that was cut short by a crash was never promised, and is left out. */
export async function* linesOf<Line>(path: string): AsyncGenerator<Line> {
  let pending: string | null = null;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (pending !== null) yield JSON.parse(pending) as Line;
    pending = text;
  }
  if (pending === null || pending === "") return;
  const last = parseOrNull<Line>(pending);
  if (last !== null) yield last;
}

function parseOrNull<Line>(text: string): Line | null {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}

/** What the client's log comes to. Settings are in force from before their change to after the next one. */
export class ClientRecord {
  readonly accepted: AcceptedEvent[] = [];
  readonly refused: string[] = [];
  readonly changes: RecordedChange[] = [];
  readonly secrets: LiveSecret[] = [];
  readonly webhooks: WebhookVersion[] = [];

  add(line: ClientLine): void {
    if (line.kind === "refused") this.refused.push(line.event);
    else if (line.kind === "accepted") this.accepted.push(withoutKind(line));
    else if (line.kind === "change") this.changes.push(withoutKind(line));
    else if (line.kind === "secret") this.#addSecret(withoutKind(line));
    else this.#configured(withoutKind(line));
  }

  /** A secret that is named again has got an end. */
  #addSecret(secret: LiveSecret): void {
    const at = this.secrets.findIndex(({ webhook, name }) => webhook === secret.webhook && name === secret.name);
    if (at < 0) this.secrets.push(secret);
    else this.secrets[at] = secret;
  }

  #configured({
    beganMs,
    doneMs,
    ...settings
  }: Omit<WebhookVersion, "fromMs" | "untilMs"> & { beganMs: number; doneMs: number }) {
    for (const before of this.webhooks) {
      if (before.webhook === settings.webhook) before.untilMs = Math.min(before.untilMs, doneMs);
    }
    this.webhooks.push({ ...settings, fromMs: beganMs, untilMs: Number.POSITIVE_INFINITY });
  }
}

function withoutKind<Line extends { kind: string }>({ kind: _, ...rest }: Line): Omit<Line, "kind"> {
  return rest;
}
