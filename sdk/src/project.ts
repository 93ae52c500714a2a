/**
 * Facts + data choice + slice → the body. The sender, the preview in the browser and the samples call this one
 * function, so what a manager is shown is what is sent.
 *
 * Promises: pure; always new objects; exactly the documented keys in the documented order, whatever order or surplus
 * the facts have (contract §2). Does not check facts: they were checked when they were captured. A key that is missing
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
  if (slice !== undefined) refuseMissingPart(facts, slice);
  const shape = bodyShape(facts.event, choice);
  // The shape of an event is that event's body, which the compiler cannot follow from the name to the type.
  return (isConsult(facts) ? projectConsult(facts, shape, slice) : copy(shape, facts, facts.event)) as BodyOf<
    F["event"]
  >;
}

/** The exact text that is signed and sent: the body as JSON, never indented. */
export function render(facts: Facts, choice: DataChoice, slice?: Slice): string {
  return JSON.stringify(project(facts, choice, slice));
}

/** The shape of one object of the body under a choice: the documented keys, less the blocks that are off. */
export function bodyShape(event: EventName, choice: DataChoice): ObjectShape {
  const { practitioner, patient } = effectiveChoice(event, choice);
  const name = `${event} ${practitioner} ${patient}`;
  const known = bodyShapes.get(name);
  if (known !== undefined) return known;
  const shape = narrowShape(event, { practitioner, patient });
  bodyShapes.set(name, shape);
  return shape;
}

/** At most 13 × 9 entries, each derived once. */
const bodyShapes = new Map<string, ObjectShape>();

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
function projectConsult(facts: ConsultFacts, shape: ObjectShape, slice: Slice | undefined): unknown[] {
  const { participants, ...shared } = facts;
  const first = slice === undefined ? 0 : slice.part * slice.participantsPerRequest;
  const end = slice === undefined ? participants.length : first + slice.participantsPerRequest;
  return participants.slice(first, end).map((participant) => copy(shape, { ...shared, participant }, facts.event));
}

/** A new value with the shape's keys only, in the shape's order. Messages name the event, never a value. */
function copy(shape: Shape, value: unknown, event: EventName): unknown {
  switch (shape.kind) {
    case "object":
      return copyObject(shape.keys, value, event);
    case "list":
      if (!Array.isArray(value)) throw new TypeError(`facts of ${event} lack a list`);
      return value.map((entry) => copy(shape.of, entry, event));
    case "nullable":
      return value === null ? null : copy(shape.of, value, event);
    case "when":
      return copy(shape.of, value, event);
    default:
      // JSON would turn these into `null` or lose them without a word.
      if (typeof value === "object" || (typeof value === "number" && !Number.isFinite(value))) {
        throw new TypeError(`facts of ${event} hold something other than a plain value`);
      }
      return value;
  }
}

function copyObject(keys: Keys, value: unknown, event: EventName): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new TypeError(`facts of ${event} lack an object`);
  const source = value as Readonly<Record<string, unknown>>;
  const target: Record<string, unknown> = {};
  for (const key in keys) {
    const shape = keys[key] as Shape;
    if (shape.kind === "when" && source[shape.key] !== shape.value) continue;
    const found = source[key];
    if (found === undefined) throw new TypeError(`facts of ${event} lack ${key}`);
    target[key] = copy(shape, found, event);
  }
  return target;
}
