/**
 * /v1/memberships: what patients have of the plans. Every change is one transaction with one unit of work, so its events are
 * made once (contract §1, §4), and answers with the membership as it stands afterwards.
 */
import { z } from "zod";
import { getClinic } from "../clinic/clinics.ts";
import type { MembershipChanges } from "../clinic/memberships/membership-changes.ts";
import { changeMemberships } from "../clinic/memberships/membership-transaction.ts";
import { getMembership, listMemberships } from "../clinic/memberships/membership-views.ts";
import {
  assignMembership,
  cancelMembership,
  changePaymentSource,
  markPaid,
  pauseMembership,
  resumeMembership,
  switchMembership,
} from "../clinic/memberships/memberships.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { command } from "./command.ts";
import { NOTHING } from "./consult-shapes.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import {
  CANCELLATION,
  MEMBERSHIP,
  MEMBERSHIP_QUERY,
  NEW_MEMBERSHIP,
  SOURCE_CHANGE,
  SWITCH,
  SWITCHED,
  showMembership,
} from "./membership-shapes.ts";
import { PAGE_DEFAULT_ROWS, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";

const CURSOR = z.tuple([z.int()]);

export async function membershipsRoutes(app: App, context: ApiContext): Promise<void> {
  readRoutes(app, context);
  assignRoute(app, context);
  cancelRoute(app, context);
  plainRoutes(app, context);
  switchRoute(app, context);
  sourceRoute(app, context);
}

function readRoutes(app: App, { db }: ApiContext): void {
  const list = { querystring: MEMBERSHIP_QUERY, response: { 200: pageOf(MEMBERSHIP) } };
  app.get("/memberships", { schema: { summary: "List memberships.", ...list } }, ({ principal: { clinicId }, query }) =>
    inClinic(db, clinicId, async (tx) => {
      const clinic = await getClinic(tx, clinicId);
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [before] = readCursor(query.cursor, CURSOR) ?? [];
      const filters = { state: query.state, clientId: query.patient_id, planId: query.plan_id };
      const rows = await listMemberships(tx, { clinicId, ...filters, before, limit: limit + 1 });
      return toPage(rows, limit, { item: (row) => showMembership(row, clinic), key: ({ id }) => [id] });
    }),
  );

  const one = { params: ID_PARAMS, response: { 200: MEMBERSHIP } };
  app.get(
    "/memberships/:id",
    { schema: { summary: "Read a membership.", ...one } },
    ({ principal: { clinicId }, params }) => {
      const id = readMembershipId(params);
      return inClinic(db, clinicId, (tx) => membershipNow(tx, clinicId, id));
    },
  );
}

function assignRoute(app: App, context: ApiContext): void {
  const assign = { body: NEW_MEMBERSHIP, response: { 201: MEMBERSHIP } };
  app.post("/memberships", { schema: { summary: "Give a patient a membership.", ...assign } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId } = request.principal;
      const { plan_id: planId, client_id: clientId, payment_source: paymentSource } = request.body;
      const wanted = { planId, clientId, paymentSource };
      const id = await changing(context, tx, clinicId)((changes) => assignMembership(changes, wanted));
      return { status: 201, body: await membershipNow(tx, clinicId, id) };
    }),
  );
}

function cancelRoute(app: App, context: ApiContext): void {
  const cancel = { params: ID_PARAMS, body: CANCELLATION, response: { 200: MEMBERSHIP } };
  app.post("/memberships/:id/cancel", { schema: { summary: "Cancel a membership.", ...cancel } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId } = request.principal;
      const id = readMembershipId(request.params);
      const { by = "staff", at = "period_end" } = request.body ?? {};
      await changing(context, tx, clinicId)((changes) => cancelMembership(changes, id, { by, at }));
      return { status: 200, body: await membershipNow(tx, clinicId, id) };
    }),
  );
}

/** Those that need nothing but the membership. */
function plainRoutes(app: App, context: ApiContext): void {
  const schema = { params: ID_PARAMS, body: NOTHING, response: { 200: MEMBERSHIP } };
  const acts = [
    ["resume", resumeMembership, "Resume a membership that is paused, or undo its cancellation."],
    ["pause", pauseMembership, "Pause a membership."],
    ["mark-paid", markPaid, "Note that a charge of an academy membership was paid at the desk."],
  ] as const;
  for (const [name, act, summary] of acts) {
    app.post(`/memberships/:id/${name}`, { schema: { summary, ...schema } }, (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const id = readMembershipId(request.params);
        await changing(context, tx, clinicId)((changes) => act(changes, id));
        return { status: 200, body: await membershipNow(tx, clinicId, id) };
      }),
    );
  }
}

function switchRoute(app: App, context: ApiContext): void {
  const change = { params: ID_PARAMS, body: SWITCH, response: { 200: SWITCHED } };
  app.post(
    "/memberships/:id/switch",
    { schema: { summary: "Switch a membership to another plan.", ...change } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const id = readMembershipId(request.params);
        const planId = request.body.plan_id;
        const newId = await changing(context, tx, clinicId)((changes) => switchMembership(changes, id, planId));
        const cancelled = await membershipNow(tx, clinicId, id);
        return { status: 200, body: { cancelled, started: await membershipNow(tx, clinicId, newId) } };
      }),
  );
}

function sourceRoute(app: App, context: ApiContext): void {
  const change = { params: ID_PARAMS, body: SOURCE_CHANGE, response: { 200: MEMBERSHIP } };
  app.post(
    "/memberships/:id/payment-source",
    { schema: { summary: "Change from where a membership is paid.", ...change } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const id = readMembershipId(request.params);
        const source = request.body.payment_source;
        await changing(context, tx, clinicId)((changes) => changePaymentSource(changes, id, source));
        return { status: 200, body: await membershipNow(tx, clinicId, id) };
      }),
  );
}

/** The transaction's one unit of membership changes, ready to run a command. */
function changing({ outbox }: ApiContext, tx: Tx, clinicId: number) {
  return <Result>(work: (changes: MembershipChanges) => Promise<Result>) =>
    changeMemberships(tx, { clinicId, outbox }, work);
}

function readMembershipId(params: z.infer<typeof ID_PARAMS>): number {
  return readId(params.id, "membership");
}

async function membershipNow(tx: Tx, clinicId: number, id: number) {
  return showMembership(await getMembership(tx, clinicId, id), await getClinic(tx, clinicId));
}
