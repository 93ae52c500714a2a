/** Lists by cursor: `?limit=&cursor=` in, `{data, next_cursor}` out. A cursor is opaque to the caller and holds no data. */
import { z } from "zod";
import { invalid } from "../errors.ts";

export const PAGE_DEFAULT_ROWS = 50;
const PAGE_MAX_ROWS = 100;
const CURSOR_MAX_CHARACTERS = 300;

const LIMIT_WORDS = `Write a number from 1 to ${PAGE_MAX_ROWS}.`;

/** The query of every list; extend it with the list's own filters. */
export const PAGE_QUERY = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, { error: LIMIT_WORDS })
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= PAGE_MAX_ROWS, { error: LIMIT_WORDS })
    .optional(),
  cursor: z.string().max(CURSOR_MAX_CHARACTERS).optional(),
});

/** What a list is searched by: text that a person types, without what no keyboard writes and no database stores. */
export function searchText(maxCharacters: number) {
  return z
    .string()
    .max(maxCharacters)
    .regex(/^\P{Cc}*$/u, { error: "This holds a line break or another control character. Remove it." });
}

/** The answer of a list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), next_cursor: z.string().nullable() });
}

/** The last row's key as a cursor. */
function writeCursor(key: Key): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

/** The key in a cursor, checked against its form; throws 400 `cursor` for one that this list did not give out. */
export function readCursor<Of>(cursor: string | undefined, key: z.ZodType<Of>): Of | null {
  if (cursor === undefined) return null;
  try {
    return key.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof z.ZodError)) throw error;
    throw invalid("cursor", "This is not a cursor of this list. Start again without one.", "cursor");
  }
}

type Key = readonly (string | number)[];

interface PageView<Row, Item> {
  item(row: Row): Item;
  key(row: Row): Key;
  /** Where reading was cut short: the next page goes on from here although this one is not full. */
  readonly readTo?: Key | null;
}

/** A page from one row more than was asked for, which tells whether there is a next one. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  { item, key, readTo = null }: PageView<Row, Item>,
): { data: Item[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? key(last) : readTo;
  return { data: shown.map((row) => item(row)), next_cursor: next === null ? null : writeCursor(next) };
}
