/**
 * What people are called, and the other short texts that a person types.
 *
 * Owns the rules of contract §5 for names and e-mail addresses: one trimmed display string, never empty; an e-mail that is
 * not known is null, never "". Promises that what passes is accepted by the database and by the SDK's shapes.
 */
import { invalid } from "../errors.ts";

const NAME_MAX_CHARACTERS = 200;
const EMAIL_MAX_CHARACTERS = 254;
const ROOM_MAX_CHARACTERS = 200;
const NOTES_MAX_CHARACTERS = 10_000;

/** Control characters and the two separators that break a line without being one of them. */
const BREAKS_A_LINE = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** In notes, tabs and line breaks are welcome. */
const CONTROL_IN_NOTES = /[^\P{Cc}\t\n\r]/u;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;
const EMAIL = /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u;
const MARKS = /\p{M}/gu;
const FOLDED_MAX_CHARACTERS = 1_000;

/** A name as it is stored and sent: NFC, trimmed, 1 to `NAME_MAX_CHARACTERS`. @throws ProblemError naming `field` */
export function cleanName(field: string, text: string): string {
  const name = cleanLine(field, text, NAME_MAX_CHARACTERS);
  if (!VISIBLE.test(name)) throw invalid(field, "A name is needed. Write at least one letter or digit.", "empty");
  return name;
}

/** An e-mail address, trimmed; null where there is none. @throws ProblemError naming `field` */
export function cleanEmail(field: string, text: string | null): string | null {
  const email = (text ?? "").trim();
  if (email === "") return null;
  if (email.length > EMAIL_MAX_CHARACTERS) {
    throw invalid(field, `An e-mail address has at most ${EMAIL_MAX_CHARACTERS} characters. Shorten it.`, "too_long");
  }
  if (!email.isWellFormed() || !EMAIL.test(email)) {
    throw invalid(field, "This is not an e-mail address. Write it like name@example.test.", "not_an_email");
  }
  return email;
}

/** A room's name, or null where none is given. @throws ProblemError naming `field` */
export function cleanRoom(field: string, text: string | null): string | null {
  return text === null ? null : cleanLine(field, text, ROOM_MAX_CHARACTERS) || null;
}

/** Notes as they were written, or null where there are none. @throws ProblemError naming `field` */
export function cleanNotes(field: string, text: string | null): string | null {
  if (text === null || text.trim() === "") return null;
  if (text.length > NOTES_MAX_CHARACTERS) {
    throw invalid(field, `Notes have at most ${NOTES_MAX_CHARACTERS} characters. Shorten them.`, "too_long");
  }
  if (!text.isWellFormed() || CONTROL_IN_NOTES.test(text)) {
    throw invalid(field, "Notes hold a control character. Remove it.", "control_characters");
  }
  return text;
}

/** The text without case and accents, for search and order: `Zoé` → `zoe`. */
export function fold(text: string): string {
  return text.normalize("NFKD").replace(MARKS, "").toLowerCase().slice(0, FOLDED_MAX_CHARACTERS);
}

function cleanLine(field: string, text: string, maxCharacters: number): string {
  if (!text.isWellFormed() || BREAKS_A_LINE.test(text.trim())) {
    throw invalid(field, "This text holds a line break or another control character. Remove it.", "control_characters");
  }
  const line = text.normalize("NFC").trim();
  if (line.length > maxCharacters)
    throw invalid(field, `At most ${maxCharacters} characters fit here. Shorten the text.`, "too_long");
  return line;
}
