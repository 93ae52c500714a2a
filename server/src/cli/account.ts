/**
 * `hookwell reset-link` and `hookwell second-factor`: the operator helps whoever cannot sign in any more.
 *
 * He sets nobody's password. He could misuse both all the same: whoever follows the link has the account. So each is written
 * down as his act, and in the history of every clinic of the person, before anything is handed out.
 */
import { randomUUID } from "node:crypto";
import { Command } from "commander";
import { sql } from "kysely";
import { createAccounts } from "../accounts/accounts.ts";
import { RESET_LINK_MINUTES } from "../accounts/auth.ts";
import { foldLoginEmail } from "../accounts/door.ts";
import { composeAccountLetter, type LetterLocale } from "../accounts/letters.ts";
import { accountIdOf, removeSecondFactor } from "../accounts/second-factor.ts";
import type { Config } from "../config.ts";
import type { Tx } from "../db/schema.ts";
import { createMailSender } from "../egress/mail.ts";
import { conflict, notFound } from "../errors.ts";
import { silentLog } from "../log.ts";
import { cleanReason, writeDownForAccount } from "../operator/acts.ts";
import { loadAuthSecret } from "../seal/kept-secrets.ts";
import { COMMAND_LINE, type Operator, say, withOperator } from "./operator.ts";

interface Options {
  readonly email: string;
  readonly reason: string;
}

/** `hookwell reset-link`: for who forgot the password where no mail server is set up. */
export function resetLinkCommand(read: () => Config): Command {
  return new Command("reset-link")
    .description("make a link with which a member of staff chooses a new password")
    .requiredOption("--email <e-mail>", "whose")
    .option("--reason <text>", "why; it is kept with what was done", "forgotten password")
    .action((options: Options) => withOperator(read(), (operator) => resetLink(operator, options)));
}

/** `hookwell second-factor`: for who has lost the authenticator app and the backup codes. */
export function secondFactorCommand(read: () => Config): Command {
  const command = new Command("second-factor").description("the second step of a sign-in");
  command
    .command("remove")
    .description("turn a member of staff's second step off, and end all sessions and trusted devices")
    .requiredOption("--email <e-mail>", "whose")
    .requiredOption("--reason <text>", "why, and how you know who asked; it is kept with what was done")
    .action((options: Options) => withOperator(read(), (operator) => secondFactorRemove(operator, options)));
  return command;
}

const noAccount = () => notFound("the account", undefined, "Check the e-mail address for a typing mistake.");

async function resetLink({ config, owner, app, authPool, seal, masterKeys }: Operator, options: Options) {
  const email = foldLoginEmail(options.email);
  const note = { reason: cleanReason(options.reason), cameFrom: COMMAND_LINE };
  await owner.transaction().execute(async (tx) => {
    const userId = await accountIdOf(tx, email);
    if (userId === null) throw noAccount();
    await writeDownForAccount(tx, { ...note, action: "staff.reset_link_made", userId });
  });
  const secret = await loadAuthSecret(config, { owner, seal, masterKeys });
  const { publicUrl } = config;
  const accounts = createAccounts({ db: app, authPool, secret, publicUrl, log: silentLog(), mail: null });
  const link = await accounts.makeResetLink(email);
  await accounts.close();
  if (link === null) throw noAccount();
  say(`Hand this link over. It works once, for ${RESET_LINK_MINUTES} minutes, and ends all sessions:\n${link}`);
}

async function secondFactorRemove({ config, owner }: Operator, options: Options): Promise<void> {
  const email = foldLoginEmail(options.email);
  const note = { reason: cleanReason(options.reason), cameFrom: COMMAND_LINE };
  const locale = await owner.transaction().execute(async (tx) => {
    const userId = await accountIdOf(tx, email);
    if (userId === null) throw noAccount();
    if (!(await removeSecondFactor(tx, userId))) {
      throw conflict("no_second_factor", "This account has no second step. Nothing was changed.");
    }
    await writeDownForAccount(tx, { ...note, action: "staff.second_factor_removed", userId });
    return localeOf(tx, userId);
  });
  say("The second step is off, and all sessions and trusted devices have ended. The password stays what it was.");
  say(await tell(config, email, locale));
}

/** The language of the first of a person's clinics, as letters about accounts go by. */
async function localeOf(tx: Tx, userId: string): Promise<LetterLocale> {
  const { rows } = await sql<{ locale: LetterLocale }>`select locale from clinic_names_of_user(${userId})`.execute(tx);
  return rows[0]?.locale ?? "en";
}

/** Writes to the person, after the fact: whoever did not ask for it hears of it. */
async function tell({ mail, publicUrl }: Config, to: string, locale: LetterLocale): Promise<string> {
  if (mail === undefined) return `No e-mail is sent from here: tell ${to} yourself.`;
  const letter = composeAccountLetter({ kind: "second_factor_removed" }, locale, `${publicUrl}/sign-in`);
  const { kind } = await createMailSender(mail).send({ to, ...letter, id: randomUUID() });
  return kind === "accepted"
    ? `An e-mail to ${to} says so.`
    : `The mail server did not take the e-mail (${kind}): tell ${to} yourself.`;
}
