/** Checkouts and participants as the clinic's own people see them. */
import type { Person, ResourceType } from "@hookwell/sdk";
import type { Tx } from "../../db/schema.ts";
import { notFound } from "../../errors.ts";
import type { Amounts } from "../billing/amounts.ts";
import type { AccessVia } from "./access.ts";
import type { CHECKOUT_STATES } from "./checkouts.ts";
import { getItem, type ItemKey, requireAcademy } from "./items.ts";
import { placeSubject } from "./places.ts";

type CheckoutState = (typeof CHECKOUT_STATES)[number];

export interface CheckoutView extends Amounts {
  readonly id: number;
  readonly state: CheckoutState;
  readonly resource: { readonly type: ResourceType; readonly id: number; readonly name: string };
  readonly client: Person;
  readonly currency: string;
  readonly expiresAt: Temporal.Instant;
  readonly createdAt: Temporal.Instant;
  readonly subject: string;
}

/** @throws ProblemError 404; 409 `no_academy` */
export async function getCheckout(tx: Tx, clinicId: number, id: number): Promise<CheckoutView> {
  await requireAcademy(tx, clinicId);
  const found = checkoutRows(tx, clinicId).where("c.id", "=", id);
  return toCheckout(await found.executeTakeFirstOrThrow(() => notFound("the checkout")));
}

export interface ListCheckouts {
  readonly clinicId: number;
  readonly state?: CheckoutState | undefined;
  readonly patientId?: number | undefined;
  /** The last id of the page before. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Newest first. @throws ProblemError 409 `no_academy` */
export async function listCheckouts(tx: Tx, list: ListCheckouts): Promise<CheckoutView[]> {
  await requireAcademy(tx, list.clinicId);
  let query = checkoutRows(tx, list.clinicId);
  if (list.state !== undefined) query = query.where("c.state", "=", list.state);
  if (list.patientId !== undefined) query = query.where("p.patient_id", "=", list.patientId);
  if (list.before !== undefined) query = query.where("c.id", "<", list.before);
  const rows = await query.orderBy("c.id", "desc").limit(list.limit).execute();
  return rows.map(toCheckout);
}

function checkoutRows(tx: Tx, clinicId: number) {
  return tx
    .selectFrom("academy_checkouts as c")
    .innerJoin("academy_places as p", (join) =>
      join.onRef("p.clinic_id", "=", "c.clinic_id").onRef("p.id", "=", "c.place_id"),
    )
    .innerJoin("academy_items as i", (join) =>
      join.onRef("i.clinic_id", "=", "p.clinic_id").onRef("i.id", "=", "p.item_id"),
    )
    .innerJoin("patients as t", (join) =>
      join.onRef("t.clinic_id", "=", "p.clinic_id").onRef("t.id", "=", "p.patient_id"),
    )
    .select(["c.id", "c.state", "c.subtotal_minor", "c.taxes_minor", "c.total_minor", "c.currency"])
    .select(["c.expires_at", "c.created_at", "c.place_id"])
    .select(["i.id as item_id", "i.type", "i.name as item_name"])
    .select(["t.id as client_id", "t.name as client_name", "t.email as client_email"])
    .where("c.clinic_id", "=", clinicId);
}

type CheckoutRow = Awaited<ReturnType<ReturnType<typeof checkoutRows>["execute"]>>[number];

function toCheckout(row: CheckoutRow): CheckoutView {
  return {
    id: row.id,
    state: row.state,
    resource: { type: row.type, id: row.item_id, name: row.item_name },
    client: { id: row.client_id, name: row.client_name, email: row.client_email },
    subtotalMinor: row.subtotal_minor,
    taxesMinor: row.taxes_minor,
    totalMinor: row.total_minor,
    currency: row.currency,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    subject: placeSubject(row.type, row.place_id),
  };
}

export interface ParticipantView {
  readonly placeId: number;
  readonly patient: Person;
  readonly how: AccessVia;
  readonly since: Temporal.Instant;
  readonly subject: string;
}

export interface ListParticipants extends ItemKey {
  readonly patientId?: number | undefined;
  /** The last place of the page before. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Who has access now, the newest place first. @throws ProblemError 404; 409 `no_academy` */
export async function listParticipants(tx: Tx, list: ListParticipants): Promise<ParticipantView[]> {
  const { clinicId, type, id, limit } = list;
  await requireAcademy(tx, clinicId);
  await getItem(tx, { clinicId, type, id });
  let query = tx
    .selectFrom("academy_places as p")
    .innerJoin("patients as t", (join) =>
      join.onRef("t.clinic_id", "=", "p.clinic_id").onRef("t.id", "=", "p.patient_id"),
    )
    .select(["p.id as placeId", "p.own_access", "p.participant_since", "t.id", "t.name", "t.email"])
    .where("p.clinic_id", "=", clinicId)
    .where("p.item_id", "=", id)
    .where("p.participant_since", "is not", null)
    .$narrowType<{ participant_since: Temporal.Instant }>();
  if (list.patientId !== undefined) query = query.where("p.patient_id", "=", list.patientId);
  if (list.before !== undefined) query = query.where("p.id", "<", list.before);
  const rows = await query.orderBy("p.id", "desc").limit(limit).execute();
  return rows.map((row) => ({
    placeId: row.placeId,
    patient: { id: row.id, name: row.name, email: row.email },
    how: row.own_access ?? "membership",
    since: row.participant_since,
    subject: placeSubject(type, row.placeId),
  }));
}
