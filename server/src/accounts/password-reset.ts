/**
 * Forgotten passwords: a letter with a link that sets a new one, once and within RESET_LINK_MINUTES.
 *
 * Promises the same answer after the same work, whether or not the address has an account: everything that differs is done
 * after the answer (post.ts). The link is kept as its hash, and what follows it is better-auth's /reset-password: all
 * sessions of the person end.
 */
import { randomBytes } from "node:crypto";
import { RESET_LINK_MINUTES } from "./auth.ts";
import { type DoorParts, foldLoginEmail } from "./door.ts";
import { composeAccountLetter, type LetterLocale } from "./letters.ts";

/** 256 bits. */
const TOKEN_BYTES = 32;

/** Asks for a letter. The token stands behind a `#`, so that no server's log, ours or a proxy's, ever sees it. */
export async function requestReset(parts: DoorParts, email: string, locale: LetterLocale): Promise<void> {
  const folded = foldLoginEmail(email);
  await parts.tries.takeOrRefuse("reset_letter", folded);
  parts.post.later(async () => {
    const made = await makeResetLink(parts, folded);
    if (made === null) return null;
    const letter = composeAccountLetter({ kind: "reset", minutes: RESET_LINK_MINUTES }, locale, made.link);
    return { to: made.email, letter };
  });
}

/** A link for the account of an address, and the address as the account has it; null where there is none. */
export async function makeResetLink(
  { auth, publicUrl }: Pick<DoorParts, "auth" | "publicUrl">,
  email: string,
): Promise<{ email: string; link: string } | null> {
  const { internalAdapter } = await auth.$context;
  const found = await internalAdapter.findUserByEmail(foldLoginEmail(email));
  if (found === null) return null;
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  await internalAdapter.createVerificationValue({
    identifier: `reset-password:${token}`,
    value: found.user.id,
    expiresAt: new Date(Date.now() + RESET_LINK_MINUTES * 60_000),
  });
  return { email: found.user.email, link: `${publicUrl}/reset-password#${token}` };
}
