/**
 * Letters to patients, posted beside the answer to their request: which of them is sent, or whether any, shows neither in the
 * answer nor in its time.
 */
import { composeAccountLetter, type LetterKind } from "../accounts/letters.ts";
import type { PortalClinic } from "../clinic/portal/accounts.ts";
import {
  CONFIRM_LINK_HOURS,
  findPortalAccount,
  type LinkPurpose,
  makeLink,
  PORTAL_RESET_MINUTES,
  type PortalAccount,
} from "../clinic/portal/sign-in.ts";
import { inClinic } from "../db/pool.ts";
import type { ApiContext } from "./context.ts";

type LettersContext = Pick<ApiContext, "db" | "accounts" | "publicUrl">;

export interface NamedPortal extends PortalClinic {
  readonly portalName: string;
}

/** After a sign-up: the way to confirm the e-mail, or, where it has a confirmed account, that it has one. */
export function postSignUpLetter(context: LettersContext, portal: NamedPortal, emailFolded: string): void {
  const { name: clinic } = portal;
  postLetter(context, { portal, emailFolded }, ({ isConfirmed }) =>
    isConfirmed
      ? { purpose: "reset", letter: { kind: "portal_known", clinic, minutes: PORTAL_RESET_MINUTES } }
      : { purpose: "confirm", letter: { kind: "portal_confirm", clinic, hours: CONFIRM_LINK_HOURS } },
  );
}

/** The way to a new password, where the e-mail has an account. */
export function postResetLetter(context: LettersContext, portal: NamedPortal, emailFolded: string): void {
  const letter = { kind: "portal_reset", clinic: portal.name, minutes: PORTAL_RESET_MINUTES } as const;
  postLetter(context, { portal, emailFolded }, () => ({ purpose: "reset", letter }));
}

interface Choice {
  readonly purpose: LinkPurpose;
  readonly letter: LetterKind;
}

interface Addressee {
  readonly portal: NamedPortal;
  readonly emailFolded: string;
}

/** To the address that the account was made with, never to one that somebody typed just now and that only folds alike. */
function postLetter(
  { db, accounts, publicUrl }: LettersContext,
  { portal, emailFolded }: Addressee,
  choose: (account: PortalAccount) => Choice,
): void {
  const { id: clinicId, locale, portalName } = portal;
  if (!accounts.post.isOpen) return;
  accounts.post.later(() =>
    inClinic(db, clinicId, async (tx) => {
      const account = await findPortalAccount(tx, clinicId, emailFolded);
      if (account === null) return null;
      const { purpose, letter } = choose(account);
      const token = await makeLink(tx, { clinicId, accountId: account.id }, purpose);
      const link = `${publicUrl}/portal/${portalName}/${purpose}#${token}`;
      return { to: account.emailFolded, letter: composeAccountLetter(letter, locale, link) };
    }),
  );
}
