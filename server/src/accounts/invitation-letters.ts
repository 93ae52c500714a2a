/**
 * The letters of invitations: posted after the commit that made the link, and once more where a process was killed while it
 * sent one. Does not make invitations (invitations.ts).
 */
import type { Db } from "../db/schema.ts";
import { type Log, logEvent } from "../log.ts";
import { findInvitation, INVITATION_DAYS, invitationLink, noteLetter, takeStrandedLetter } from "./invitations.ts";
import { composeAccountLetter } from "./letters.ts";
import type { Post } from "./post.ts";

const LOOK_EVERY_MS = 60_000;
const TAKEN_AT_ONCE_MAX = 100;

export interface InvitationLetters {
  readonly db: Db;
  readonly post: Post;
  readonly publicUrl: string;
}

/** Posts the letter of one link, and notes what became of it. */
export function postInvitation(
  { db, post, publicUrl }: InvitationLetters,
  sent: { clinicId: number; token: string },
): void {
  const { token } = sent;
  post.later(
    async () => {
      const { email, role, clinicName: clinic, locale } = await findInvitation(db, token);
      const letter = { kind: "invitation", clinic, role, days: INVITATION_DAYS } as const;
      return { to: email, letter: composeAccountLetter(letter, locale, invitationLink(publicUrl, token)) };
    },
    (outcome) => noteLetter(db, sent, outcome),
  );
}

/** Posts once more what has been on its way for too long, of all clinics. Returns how many those were. */
export async function postStrandedLetters(letters: InvitationLetters): Promise<number> {
  for (let count = 0; count < TAKEN_AT_ONCE_MAX; count += 1) {
    const taken = await takeStrandedLetter(letters.db);
    if (taken === null) return count;
    postInvitation(letters, taken);
  }
  return TAKEN_AT_ONCE_MAX;
}

/** Looks for such letters now and every minute. Call what it returns to end it. */
export function watchStrandedLetters(letters: InvitationLetters, log: Log): () => Promise<void> {
  if (!letters.post.isOpen) return async () => {};
  let running: Promise<void> = Promise.resolve();
  const look = () => {
    running = postStrandedLetters(letters)
      .then((count) => {
        if (count > 0) logEvent(log, "accounts.letter", { outcome: "sent_again", count }, "warn");
      })
      .catch((err: unknown) => logEvent(log, "accounts.letter", { outcome: "not_looked_for", err }, "error"));
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
