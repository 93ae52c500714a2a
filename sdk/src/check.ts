/**
 * Holds a value against a shape. Owns the meaning of each kind (contract §5). Promises never to throw, never to repeat
 * a value in a message, and to stop after `PROBLEMS_MAX` problems.
 */
import {
  EMAIL_MAX_CHARACTERS,
  type ListShape,
  MONEY_MAX_MAJOR_UNITS,
  type ObjectShape,
  type Shape,
  type TextShape,
  type WholeShape,
} from "./shapes.ts";

/** What is wrong with one field. `path` has dots: `participants.2.email`. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

export const PROBLEMS_MAX = 50;
const UNKNOWN_KEY_SHOWN_MAX_CHARACTERS = 64;

export const DATE_PATTERN = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
export const TIME_PATTERN =
  "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][+-]([01][0-9]|2[0-3]):[0-5][0-9]$";
export const CURRENCY_PATTERN = "^[a-z]{3}$";
export const EMAIL_PATTERN = "^[^\\s@]+@[^\\s@]+$";

const DATE = new RegExp(DATE_PATTERN);
const TIME = new RegExp(TIME_PATTERN);
const CURRENCY = new RegExp(CURRENCY_PATTERN);
const EMAIL = new RegExp(EMAIL_PATTERN);
/** The form in which JSON writes a money amount: no exponent, at most four decimals (no currency has more). */
const MONEY = /^-?[0-9]{1,12}(\.[0-9]{1,4})?$/;

/** The problems of `value` against `shape`; none where it fits. */
export function check(shape: Shape, value: unknown): Problem[] {
  const problems: Problem[] = [];
  checkInto(shape, value, { path: "", problems });
  return problems;
}

interface Place {
  readonly path: string;
  readonly problems: Problem[];
}

function checkInto(shape: Shape, value: unknown, place: Place): void {
  if (place.problems.length >= PROBLEMS_MAX) return;
  switch (shape.kind) {
    case "nullable":
      if (value !== null) checkInto(shape.of, value, place);
      return;
    case "when":
      checkInto(shape.of, value, place);
      return;
    case "object":
      checkObject(shape, value, place);
      return;
    case "list":
      checkList(shape, value, place);
      return;
    default: {
      const message = problemOfValue(shape, value);
      if (message !== null) place.problems.push({ path: place.path, message });
    }
  }
}

function below(place: Place, key: string | number): Place {
  return { path: place.path === "" ? `${key}` : `${place.path}.${key}`, problems: place.problems };
}

function checkObject(shape: ObjectShape, value: unknown, place: Place): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    place.problems.push({ path: place.path, message: "must be an object" });
    return;
  }
  const record = value as Record<string, unknown>;
  for (const [key, of] of Object.entries(shape.keys)) {
    const present = Object.hasOwn(record, key) && record[key] !== undefined;
    const expected = of.kind !== "when" || record[of.key] === of.value;
    if (present && expected) checkInto(of, record[key], below(place, key));
    else if (expected) below(place, key).problems.push({ path: below(place, key).path, message: "is missing" });
    else if (present && of.kind === "when") {
      place.problems.push({ path: below(place, key).path, message: `is only for ${of.key} ${of.value}` });
    }
  }
  for (const key of Object.keys(record)) {
    if (place.problems.length >= PROBLEMS_MAX) return;
    if (Object.hasOwn(shape.keys, key)) continue;
    const shown = key.slice(0, UNKNOWN_KEY_SHOWN_MAX_CHARACTERS);
    place.problems.push({ path: below(place, shown).path, message: "is not a key of this object" });
  }
}

function checkList(shape: ListShape, value: unknown, place: Place): void {
  if (!Array.isArray(value)) {
    place.problems.push({ path: place.path, message: "must be a list" });
    return;
  }
  if (value.length < shape.minItems || value.length > shape.maxItems) {
    const message = `must have from ${shape.minItems} to ${shape.maxItems} entries`;
    place.problems.push({ path: place.path, message });
    return;
  }
  for (let index = 0; index < value.length; index += 1) checkInto(shape.of, value[index], below(place, index));
}

type ValueShape = Exclude<Shape, { kind: "nullable" | "when" | "object" | "list" }>;

/** What is wrong with a single value, or null. */
function problemOfValue(shape: ValueShape, value: unknown): string | null {
  if (shape.kind === "text") return problemOfText(shape, value);
  return isValue(shape, value) ? null : `must be ${wanted(shape)}`;
}

function isValue(shape: Exclude<ValueShape, TextShape>, value: unknown): boolean {
  switch (shape.kind) {
    case "id":
      return Number.isSafeInteger(value) && (value as number) >= 1;
    case "whole":
      return isWhole(shape, value);
    case "flag":
      return typeof value === "boolean";
    case "money":
      return isMoney(value);
    case "oneOf":
      return typeof value === "string" && shape.values.includes(value);
    case "email":
      return isEmail(value);
    case "currency":
      return typeof value === "string" && CURRENCY.test(value);
    case "date":
      return isDate(value);
    case "time":
      return isTime(value);
  }
}

/** The end of the sentence "must be …". */
function wanted(shape: Exclude<ValueShape, TextShape>): string {
  switch (shape.kind) {
    case "id":
      return "an integer from 1 to 2^53 − 1";
    case "whole":
      return `an integer from 0 to ${shape.max}`;
    case "flag":
      return "true or false";
    case "money":
      return "a number in major units, with no more than four decimals";
    case "oneOf":
      return shape.values.length === 1 ? `${shape.values[0]}` : `one of ${shape.values.join(", ")}`;
    case "email":
      return "an e-mail address, or null where it may be unknown";
    case "currency":
      return "a lower-case ISO 4217 code";
    case "date":
      return "a calendar date as YYYY-MM-DD";
    case "time":
      return "a time as YYYY-MM-DDThh:mm:ss with a numeric offset such as -05:00";
  }
}

function isWhole(shape: WholeShape, value: unknown): boolean {
  return (
    Number.isSafeInteger(value) && !Object.is(value, -0) && (value as number) >= 0 && (value as number) <= shape.max
  );
}

function isMoney(value: unknown): boolean {
  if (typeof value !== "number" || Object.is(value, -0)) return false;
  return Math.abs(value) <= MONEY_MAX_MAJOR_UNITS && MONEY.test(String(value));
}

function problemOfText(shape: TextShape, value: unknown): string | null {
  if (typeof value !== "string" || !value.isWellFormed()) return "must be text";
  if (value.length > shape.maxCharacters) return `must have at most ${shape.maxCharacters} characters`;
  if (!shape.isName) return null;
  if (value === "") return "must not be empty";
  return value === value.trim() ? null : "must not begin or end with white space";
}

function isEmail(value: unknown): boolean {
  return typeof value === "string" && value.length <= EMAIL_MAX_CHARACTERS && value.isWellFormed() && EMAIL.test(value);
}

function isDate(value: unknown): boolean {
  return typeof value === "string" && DATE.test(value) && dayExists(value);
}

function isTime(value: unknown): boolean {
  return typeof value === "string" && TIME.test(value) && !value.endsWith("-00:00") && dayExists(value.slice(0, 10));
}

const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** False for the 30th of February and its like, which the pattern alone lets through. */
function dayExists(date: string): boolean {
  const [year, month, day] = [Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8, 10))];
  if (month === 2 && day === 29) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (DAYS_OF_MONTH[month - 1] ?? 0);
}
