/**
 * `hookwell clinic …`: the operator makes clinics and invites their first managers. Both are written down as
 * the operator's acts, an invitation in the clinic's history, too. He reads no clinic's data and sets nobody's password. Without a
 * mail server he is handed the manager's link, and could follow it himself: the history then shows who joined.
 */
import { randomUUID } from "node:crypto";
import { Command, Option } from "commander";
import {
  cleanLoginEmail,
  INVITATION_DAYS,
  invitationLink,
  invite,
  noteLetter,
  OPERATOR,
} from "../accounts/invitations.ts";
import { composeAccountLetter } from "../accounts/letters.ts";
import { createClinic } from "../clinic/clinics.ts";
import type { Config } from "../config.ts";
import { inClinic } from "../db/pool.ts";
import { createMailSender } from "../egress/mail.ts";
import { notFound } from "../errors.ts";
import { cleanReason, writeDown } from "../operator/acts.ts";
import { COMMAND_LINE, type Operator, say, toId, withOperator } from "./operator.ts";

interface NewOptions {
  readonly name: string;
  readonly timeZone: string;
  readonly manager: string;
  readonly locale: "en" | "fr-CA";
  readonly currency: string;
  readonly academy: boolean;
}

/** The command; `read` reads the configuration when it is needed. */
export function clinicCommand(read: () => Config): Command {
  const clinic = new Command("clinic").description("create a clinic, or invite a manager to one");
  clinic
    .command("create")
    .description("create a clinic and invite its first manager")
    .requiredOption("--name <text>", "as its people and receivers read it")
    .requiredOption("--time-zone <name>", "such as America/Toronto")
    .requiredOption("--manager <e-mail>", "who is invited to manage it")
    .addOption(new Option("--locale <language>", "of its e-mails and portal").choices(["en", "fr-CA"]).default("en"))
    .option("--currency <code>", "lower-case ISO 4217", "cad")
    .option("--academy", "with Clinic Academy", false)
    .action((options: NewOptions) => withOperator(read(), (operator) => create(operator, options)));
  clinic
    .command("invite-manager")
    .description("invite a manager to a clinic, such as one that has none any more")
    .requiredOption("--clinic <id>", "which clinic", toId)
    .requiredOption("--manager <e-mail>", "who is invited")
    .option("--reason <text>", "why; it is kept with what was done", "the clinic needs a manager")
    .action(({ clinic: id, manager, reason }: { clinic: number; manager: string; reason: string }) =>
      withOperator(read(), (operator) => inviteManager(operator, id, { email: manager, reason: cleanReason(reason) })),
    );
  return clinic;
}

async function create(operator: Operator, options: NewOptions): Promise<void> {
  const { name, timeZone, locale, currency, academy: hasAcademy } = options;
  // First, or the clinic would be made and nobody invited.
  const manager = cleanLoginEmail(options.manager);
  const id = await operator.owner.transaction().execute(async (tx) => {
    const made = await createClinic(tx, operator.seal, { name, timeZone, locale, currency, hasAcademy });
    const act = { action: "clinic.created", clinicId: made.id, webhookId: null } as const;
    await writeDown(tx, { ...act, reason: "a new clinic", cameFrom: COMMAND_LINE });
    return made.id;
  });
  say(`Clinic ${id} is made.`);
  await inviteManager(operator, id, { email: manager, reason: "a new clinic" });
}

async function inviteManager(
  { config, owner, app }: Operator,
  clinicId: number,
  { email, reason }: { email: string; reason: string },
): Promise<void> {
  const clinic = await owner
    .selectFrom("clinics")
    .select(["name", "locale"])
    .where("id", "=", clinicId)
    .executeTakeFirstOrThrow(() => notFound("the clinic", undefined, "Check its id."));
  const hasMail = config.mail !== undefined;
  const wanted = { clinicId, actor: OPERATOR, email, role: "manager", hasMail } as const;
  // As the tables' owner, who alone may write into the operator's book: both, or neither.
  const { invitation, token } = await inClinic(owner, clinicId, async (tx) => {
    const act = { action: "clinic.manager_invited", clinicId, webhookId: null } as const;
    await writeDown(tx, { ...act, reason, cameFrom: COMMAND_LINE });
    return invite(tx, wanted);
  });
  const link = invitationLink(config.publicUrl, token);
  if (config.mail !== undefined) {
    const letter = { kind: "invitation", clinic: clinic.name, role: "manager", days: INVITATION_DAYS } as const;
    const message = { to: invitation.email, ...composeAccountLetter(letter, clinic.locale, link), id: randomUUID() };
    const { kind } = await createMailSender(config.mail).send(message);
    await noteLetter(app, { clinicId, token }, kind === "accepted" ? "sent" : "failed");
    if (kind === "accepted") return say(`The invitation is on its way to ${invitation.email}.`);
    say(`The mail server did not take the e-mail (${kind}).`);
  }
  say(`Hand this link to ${invitation.email}. It works once, for ${INVITATION_DAYS} days:\n${link}`);
}
