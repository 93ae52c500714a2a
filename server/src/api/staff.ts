/**
 * /v1/staff and /v1/invitations: who works at the clinic, in which role, and who is asked to. Managers only.
 */
import { z } from "zod";
import { postInvitation } from "../accounts/invitation-letters.ts";
import {
  cleanLoginEmail,
  type Invitation,
  invitationLink,
  invite,
  listInvitations,
  renewInvitation,
  withdrawInvitation,
} from "../accounts/invitations.ts";
import { changeRole, listStaff, removeStaff } from "../accounts/staff.ts";
import { inClinic } from "../db/pool.ts";
import { type CommandAnswer, command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

const ROLE = z.enum(["manager", "practitioner", "front_desk"]);
const MEMBER = z.object({
  user_id: z.string(),
  name: z.string(),
  email: z.string(),
  role: ROLE,
  second_factor: z.boolean().describe("Whether signing in asks for a code, too."),
  is_you: z.boolean(),
  since: z.string(),
});
const INVITATION = z.object({
  id: z.int(),
  email: z.string(),
  role: ROLE,
  letter: z.enum(["waiting", "sent", "failed", "none"]).describe("`none` where no mail server is set up."),
  created_at: z.string(),
  expires_at: z.string(),
  is_over: z.boolean().describe("Its time is over; it can be sent again."),
});
const INVITED = INVITATION.extend({
  link: z
    .string()
    .optional()
    .describe("Where no mail server is set up: to be handed over, shown this once. It works once, for 7 days."),
});
const USER_PARAMS = z.object({ user_id: z.string().max(100) });

export async function staffRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);
  staffList(app, context);
  staffChanges(app, context);
  invitationLists(app, context);
  invitationChanges(app, context);
}

function staffList(app: App, { db }: ApiContext): void {
  const schema = { response: { 200: z.object({ data: z.array(MEMBER), next_cursor: z.null() }) } };
  app.get(
    "/staff",
    { schema: { summary: "List who works at the clinic.", ...schema } },
    async ({ principal: { clinicId, userId } }) => {
      const staff = await inClinic(db, clinicId, listStaff);
      const data = staff.map(({ userId: id, hasSecondFactor, since, ...one }) => ({
        ...{ ...one, user_id: id, second_factor: hasSecondFactor, is_you: id === userId, since: since.toString() },
      }));
      return { data, next_cursor: null };
    },
  );
}

function staffChanges(app: App, context: ApiContext): void {
  const schema = { params: USER_PARAMS, body: z.strictObject({ role: ROLE }) };
  app.patch("/staff/:user_id", { schema: { summary: "Change what somebody may do.", ...schema } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId, userId: actor } = request.principal;
      await changeRole(tx, { clinicId, actor, userId: request.params.user_id }, request.body.role);
      return { status: 204 };
    }),
  );

  app.delete(
    "/staff/:user_id",
    { schema: { summary: "Remove somebody from the clinic.", params: USER_PARAMS } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId, userId: actor } = request.principal;
        await removeStaff(tx, { clinicId, actor, userId: request.params.user_id });
        return { status: 204 };
      }),
  );
}

function invitationLists(app: App, { db, accounts }: ApiContext): void {
  const response = z.object({ data: z.array(INVITATION), next_cursor: z.null(), sends_letters: z.boolean() });
  app.get(
    "/invitations",
    { schema: { summary: "List invitations that wait.", response: { 200: response } } },
    async ({ principal: { clinicId } }) => {
      const rows = await inClinic(db, clinicId, (tx) => listInvitations(tx, clinicId));
      return { data: rows.map(show), next_cursor: null, sends_letters: accounts.post.isOpen };
    },
  );
}

function invitationChanges(app: App, context: ApiContext): void {
  const hasMail = context.accounts.post.isOpen;
  const body = z.strictObject({ email: z.string(), role: ROLE });
  app.post(
    "/invitations",
    { schema: { summary: "Invite somebody to the clinic's staff.", body, response: { 201: INVITED } } },
    async (request, reply) => {
      const { clinicId, userId: actor } = request.principal;
      await countLetter(context, clinicId, cleanLoginEmail(request.body.email));
      const made: Made[] = [];
      await command(request, reply, context, async (tx) => {
        made.push(await invite(tx, { clinicId, actor, hasMail, ...request.body }));
        return answerOf(context, 201, made);
      });
      postLetters(context, clinicId, made);
    },
  );

  const again = { params: ID_PARAMS, body: z.strictObject({}), response: { 200: INVITED } };
  app.post(
    "/invitations/:id/resend",
    { schema: { summary: "Send an invitation again, with a new link.", ...again } },
    async (request, reply) => {
      const { clinicId, userId: actor } = request.principal;
      const id = readId(request.params.id, "invitation");
      const open = await inClinic(context.db, clinicId, (tx) => listInvitations(tx, clinicId));
      const known = open.find((one) => one.id === id);
      if (known !== undefined) await countLetter(context, clinicId, known.email);
      const made: Made[] = [];
      await command(request, reply, context, async (tx) => {
        made.push(await renewInvitation(tx, { clinicId, actor, id }, hasMail));
        return answerOf(context, 200, made);
      });
      postLetters(context, clinicId, made);
    },
  );

  app.delete(
    "/invitations/:id",
    { schema: { summary: "Withdraw an invitation.", params: ID_PARAMS } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId, userId: actor } = request.principal;
        await withdrawInvitation(tx, { clinicId, actor, id: readId(request.params.id, "invitation") });
        return { status: 204 };
      }),
  );
}

/** Before the command, so that a try that ends in a refusal counts too. @throws ProblemError 429 */
async function countLetter({ accounts }: ApiContext, clinicId: number, email: string): Promise<void> {
  if (!accounts.post.isOpen) return;
  // The one address first: whoever is refused there uses nothing up of the clinic's.
  await accounts.tries.takeOrRefuse("invitation_letter", `${clinicId} ${email}`);
  await accounts.tries.takeOrRefuse("invitation_letters", String(clinicId));
}

interface Made {
  readonly invitation: Invitation;
  readonly token: string;
}

/** The link itself is answered only where no letter can bring it to the one it is for. */
function answerOf({ accounts, publicUrl }: ApiContext, status: number, [made]: readonly Made[]): CommandAnswer {
  if (made === undefined) throw new TypeError("an invitation is made before it is answered");
  const kept = show(made.invitation);
  const link = invitationLink(publicUrl, made.token);
  return { status, body: accounts.post.isOpen ? kept : { ...kept, link }, kept };
}

/** After the commit. A request that was answered from its Idempotency-Key made nothing, and sends nothing. */
function postLetters({ accounts, db, publicUrl }: ApiContext, clinicId: number, made: readonly Made[]): void {
  if (!accounts.post.isOpen) return;
  for (const { token } of made) postInvitation({ db, post: accounts.post, publicUrl }, { clinicId, token });
}

function show({ createdAt, expiresAt, isOver, ...row }: Invitation): z.infer<typeof INVITATION> {
  return { ...row, created_at: createdAt.toString(), expires_at: expiresAt.toString(), is_over: isOver };
}
