/** Snapshots and events of invented other software, for tests of the feed. */
import { CONSULT_SNAPSHOTS, type GivenConsult } from "../src/clinic/feed/consult-snapshot.ts";
import type { CallerId } from "../src/clinic/feed/ids.ts";
import { inFeed } from "../src/clinic/feed/in-feed.ts";
import { type GivenInvoice, INVOICE_SNAPSHOTS } from "../src/clinic/feed/invoice-snapshot.ts";
import { type GivenMembership, MEMBERSHIP_SNAPSHOTS } from "../src/clinic/feed/membership-snapshot.ts";
import { type PutSnapshot, putSnapshot, type SnapshotRules } from "../src/clinic/feed/snapshots.ts";
import type { TestClinic } from "./clinic.ts";

export const SAM = { id: 5101, name: "Sam Sample", email: "sam.sample@example.test" };
export const ROBIN = { id: 5102, name: "Robin Example", email: null };
export const PAT = { id: 71, name: "Pat Pretend", email: "pat.pretend@example.test" };

export function givenConsult(changed: Partial<GivenConsult> = {}): GivenConsult {
  return {
    service: { id: 12, name: "Physiotherapy follow-up" },
    practitioner: PAT,
    startTime: "2026-11-03T09:00:00-05:00",
    durationMinutes: 45,
    cancelled: false,
    participants: [SAM],
    ...changed,
  };
}

const LINE = { id: 1, description: "Massage", unitPrice: 100, units: 1, subtotal: 100, taxes: 13, total: 113 };

export function givenInvoice(changed: Partial<GivenInvoice> = {}): GivenInvoice {
  return {
    type: "patient_invoice",
    number: "INV-1",
    date: "2026-09-22",
    currency: "cad",
    lines: [LINE],
    payments: [],
    practitioner: PAT,
    client: SAM,
    ...changed,
  };
}

export function givenMembership(changed: Partial<GivenMembership> = {}): GivenMembership {
  return {
    type: "clinic_package_membership",
    plan: { id: 44, name: "Monthly wellness plan" },
    recurrenceInterval: "month",
    state: "active",
    client: SAM,
    ...changed,
  };
}

export interface Put {
  readonly id: CallerId;
  readonly version?: number;
}

/** Puts snapshots into one clinic, each in a transaction of its own. */
export function putInto(clinic: TestClinic) {
  const put =
    <Given, State>(rules: SnapshotRules<Given, State>) =>
    (to: Put, given: Given | null): Promise<PutSnapshot> =>
      inFeed(clinic.db, clinic.id, (tx) =>
        putSnapshot(tx, clinic.context, { rules, snapshot: { id: to.id, version: to.version, given } }),
      );
  return {
    consult: put(CONSULT_SNAPSHOTS),
    invoice: put(INVOICE_SNAPSHOTS),
    membership: put(MEMBERSHIP_SNAPSHOTS),
  };
}
