/** What the list and the files of the audit trail share: how it is asked for, and how an entry is shown. */
import { z } from "zod";
import { AUDIT_ACTIONS } from "../audit/actions.ts";
import type { TrailEntry, TrailFilter } from "../audit/trail.ts";
import { clinicTime, instantOf } from "../clinic/times.ts";
import type { Tx } from "../db/schema.ts";
import { invalid } from "../errors.ts";

const ACTOR_MAX_CHARACTERS = 200;
const TARGET_MAX_CHARACTERS = 200;

const WORD = (maxCharacters: number) =>
  z
    .string()
    .regex(/^[\x21-\x7e]+$/, { error: "Write it as the list shows it." })
    .max(maxCharacters);
const DATE = z.iso.date({ error: "Write a date like 2026-11-01." });

/** Shared with the files. The dates are whole days on the clinic's own clock, the last one included. */
export const TRAIL_FILTERS = {
  actor: WORD(ACTOR_MAX_CHARACTERS).optional(),
  action: z
    .enum(AUDIT_ACTIONS, { error: "There is no such action. Choose one of the list, or leave it out." })
    .optional(),
  target: WORD(TARGET_MAX_CHARACTERS).optional(),
  from_date: DATE.optional(),
  to_date: DATE.optional(),
};
export const AUDIT_ENTRY = z.object({
  sequence: z.int().describe("Counts the clinic's entries without gaps."),
  at: z.string(),
  actor: z.object({ id: z.string(), name: z.string().nullable() }),
  origin: z.string().nullable().describe("The address it came from; null for what the program did by itself."),
  action: z.string(),
  target: z.string(),
  target_name: z.string().nullable().describe("What the webhook or the API key is called now."),
  before: z.unknown().describe("Secrets, header values and whole addresses are masked; null where there was nothing."),
  after: z.unknown(),
});
export type TrailQuery = z.output<z.ZodObject<typeof TRAIL_FILTERS>>;

/** @throws ProblemError naming `to_date` where it is before `from_date` */
export function readFilter(
  { actor, action, target, from_date: from, to_date: to }: TrailQuery,
  { clinicId, timeZone }: { clinicId: number; timeZone: string },
): TrailFilter {
  if (from !== undefined && to !== undefined && to < from) {
    throw invalid("to_date", "This is before the first day. Choose a later one.", "invalid");
  }
  const midnight = (day: Temporal.PlainDate) => instantOf(day.toPlainDateTime(), timeZone);
  return {
    ...{ clinicId, actor, action, target },
    from: from === undefined ? undefined : midnight(Temporal.PlainDate.from(from)),
    until: to === undefined ? undefined : midnight(Temporal.PlainDate.from(to).add({ days: 1 })),
  };
}

export interface NamedEntry extends TrailEntry {
  readonly targetName: string | null;
}

const NAMED = { webhook: "webhooks", api_key: "api_keys" } as const;
type NamedKind = keyof typeof NAMED;

/** Adds what the webhooks and keys are called now, deleted ones too: two statements for a page. */
export async function withTargetNames(tx: Tx, clinicId: number, entries: readonly TrailEntry[]): Promise<NamedEntry[]> {
  const names = new Map<string, string>();
  for (const kind of Object.keys(NAMED) as NamedKind[]) {
    const ids = new Set(entries.map(({ target }) => idIn(target, kind)).filter((id) => id !== null));
    if (ids.size === 0) continue;
    const rows = await tx
      .selectFrom(NAMED[kind])
      .select(["id", "name"])
      .where("clinic_id", "=", clinicId)
      .where("id", "in", [...ids])
      .execute();
    for (const { id, name } of rows) names.set(`${kind}:${id}`, name);
  }
  return entries.map((entry) => ({ ...entry, targetName: names.get(entry.target.split("/", 1)[0] ?? "") ?? null }));
}

/** `webhook:12` and `webhook:12/recovery:3` are about webhook 12. */
function idIn(target: string, kind: NamedKind): number | null {
  const found = /^([a-z_]+):(\d{1,15})(?:\/|$)/.exec(target);
  return found?.[1] === kind ? Number(found[2]) : null;
}

export function showEntry(entry: NamedEntry, timeZone: string): z.output<typeof AUDIT_ENTRY> {
  return {
    sequence: entry.sequence,
    at: clinicTime(entry.at, timeZone),
    actor: { id: entry.actor, name: entry.actorName },
    origin: entry.origin,
    action: entry.action,
    target: entry.target,
    target_name: entry.targetName,
    before: entry.before === null ? null : (JSON.parse(entry.before) as unknown),
    after: entry.after === null ? null : (JSON.parse(entry.after) as unknown),
  };
}
