/**
 * `hookwell clinic …`: the operator makes clinics and invites their first managers. He reads no clinic's data, sets nobody's
 * password and gets no session: a manager follows a link and chooses the password alone.
 */
import { type KeyObject, randomUUID } from "node:crypto";
import { Command, InvalidArgumentError, Option } from "commander";
import type pg from "pg";
import { createAccounts } from "../accounts/accounts.ts";
import { RESET_LINK_MINUTES } from "../accounts/auth.ts";
import {
  cleanLoginEmail,
  INVITATION_DAYS,
  invitationLink,
  invite,
  noteLetter,
  OPERATOR,
} from "../accounts/invitations.ts";
import { composeAccountLetter } from "../accounts/letters.ts";
import { refuseForeignKey } from "../app.ts";
import { createClinic } from "../clinic/clinics.ts";
import type { Config } from "../config.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { createMailSender } from "../egress/mail.ts";
import { notFound } from "../errors.ts";
import { silentLog } from "../log.ts";
import { loadAuthSecret } from "../seal/kept-secrets.ts";
import { loadMasterKeys } from "../seal/master-keys.ts";
import { Seal } from "../seal/seal.ts";
import { withOwner } from "./database.ts";

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
    .addOption(new Option("--locale <language>", "of its letters and portal").choices(["en", "fr-CA"]).default("en"))
    .option("--currency <code>", "lower-case ISO 4217", "cad")
    .option("--academy", "with Clinic Academy", false)
    .action((options: NewOptions) => withDatabase(read(), (operator) => create(operator, options)));
  clinic
    .command("invite-manager")
    .description("invite a manager to a clinic that has none any more")
    .requiredOption("--clinic <id>", "which clinic", toId)
    .requiredOption("--manager <e-mail>", "who is invited")
    .action(({ clinic: id, manager }: { clinic: number; manager: string }) =>
      withDatabase(read(), (operator) => inviteManager(operator, id, manager)),
    );
  return clinic;
}

/** `hookwell reset-link`: for who forgot the password where no mail server is set up. */
export function resetLinkCommand(read: () => Config): Command {
  return new Command("reset-link")
    .description("make a link with which a member of staff chooses a new password")
    .requiredOption("--email <e-mail>", "whose")
    .action(({ email }: { email: string }) => withDatabase(read(), (operator) => resetLink(operator, email)));
}

async function resetLink({ config, owner, app, authPool, seal, masterKeys }: Operator, email: string): Promise<void> {
  const secret = await loadAuthSecret(config, { owner, seal, masterKeys });
  const { publicUrl } = config;
  const accounts = createAccounts({ db: app, authPool, secret, publicUrl, log: silentLog(), mail: null });
  const link = await accounts.makeResetLink(email);
  await accounts.close();
  if (link === null) throw notFound("the account");
  say(`Hand this link over. It works once, for ${RESET_LINK_MINUTES} minutes, and ends all sessions:\n${link}`);
}

interface Operator {
  readonly authPool: pg.Pool;
  readonly masterKeys: readonly KeyObject[];
  readonly config: Config;
  readonly owner: Db;
  readonly app: Db;
  readonly seal: Seal;
}

async function create(operator: Operator, options: NewOptions): Promise<void> {
  const { name, timeZone, locale, currency, academy: hasAcademy } = options;
  // First, or the clinic would be made and nobody invited.
  const manager = cleanLoginEmail(options.manager);
  const { id } = await createClinic(operator.owner, operator.seal, { name, timeZone, locale, currency, hasAcademy });
  say(`Clinic ${id} is made.`);
  await inviteManager(operator, id, manager);
}

async function inviteManager(operator: Operator, clinicId: number, email: string): Promise<void> {
  const { config, owner, app } = operator;
  const clinic = await owner
    .selectFrom("clinics")
    .select(["name", "locale"])
    .where("id", "=", clinicId)
    .executeTakeFirstOrThrow(() => notFound("the clinic"));
  const hasMail = config.mail !== undefined;
  const wanted = { clinicId, actor: OPERATOR, email, role: "manager", hasMail } as const;
  const { invitation, token } = await inClinic(app, clinicId, (tx) => invite(tx, wanted));
  const link = invitationLink(config.publicUrl, token);
  if (config.mail !== undefined) {
    const letter = { kind: "invitation", clinic: clinic.name, role: "manager", days: INVITATION_DAYS } as const;
    const message = { to: invitation.email, ...composeAccountLetter(letter, clinic.locale, link), id: randomUUID() };
    const { kind } = await createMailSender(config.mail).send(message);
    await noteLetter(app, { clinicId, token }, kind === "accepted" ? "sent" : "failed");
    if (kind === "accepted") return say(`The invitation is on its way to ${invitation.email}.`);
    say(`The mail server did not take the letter (${kind}).`);
  }
  say(`Hand this link to ${invitation.email}. It works once, for ${INVITATION_DAYS} days:\n${link}`);
}

async function withDatabase(config: Config, work: (operator: Operator) => Promise<void>): Promise<void> {
  // Before a database is made that would then have another one.
  const masterKeys = await loadMasterKeys(config);
  const seal = new Seal(masterKeys);
  await withOwner(config, silentLog(), async (owner, pools) => {
    await refuseForeignKey(owner, seal);
    await work({ config, owner, app: createKysely(pools.app), authPool: pools.auth, seal, masterKeys });
  });
}

function toId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write the number of its id.");
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
