/**
 * The small language in which a shape is written once (contract §2 and §5).
 *
 * Owns the kinds of value and the limits on them. Promises that the order in which keys are written here is the order
 * in which they are sent. The check of facts, the projection and the JSON Schema are all derived from these shapes;
 * none of them is in this file.
 */

const NAME_MAX_CHARACTERS = 300;
const DESCRIPTION_MAX_CHARACTERS = 2_000;
export const EMAIL_MAX_CHARACTERS = 254;
/** With up to three decimals this is 15 digits: the most that a JSON number gives back unchanged. */
export const MONEY_MAX_MAJOR_UNITS = 999_999_999_999;
export const DURATION_MAX_MINUTES = 10_080;
export const UNITS_MAX = 1_000_000;
export const PARTICIPANTS_MAX = 1_000;
export const LINE_ITEMS_MAX = 300;
export const PAYMENTS_MAX = 300;

export interface IdShape {
  readonly kind: "id";
}
export interface TextShape {
  readonly kind: "text";
  readonly maxCharacters: number;
  /** A name is trimmed and never empty; a description may be anything that is text. */
  readonly isName: boolean;
}
export interface WholeShape {
  readonly kind: "whole";
  readonly max: number;
}
export interface PlainShape {
  readonly kind: "email" | "time" | "date" | "currency";
}
export interface MoneyShape {
  readonly kind: "money";
}
export interface FlagShape {
  readonly kind: "flag";
}
export interface OneOfShape<V extends string = string> {
  readonly kind: "oneOf";
  readonly values: readonly V[];
}
export interface NullableShape<S extends Shape = Shape> {
  readonly kind: "nullable";
  readonly of: S;
}
export interface ListShape<S extends Shape = Shape> {
  readonly kind: "list";
  readonly of: S;
  readonly minItems: number;
  readonly maxItems: number;
}
/** A key that is there exactly where its sibling `key` holds `value`, and absent otherwise. */
export interface WhenShape<S extends Shape = Shape> {
  readonly kind: "when";
  readonly key: string;
  readonly value: string;
  readonly of: S;
}
export interface ObjectShape<K extends Keys = Keys> {
  readonly kind: "object";
  readonly keys: K;
}
export type Keys = { readonly [key: string]: Shape };

export type Shape =
  | IdShape
  | TextShape
  | WholeShape
  | PlainShape
  | MoneyShape
  | FlagShape
  | OneOfShape
  | NullableShape
  | ListShape
  | WhenShape
  | ObjectShape;

/** An integer from 1 to 2^53 − 1. */
export const id: IdShape = { kind: "id" };
/** A trimmed display string of 1 to `NAME_MAX_CHARACTERS` characters. */
export const name: TextShape = { kind: "text", maxCharacters: NAME_MAX_CHARACTERS, isName: true };
/** Free text, possibly empty. */
export const description: TextShape = { kind: "text", maxCharacters: DESCRIPTION_MAX_CHARACTERS, isName: false };
/** An e-mail address; never empty. */
export const email: PlainShape = { kind: "email" };
/** RFC 3339 with a numeric offset, to the second: `2026-11-01T09:00:00-05:00`. */
export const time: PlainShape = { kind: "time" };
/** `YYYY-MM-DD`. */
export const date: PlainShape = { kind: "date" };
/** Lower-case ISO 4217. */
export const currency: PlainShape = { kind: "currency" };
/** A JSON number in major units. */
export const money: MoneyShape = { kind: "money" };
export const flag: FlagShape = { kind: "flag" };

/** An integer from 0 to `max`. */
export function whole(max: number): WholeShape {
  return { kind: "whole", max };
}

export function oneOf<const V extends string>(...values: V[]): OneOfShape<V> {
  return { kind: "oneOf", values };
}

export function nullable<S extends Shape>(of: S): NullableShape<S> {
  return { kind: "nullable", of };
}

export function list<S extends Shape>(of: S, limits: { minItems?: number; maxItems: number }): ListShape<S> {
  return { kind: "list", of, minItems: limits.minItems ?? 0, maxItems: limits.maxItems };
}

/** A key that is present exactly where the sibling `key` holds `value`. */
export function when<S extends Shape>(key: string, value: string, of: S): WhenShape<S> {
  return { kind: "when", key, value, of };
}

/** An object with exactly these keys, sent in this order. */
export function object<const K extends Keys>(keys: K): ObjectShape<K> {
  return { kind: "object", keys };
}

/** The TypeScript type that a shape describes. */
export type Infer<S> = S extends IdShape | WholeShape | MoneyShape
  ? number
  : S extends OneOfShape<infer V>
    ? V
    : S extends TextShape | PlainShape
      ? string
      : S extends FlagShape
        ? boolean
        : S extends NullableShape<infer O>
          ? Infer<O> | null
          : S extends ListShape<infer O>
            ? Infer<O>[]
            : S extends WhenShape<infer O>
              ? Infer<O>
              : S extends ObjectShape<infer K>
                ? InferObject<K>
                : never;

type InferObject<K> = keyof K extends never ? Record<string, never> : InferKeys<K>;

type InferKeys<K> = Flat<
  { [P in keyof K as K[P] extends WhenShape ? never : P]: Infer<K[P]> } & {
    [P in keyof K as K[P] extends WhenShape ? P : never]?: Infer<K[P]>;
  }
>;

type Flat<T> = { -readonly [P in keyof T]: T[P] };
