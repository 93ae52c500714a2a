/**
 * The demo's clinic: obviously invented people, a few services, some consults this week, two packages, two courses and
 * a webinar, two membership plans and a paid gift certificate, and staff to sign in as.
 *
 * Promises that it may be run at every start: what is there already stays as it is, and a seed that was cut off goes on.
 */
import type { Accounts } from "../accounts/accounts.ts";
import { addItem, type NewItem } from "../clinic/academy/items.ts";
import { createInvoice, type NewInvoice } from "../clinic/billing/invoices.ts";
import { changeBilling } from "../clinic/billing-transaction.ts";
import { type Clinic, type ClinicContext, createClinic, getClinic } from "../clinic/clinics.ts";
import { type ConsultChanges, changeConsults } from "../clinic/consult-changes.ts";
import { type NewConsult, scheduleConsult } from "../clinic/consults.ts";
import { sellGiftCertificate } from "../clinic/credits/gift-certificates.ts";
import { addPackage } from "../clinic/credits/packages.ts";
import { addPlan, type NewPlan } from "../clinic/memberships/plans.ts";
import { addPatient, addPractitioner } from "../clinic/people.ts";
import { scheduleSeries } from "../clinic/series.ts";
import { addService } from "../clinic/services.ts";
import type { Clock } from "../clock.ts";
import { inClinic } from "../db/pool.ts";
import type { Db, Tx } from "../db/schema.ts";
import type { Seal } from "../seal/seal.ts";

export const DEMO_MANAGER_EMAIL = "manager@example.test";
export const DEMO_FRONT_DESK_EMAIL = "front-desk@example.test";

const CLINIC = {
  name: "Example Physio (demo)",
  timeZone: "America/Toronto",
  currency: "cad",
  hasAcademy: true,
} as const;
const PRACTITIONERS = [
  { name: "Pat Pretend", email: "pat.pretend@example.test" },
  { name: "Stevie Stand-In", email: "stevie.standin@example.test" },
];
const PATIENTS = [
  { name: "Test Patient One", email: "patient.one@example.test" },
  { name: "Test Patient Two", email: "patient.two@example.test" },
  { name: "Test Patient Three", email: null },
  { name: "Test Patient Four", email: "patient.four@example.test" },
  { name: "Test Patient Five", email: "patient.five@example.test" },
  { name: "Zoé Sample", email: "zoe.sample@example.test" },
];
const SERVICES = [
  { name: "Physiotherapy follow-up", kind: "one_to_one", durationMinutes: 45, capacity: null },
  { name: "Back care group", kind: "group", durationMinutes: 60, capacity: 6 },
  { name: "Pilates class", kind: "class", durationMinutes: 50, capacity: 12 },
] as const;
/** By place in the lists above; day 0 is this week's Monday. */
const CONSULTS: readonly DemoConsult[] = [
  { day: 0, time: "09:00", service: 0, practitioner: 0, patients: [0] },
  { day: 1, time: "10:30", service: 0, practitioner: 1, patients: [1] },
  { day: 2, time: "17:00", service: 1, practitioner: 0, patients: [2, 3] },
  { day: 3, time: "18:00", service: 2, practitioner: 1, patients: [0, 4, 5], weeks: 8 },
  { day: 4, time: "08:30", service: 0, practitioner: 0, patients: [3] },
];
const PACKAGES = [
  { name: "Five physiotherapy visits", price: 450, value: 500, expiresAfterDays: 365 },
  { name: "Ten Pilates classes", price: 180, value: 200, taxRate: 13, expiresAfterDays: 180 },
];
/** One is owed, one is paid in part, one is paid. Days before this week's Monday. */
const INVOICES = [
  { daysBefore: 1, patient: 0, practitioner: 0, taxRate: 13, paidMinor: 0 },
  { daysBefore: 3, patient: 2, practitioner: 0, taxRate: 13, paidMinor: 50_00 },
  { daysBefore: 7, patient: 5, practitioner: 1, taxRate: 0, paidMinor: 95_00 },
];
/** The last one is free. */
const ACADEMY: readonly NewItem[] = [
  { type: "course", name: "Back care at home", price: 199, taxRate: 13 },
  { type: "webinar", name: "Running without knee pain", price: 25, taxRate: 13 },
  { type: "course", name: "Desk stretches", price: 0 },
];
const MEMBERSHIP_PLANS: readonly NewPlan[] = [
  {
    type: "clinic_package_membership",
    name: "Monthly wellness plan",
    recurrenceInterval: "month",
    price: 80,
    taxRate: 13,
    creditValue: 95,
  },
  { type: "academy_membership", name: "Movement library", recurrenceInterval: "year", price: 120, taxRate: 13 },
];
const GIFT_CERTIFICATE = { purchaser: 1, value: 100, paidMinor: 100_00 };

interface DemoConsult {
  readonly day: number;
  readonly time: string;
  readonly service: number;
  readonly practitioner: number;
  readonly patients: readonly number[];
  /** Where it repeats: how many weeks. */
  readonly weeks?: number;
}

export interface SeedOptions {
  /** May create clinics. */
  readonly owner: Db;
  readonly db: Db;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly accounts: Pick<Accounts, "createStaff">;
  /** For everybody of the demo. */
  readonly password: string;
  /** The password is a new one: people who exist already get it, too. */
  readonly replacePasswords: boolean;
}

/** Makes whatever of the demo is missing. */
export async function seedDemo(options: SeedOptions): Promise<Clinic> {
  const clinic = await findOrCreateClinic(options);
  const { accounts, password, replacePasswords } = options;
  const staff = { clinicId: clinic.id, password, replacePassword: replacePasswords };
  await accounts.createStaff({ ...staff, role: "manager", name: "Demo Manager", email: DEMO_MANAGER_EMAIL });
  await accounts.createStaff({ ...staff, role: "front_desk", name: "Demo Front Desk", email: DEMO_FRONT_DESK_EMAIL });
  await inClinic(options.db, clinic.id, (tx) => seedPeopleAndConsults(tx, clinic, options));
  return clinic;
}

async function findOrCreateClinic({ owner, seal }: SeedOptions): Promise<Clinic> {
  const known = await owner
    .selectFrom("clinics")
    .select("id")
    .where("name", "=", CLINIC.name)
    .orderBy("id")
    .executeTakeFirst();
  return known === undefined ? createClinic(owner, seal, CLINIC) : getClinic(owner, known.id);
}

/** All or nothing in one transaction, so that one practitioner being there means that everything is. */
async function seedPeopleAndConsults(tx: Tx, clinic: Clinic, { seal, clock }: SeedOptions): Promise<void> {
  const clinicId = clinic.id;
  const before = await tx
    .selectFrom("practitioners")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .limit(1)
    .executeTakeFirst();
  if (before !== undefined) return;
  const ids = { practitioners: [] as number[], patients: [] as number[], services: [] as number[] };
  for (const person of PRACTITIONERS) ids.practitioners.push((await addPractitioner(tx, clinicId, person)).id);
  for (const person of PATIENTS) ids.patients.push((await addPatient(tx, clinicId, person)).id);
  for (const service of SERVICES) ids.services.push((await addService(tx, clinicId, service)).id);
  const monday = mondayOf(clock.now().toZonedDateTimeISO(clinic.timeZone).toPlainDate());
  await changeConsults(tx, { clinicId, outbox: { seal, clock } }, async (changes) => {
    for (const consult of CONSULTS) {
      const wanted = {
        serviceId: at(ids.services, consult.service),
        practitionerId: at(ids.practitioners, consult.practitioner),
        startTime: `${monday.add({ days: consult.day })}T${consult.time}`,
        patientIds: consult.patients.map((patient) => at(ids.patients, patient)),
      };
      await scheduleSeriesOrOne(changes, wanted, consult.weeks);
    }
  });
  await seedOffers(tx, { clinicId, outbox: { seal, clock } });
  await changeBilling(tx, { clinicId, outbox: { seal, clock } }, async (invoices) => {
    for (const wanted of INVOICES) await createInvoice(invoices, demoInvoice(wanted, ids, monday));
    const { purchaser, value, paidMinor } = GIFT_CERTIFICATE;
    const payments = () => [{ method: "cash" as const, totalMinor: paidMinor }];
    await sellGiftCertificate(invoices, { purchaserId: at(ids.patients, purchaser), value, payments });
  });
}

/** What can be sold: packages, courses and webinars, and memberships, of which the academy's opens all that has a price. */
async function seedOffers(tx: Tx, context: ClinicContext): Promise<void> {
  const { clinicId } = context;
  for (const wanted of PACKAGES) await addPackage(tx, clinicId, wanted);
  const items = [];
  for (const wanted of ACADEMY) items.push(await addItem(tx, clinicId, wanted));
  const itemIds = items.filter(({ priceMinor }) => priceMinor > 0).map(({ id }) => id);
  for (const wanted of MEMBERSHIP_PLANS) {
    await addPlan(tx, context, wanted.type === "academy_membership" ? { ...wanted, itemIds } : wanted);
  }
}

type Ids = { readonly practitioners: readonly number[]; readonly patients: readonly number[] };

function demoInvoice(wanted: (typeof INVOICES)[number], ids: Ids, monday: Temporal.PlainDate): NewInvoice {
  const { daysBefore, patient, practitioner, taxRate, paidMinor } = wanted;
  return {
    type: "patient_invoice",
    clientId: at(ids.patients, patient),
    practitionerId: at(ids.practitioners, practitioner),
    date: monday.subtract({ days: daysBefore }).toString(),
    lines: [{ description: "Physiotherapy follow-up", unitPriceMinor: 95_00, units: 1, taxRate }],
    payments: paidMinor === 0 ? [] : [{ method: "debit_card", totalMinor: paidMinor }],
  };
}

async function scheduleSeriesOrOne(changes: ConsultChanges, consult: NewConsult, weeks?: number): Promise<void> {
  if (weeks === undefined) await scheduleConsult(changes, consult);
  else await scheduleSeries(changes, consult, { every: "week", count: weeks });
}

function mondayOf(date: Temporal.PlainDate): Temporal.PlainDate {
  return date.subtract({ days: date.dayOfWeek - 1 });
}

function at(ids: readonly number[], place: number): number {
  const id = ids[place];
  if (id === undefined) throw new RangeError(`the demo's list has no place ${place}`);
  return id;
}
