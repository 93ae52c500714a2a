/**
 * The feed's routes: one bound on its bodies and one gate to the database for all of them, so that no program's flood reaches
 * the people of a clinic. Events themselves are in events.ts.
 *
 * Snapshots of records that other software keeps, under its own ids: PUT beside the routes of the clinic's own records. A PUT
 * is idempotent by nature, so it needs no Idempotency-Key: the same snapshot again changes and sends nothing.
 */
import { z } from "zod";
import { CONSULT_SNAPSHOTS } from "../clinic/feed/consult-snapshot.ts";
import { FeedGate } from "../clinic/feed/gate.ts";
import { inFeed } from "../clinic/feed/in-feed.ts";
import { INVOICE_SNAPSHOTS } from "../clinic/feed/invoice-snapshot.ts";
import { MEMBERSHIP_SNAPSHOTS } from "../clinic/feed/membership-snapshot.ts";
import { putSnapshot, type Snapshot, type SnapshotRules } from "../clinic/feed/snapshots.ts";
import type { ApiContext } from "./context.ts";
import { eventsRoutes, type FeedContext } from "./events.ts";
import { limitFeed, SNAPSHOT_BODY_MAX_BYTES } from "./feed-limits.ts";
import {
  CONSULT_SNAPSHOT,
  INVOICE_SNAPSHOT,
  MEMBERSHIP_SNAPSHOT,
  PUT_SNAPSHOT,
  readConsultSnapshot,
  readInvoiceSnapshot,
  readMembershipSnapshot,
} from "./feed-shapes.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

const PARAMS = z.object({ id: z.string().describe("Yours: an integer below 2^53, or a text of up to 64 bytes.") });
const OPTIONS = { config: { scope: "feed" }, bodyLimit: SNAPSHOT_BODY_MAX_BYTES } as const;
const ANSWERS = { 200: PUT_SNAPSHOT, 201: PUT_SNAPSHOT };

export async function feedRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);
  limitFeed(app);
  const gate = new FeedGate();
  const inTurn: FeedContext["inTurn"] = (clinicId, work) =>
    gate.run(clinicId, () => inFeed(context.db, clinicId, work));
  eventsRoutes(app, { ...context, inTurn });
  snapshotRoutes(app, { ...context, inTurn });
}

function snapshotRoutes(app: App, context: FeedContext): void {
  const consult = { params: PARAMS, body: CONSULT_SNAPSHOT, response: ANSWERS };
  app.put(
    "/consults/:id",
    { ...OPTIONS, schema: { summary: "Say how a consult of your own software is now.", ...consult } },
    async ({ principal, params, body }, reply) => {
      const snapshot = { id: params.id, version: body.version, given: readConsultSnapshot(body) };
      const { status, answer } = await put(context, principal.clinicId, { rules: CONSULT_SNAPSHOTS, snapshot });
      return reply.code(status).send(answer);
    },
  );

  const invoice = { params: PARAMS, body: INVOICE_SNAPSHOT, response: ANSWERS };
  app.put(
    "/invoices/:id",
    { ...OPTIONS, schema: { summary: "Say how an invoice of your own software is now.", ...invoice } },
    async ({ principal, params, body }, reply) => {
      const snapshot = { id: params.id, version: body.version, given: readInvoiceSnapshot(body) };
      const { status, answer } = await put(context, principal.clinicId, { rules: INVOICE_SNAPSHOTS, snapshot });
      return reply.code(status).send(answer);
    },
  );

  const membership = { params: PARAMS, body: MEMBERSHIP_SNAPSHOT, response: ANSWERS };
  app.put(
    "/memberships/:id",
    { ...OPTIONS, schema: { summary: "Say how a membership of your own software is now.", ...membership } },
    async ({ principal, params, body }, reply) => {
      const snapshot = { id: params.id, version: body.version, given: readMembershipSnapshot(body) };
      const { status, answer } = await put(context, principal.clinicId, { rules: MEMBERSHIP_SNAPSHOTS, snapshot });
      return reply.code(status).send(answer);
    },
  );
}

interface Put<Given, State> {
  readonly rules: SnapshotRules<Given, State>;
  readonly snapshot: Snapshot<Given>;
}

async function put<Given, State>({ inTurn, outbox, nudge }: FeedContext, clinicId: number, work: Put<Given, State>) {
  const done = await inTurn(clinicId, (tx) => putSnapshot(tx, { clinicId, outbox }, work));
  if (done.events.length > 0) nudge(clinicId);
  const answer = { id: done.id, events: [...done.events], unchanged: done.unchanged };
  return { status: done.isNew ? 201 : 200, answer } as const;
}
