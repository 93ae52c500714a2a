/** Names that people give to things of their accounts, and that are shown to others. Pure. */
import { invalid } from "../errors.ts";

const NAME_MAX_CHARACTERS = 100;

/** @throws ProblemError naming `field`; `empty` is the sentence for a name without a character */
export function cleanName(text: string, { field, empty }: { field: string; empty: string }): string {
  const name = text.normalize("NFC").trim();
  if (name === "") throw invalid(field, empty, "empty");
  if (name.length > NAME_MAX_CHARACTERS) {
    throw invalid(field, `A name has at most ${NAME_MAX_CHARACTERS} characters. Shorten it.`, "too_long");
  }
  if (!name.isWellFormed() || /\p{Cc}/u.test(name)) {
    throw invalid(field, "This text holds a control character. Remove it.", "control_characters");
  }
  return name;
}
