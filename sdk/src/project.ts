/**
 * Facts + data choice + slice → the body. The sender, the preview in the browser and the samples call this one
 * function, so what a manager is shown is what is sent.
 *
 * Promises: pure; always new objects; exactly the documented keys in the documented order, whatever order or surplus
 * the facts have (contract §2). The text is written straight from the facts, by a writer made once for each shape: a copy that
 * is then made into text takes several times as long, because an engine specialises on keys and these change all the time. Does not check facts: they were checked when they were captured. A key that is missing
 * all the same is a bug and throws, because a body that lacks it would break the rule above all.
 */
import { type EventName, eventDefinition } from "./catalogue.ts";
import { type BlockChoice, type DataChoice, effectiveChoice } from "./choice.ts";
import { type BodyOf, type Facts, FULL_BODY_SHAPES } from "./facts.ts";
import type { ConsultFacts } from "./payloads/consult.ts";
import { ID_ONLY } from "./payloads/persons.ts";
import { type Keys, nullable, type ObjectShape, type Shape } from "./shapes.ts";

/** A consult event with more affected participants is split, as the same event (contract §3.1). */
export const PARTICIPANTS_PER_REQUEST_MAX = 200;

/** Which request of a split: part 0 holds participants `[0, participantsPerRequest)`, and so on. */
export interface Slice {
  /** From 0. */
  part: number;
  /** From 1 to `PARTICIPANTS_PER_REQUEST_MAX`; 1 for the option *one participant per request*. */
  participantsPerRequest: number;
}

/**
 * How many requests the facts make: one for every event but consults, where it depends on how many participants go
 * into one. A consult with nobody in it makes none. Throws a RangeError outside 1 to `PARTICIPANTS_PER_REQUEST_MAX`.
 */
export function countParts(facts: Facts, participantsPerRequest: number): number {
  const isInRange = participantsPerRequest >= 1 && participantsPerRequest <= PARTICIPANTS_PER_REQUEST_MAX;
  if (!Number.isInteger(participantsPerRequest) || !isInRange) {
    throw new RangeError(`participantsPerRequest must be an integer from 1 to ${PARTICIPANTS_PER_REQUEST_MAX}`);
  }
  return isConsult(facts) ? Math.ceil(facts.participants.length / participantsPerRequest) : 1;
}

/**
 * The body as a value. Without a slice it holds every participant; the sender always gives one. Throws a RangeError
 * for a part that does not exist.
 */
export function project<F extends Facts>(facts: F, choice: DataChoice, slice?: Slice): BodyOf<F["event"]> {
  return JSON.parse(render(facts, choice, slice)) as BodyOf<F["event"]>;
}

/** The exact text that is signed and sent: the body as JSON, never indented. */
export function render(facts: Facts, choice: DataChoice, slice?: Slice): string {
  if (slice !== undefined) refuseMissingPart(facts, slice);
  const write = bodyWriter(facts.event, choice);
  return isConsult(facts) ? renderConsult(facts, write, slice) : write(facts, facts.event);
}

/** The shape of one object of the body under a choice: the documented keys, less the blocks that are off. */
export function bodyShape(event: EventName, choice: DataChoice): ObjectShape {
  return narrowShape(event, effectiveChoice(event, choice));
}

/** At most 13 × 9 entries, each derived once. */
const bodyWriters = new Map<string, Writer>();

function bodyWriter(event: EventName, choice: DataChoice): Writer {
  const { practitioner, patient } = effectiveChoice(event, choice);
  const name = `${event} ${practitioner} ${patient}`;
  const known = bodyWriters.get(name);
  if (known !== undefined) return known;
  const writer = writerOf(narrowShape(event, { practitioner, patient }));
  bodyWriters.set(name, writer);
  return writer;
}

function narrowShape(event: EventName, choice: DataChoice): ObjectShape {
  const { patientKey } = eventDefinition(event);
  const keys: Record<string, Shape> = {};
  for (const [key, shape] of Object.entries(FULL_BODY_SHAPES[event].keys)) {
    const block = key === "practitioner" ? choice.practitioner : key === patientKey ? choice.patient : "all";
    const narrowed = narrowBlock(shape, block);
    if (narrowed !== null) keys[key] = narrowed;
  }
  return { kind: "object", keys };
}

function narrowBlock(shape: Shape, block: BlockChoice): Shape | null {
  if (block === "off") return null;
  if (block === "all") return shape;
  return shape.kind === "nullable" ? nullable(ID_ONLY) : ID_ONLY;
}

function isConsult(facts: Facts): facts is ConsultFacts {
  return eventDefinition(facts.event).shape === "consult";
}

function refuseMissingPart(facts: Facts, { part, participantsPerRequest }: Slice): void {
  const parts = countParts(facts, participantsPerRequest);
  if (!Number.isInteger(part) || part < 0 || part >= parts) {
    throw new RangeError(`part ${part} of ${facts.event} does not exist: it has ${parts}`);
  }
}

/** One object per participant of the slice, each with that participant alone (contract §3.10). */
function renderConsult(facts: ConsultFacts, write: Writer, slice: Slice | undefined): string {
  const { participants, ...shared } = facts;
  const first = slice === undefined ? 0 : slice.part * slice.participantsPerRequest;
  const end = slice === undefined ? participants.length : first + slice.participantsPerRequest;
  const objects = participants.slice(first, end).map((participant) => write({ ...shared, participant }, facts.event));
  return `[${objects.join(",")}]`;
}

/** Writes one value as JSON, with its shape's keys only, in the shape's order. Messages name the event, never a value. */
type Writer = (value: unknown, event: EventName) => string;

function writerOf(shape: Shape): Writer {
  switch (shape.kind) {
    case "object":
      return objectWriter(shape.keys);
    case "list":
      return listWriter(writerOf(shape.of));
    case "nullable": {
      const write = writerOf(shape.of);
      return (value, event) => (value === null ? "null" : write(value, event));
    }
    case "when":
      return writerOf(shape.of);
    default:
      return writePlain;
  }
}

function objectWriter(keys: Keys): Writer {
  const members = Object.entries(keys).map(([key, shape]) => {
    const condition = shape.kind === "when" ? { key: shape.key, value: shape.value } : null;
    return { key, opening: `${JSON.stringify(key)}:`, condition, write: writerOf(shape) };
  });
  return (value, event) => {
    if (typeof value !== "object" || value === null) throw new TypeError(`facts of ${event} lack an object`);
    let text = "";
    for (const { key, opening, condition, write } of members) {
      // Not value[key]: see above.
      if (condition !== null && Reflect.get(value, condition.key) !== condition.value) continue;
      const found: unknown = Reflect.get(value, key);
      if (found === undefined) throw new TypeError(`facts of ${event} lack ${key}`);
      text += (text === "" ? "" : ",") + opening + write(found, event);
    }
    return `{${text}}`;
  };
}

function listWriter(write: Writer): Writer {
  return (value, event) => {
    if (!Array.isArray(value)) throw new TypeError(`facts of ${event} lack a list`);
    return `[${value.map((entry) => write(entry, event)).join(",")}]`;
  };
}

function writePlain(value: unknown, event: EventName): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return String(value);
  // JSON would turn these into `null` or lose them without a word.
  throw new TypeError(`facts of ${event} hold something other than a plain value`);
}
