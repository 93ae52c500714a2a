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
    const { internalAdapter } = await parts.auth.$context;
    const found = await internalAdapter.findUserByEmail(folded);
    if (found === null) return null;
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    const expiresAt = new Date(Date.now() + RESET_LINK_MINUTES * 60_000);
    await internalAdapter.createVerificationValue({
      identifier: `reset-password:${token}`,
      value: found.user.id,
      expiresAt,
    });
    const link = `${parts.publicUrl}/reset-password#${token}`;
    const letter = composeAccountLetter({ kind: "reset", minutes: RESET_LINK_MINUTES }, locale, link);
    return { to: found.user.email, letter };
  });
}
