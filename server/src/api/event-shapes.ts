/** What requests and answers of /v1/events look like, and how a request is read. */
import { checkFacts, type EventName, eventDefinition, type Facts } from "@hookwell/sdk";
import { z } from "zod";
import { type FedEvent, fedEvent, isSubjectOf, subjectOf } from "../clinic/feed/events.ts";
import { type FieldCode, type FieldProblem, invalid, invalidFields } from "../errors.ts";
import { EVENTS_PER_BATCH_MAX } from "../outbox/emit.ts";

const KEY_MAX_CHARACTERS = 128;
const SUBJECT_MAX_CHARACTERS = 64;
/** As many as a refusal lists. */
const PROBLEMS_MAX = 50;

const NEW_EVENT = z.strictObject({
  key: z.string().min(1).max(KEY_MAX_CHARACTERS).describe("Yours; the same key is stored once for 7 days."),
  subject: z
    .string()
    .max(SUBJECT_MAX_CHARACTERS)
    .optional()
    .describe("Needed where the facts do not name it: invoice:<id>, course-access:<id>, webinar-access:<id>."),
  facts: z.looseObject({ event: z.string() }).describe("As in `webhooks`; a consult's persons under `participants`."),
});

/** For the description alone: a request is read by readEvents(), which is quicker and names fields better. */
export const NEW_EVENTS = z.union([
  NEW_EVENT,
  z.strictObject({ events: z.array(NEW_EVENT).min(1).max(EVENTS_PER_BATCH_MAX) }),
]);

const TAKEN = z.object({
  id: z.string(),
  subject: z.string(),
  version: z.int(),
  duplicate: z.boolean().describe("True where the key was used before, for this very event."),
});
export const TAKEN_EVENTS = z.union([TAKEN, z.object({ events: z.array(TAKEN) })]);

export const EVENT = z.object({
  id: z.string(),
  name: z.string(),
  subject: z.string(),
  version: z.int(),
  occurred_at: z.string(),
});

export interface EventsRequest {
  readonly events: readonly FedEvent[];
  /** One event by itself, not a list of one. */
  readonly isSingle: boolean;
}

/** The events of a request, every one of them checked. @throws ProblemError naming all fields that are wrong */
export function readEvents(body: unknown): EventsRequest {
  const isSingle = !(isObject(body) && Object.hasOwn(body, "events"));
  const list = isSingle ? [body] : readList(body);
  const problems: FieldProblem[] = [];
  const events: FedEvent[] = [];
  for (const [at, value] of list.entries()) {
    const event = readEvent(value, { field: isSingle ? "" : `events.${at}.`, problems });
    if (event !== null) events.push(event);
    if (problems.length >= PROBLEMS_MAX) break;
  }
  refuse(problems.slice(0, PROBLEMS_MAX));
  refuseTwice(events);
  return { events, isSingle };
}

function readList(body: Record<string, unknown>): readonly unknown[] {
  const { events, ...others } = body;
  refuse(Object.keys(others).map((key) => unknownField(key)));
  if (!Array.isArray(events)) throw invalid("events", "This must be a list.", "wrong_type");
  if (events.length === 0) throw invalid("events", "The list is empty. Send at least one event.", "empty");
  if (events.length > EVENTS_PER_BATCH_MAX) {
    throw invalid("events", `At most ${EVENTS_PER_BATCH_MAX} events fit here. Send the rest separately.`, "too_many");
  }
  return events;
}

interface Place {
  /** Where the event stands, with a dot at the end, or empty. */
  readonly field: string;
  readonly problems: FieldProblem[];
}

function readEvent(value: unknown, { field, problems }: Place): FedEvent | null {
  const wrong = (name: string, message: string, code: FieldCode) => {
    problems.push({ field: `${field}${name}`, message, code });
    return null;
  };
  if (!isObject(value)) return wrong("key", "An event must be an object with key and facts.", "wrong_type");
  const { key, subject, facts, ...others } = value;
  for (const name of Object.keys(others)) problems.push(unknownField(`${field}${name}`));
  if (key === undefined) return wrong("key", "This field is missing. Add it.", "missing");
  if (typeof key !== "string" || !key.isWellFormed()) return wrong("key", "This must be text in quotes.", "wrong_type");
  if (key.length < 1 || key.length > KEY_MAX_CHARACTERS) {
    return wrong("key", `A key has 1 to ${KEY_MAX_CHARACTERS} characters.`, key === "" ? "empty" : "too_long");
  }
  if (facts === undefined) return wrong("facts", "This field is missing. Add it.", "missing");
  const checked = checkFacts(facts);
  if (!checked.ok) {
    for (const { path, message } of checked.problems)
      wrong(path === "" ? "facts" : `facts.${path}`, say(message), codeOf(message));
    return null;
  }
  const named = readSubject(subject, checked.facts);
  if (named === null)
    return wrong("subject", subjectWanted(checked.facts), subject === undefined ? "missing" : "invalid");
  return fedEvent({ field, key, subject: named, facts: checked.facts });
}

/** Null where it is missing, of another kind, or not the one that the facts name. */
function readSubject(subject: unknown, facts: Facts): string | null {
  const named = subjectOf(facts);
  if (subject === undefined) return named;
  if (typeof subject !== "string" || !isSubjectOf(facts.event, subject)) return null;
  return named === null || named === subject ? subject : null;
}

function subjectWanted(facts: Facts): string {
  const named = subjectOf(facts);
  const kind = eventDefinition(facts.event as EventName).subject;
  if (named !== null) return "The facts name another one. Leave it out, or write the same id.";
  return `Write what the event is about: ${kind}: and an integer below 2^53.`;
}

/** The SDK's words, as a sentence of their own. */
function say(message: string): string {
  return message === "is missing" ? "This field is missing. Add it." : `This ${message}.`;
}

function codeOf(message: string): FieldCode {
  if (message === "is missing") return "missing";
  return message === "is not a key of this object" ? "unknown_field" : "invalid";
}

function unknownField(field: string): FieldProblem {
  const message = "There is no such field here. Leave it out, or check its spelling.";
  return { field, message, code: "unknown_field" };
}

function refuse(problems: readonly FieldProblem[]): void {
  const [first, ...others] = problems;
  if (first !== undefined) throw invalidFields([first, ...others]);
}

function refuseTwice(events: readonly FedEvent[]): void {
  const keys = new Set<string>();
  for (const { field, key } of events) {
    if (keys.has(key)) {
      const message = "This key stands twice in the request. Give each event a key of its own.";
      throw invalid(`${field}key`, message, "already_there");
    }
    keys.add(key);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
