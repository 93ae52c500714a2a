/** Every way to the three invoice events, for all four types of record. */
import { people } from "./consults.ts";
import { RENEWALS } from "./memberships.ts";
import { never, type Play, type Row } from "./play.ts";
import type { Scene } from "./stage.ts";

const CREATED = ["invoice.created"] as const;
const UPDATED = ["invoice.updated"] as const;
const DELETED = ["invoice.deleted"] as const;

const LINES = [{ description: "Invented treatment", unit_price: 100, units: 1, tax_rate: 13 }];
const cash = (total: number) => ({ payment_method: "cash", total });

async function client(scene: Scene) {
  const { patients, practitioner } = await people(scene);
  return { client: patients[0], other: patients[1], practitioner };
}

const create = (scene: Scene, { client }: { client: number }, changes: object = {}) =>
  scene.post("/v1/invoices", { client_id: client, line_items: LINES, ...changes });

async function draft(scene: Scene) {
  const set = await client(scene);
  return { ...set, id: (await create(scene, set)).id };
}

async function paid(scene: Scene) {
  const set = await draft(scene);
  const invoice = await scene.post(`/v1/invoices/${set.id}/payments`, cash(113));
  return { ...set, payment: invoice.payments[0].id, line: invoice.line_items[0].id };
}

async function offered(scene: Scene) {
  const set = await client(scene);
  const definition = { name: "Five visits", price: 500, value: 500, tax_rate: 0 };
  return { ...set, packageId: (await scene.post("/v1/packages", definition)).id };
}

const sell = (scene: Scene, { packageId, client }: { packageId: number; client: number }) =>
  scene.post(`/v1/packages/${packageId}/sell`, { client_id: client, payments: [cash(500)] });

/** A patient who has 500.00 to draw from. */
async function covered(scene: Scene) {
  const set = await offered(scene);
  const { invoice } = await sell(scene, set);
  const { data } = await scene.get(`/v1/patients/${set.client}/credits`);
  return { ...set, packageInvoice: invoice.id, credit: data[0].id };
}

async function unpaidPackage(scene: Scene) {
  const { packageId, client } = await offered(scene);
  return { id: (await scene.post(`/v1/packages/${packageId}/sell`, { client_id: client })).invoice.id };
}

async function certificate(scene: Scene) {
  const set = await client(scene);
  const made = await scene.post("/v1/gift-certificates", { purchaser_id: set.client, value: 50, payments: [cash(50)] });
  return { ...set, code: made.gift_certificate.code, id: made.invoice.id, payment: made.invoice.payments[0].id };
}

/** What clinic software of its own tells of an invoice. */
const SNAPSHOT = {
  type: "patient_invoice",
  invoice_number: "OWN-1",
  invoice_date: "2031-03-04",
  currency: "cad",
  line_items: [
    { id: 1, description: "Invented treatment", unit_price: 100, units: 1, subtotal: 100, taxes: 13, total: 113 },
  ],
  payments: [],
  practitioner: null,
  client: { id: 501, name: "Sam Sample", email: "sam@example.test" },
};
const put = (scene: Scene, id: number, changes: object = {}) =>
  scene.send("PUT", `/v1/invoices/${id}`, { ...SNAPSHOT, invoice_number: `OWN-${id}`, ...changes });

async function fed(scene: Scene) {
  const id = scene.number();
  await put(scene, id);
  return { id };
}

const createdByApi: readonly Play[] = [
  { what: "an invoice", before: client, act: create, events: CREATED },
  {
    what: "an invoice with its payment",
    before: client,
    act: (s, set) => create(s, set, { payments: [cash(113)] }),
    events: CREATED,
  },
  {
    what: "an invoice that draws from the patient's package at once",
    before: covered,
    act: (s, set) => create(s, set, { auto_deduct: true }),
    events: CREATED,
  },
  { what: "a package is sold", before: offered, act: sell, events: CREATED },
  { what: "a gift certificate is sold", act: certificate, events: CREATED },
  {
    what: "a gift certificate is redeemed",
    before: certificate,
    act: (s, { code, other }) => s.post("/v1/gift-certificates/redeem", { code, patient_id: other }),
    events: [],
  },
];

const path = (set: { id: number; payment: number }) => `/v1/invoices/${set.id}/payments/${set.payment}`;

const updatedByApi: readonly Play[] = [
  {
    what: "a payment",
    before: draft,
    act: (s, { id }) => s.post(`/v1/invoices/${id}/payments`, cash(50)),
    events: UPDATED,
  },
  {
    what: "a payment that is a draft",
    before: draft,
    act: (s, { id }) => s.post(`/v1/invoices/${id}/payments`, { ...cash(50), status: "draft" }),
    events: UPDATED,
  },
  {
    what: "a payment from the package, which itself is told nothing",
    before: async (scene) => {
      const set = await covered(scene);
      return { ...set, id: (await create(scene, set)).id };
    },
    act: (s, { id, credit }) =>
      s.post(`/v1/invoices/${id}/payments`, { payment_method: "package", total: 113, credit_id: credit }),
    events: UPDATED,
  },
  {
    what: "a payment is edited",
    before: paid,
    act: (s, set) => s.send("PATCH", path(set), { payment_method: "cheque" }),
    events: UPDATED,
  },
  { what: "a payment is deleted", before: paid, act: (s, set) => s.send("DELETE", path(set)), events: UPDATED },
  {
    what: "a refund in part",
    before: paid,
    act: (s, set) => s.post(`${path(set)}/refund`, { total: 13 }),
    events: UPDATED,
  },
  {
    what: "a payment is transferred to another invoice",
    before: async (scene) => {
      const set = await paid(scene);
      return { ...set, to: (await create(scene, set)).id };
    },
    act: (s, set) => s.post(`${path(set)}/transfer`, { to_invoice_id: set.to }),
    events: [...UPDATED, ...UPDATED],
    anyOrder: true,
  },
  {
    what: "a line is added",
    before: draft,
    act: (s, { id }) => s.post(`/v1/invoices/${id}/line-items`, { description: "Tape", unit_price: 5, units: 2 }),
    events: UPDATED,
  },
  {
    what: "the date",
    before: draft,
    act: (s, { id }) => s.send("PATCH", `/v1/invoices/${id}`, { invoice_date: "2031-02-03" }),
    events: UPDATED,
  },
  {
    what: "the practitioner",
    before: draft,
    act: (s, { id, practitioner }) => s.send("PATCH", `/v1/invoices/${id}`, { practitioner_id: practitioner }),
    events: UPDATED,
  },
  {
    what: "the patient billed",
    before: draft,
    act: (s, { id, other }) => s.send("PATCH", `/v1/invoices/${id}`, { client_id: other }),
    events: UPDATED,
  },
  {
    what: "the payer alone",
    before: draft,
    act: (s, { id, other }) => s.send("PATCH", `/v1/invoices/${id}`, { payer_id: other }),
    events: [],
  },
  {
    what: "a package's record is paid",
    before: unpaidPackage,
    act: (s, { id }) => s.post(`/v1/invoices/${id}/payments`, cash(500)),
    events: UPDATED,
  },
  {
    what: "a gift certificate's record is refunded",
    before: certificate,
    act: (s, { id, payment }) => s.post(`/v1/invoices/${id}/payments/${payment}/refund`, { total: 50 }),
    events: UPDATED,
  },
  { what: "it is looked at", before: draft, act: (s, { id }) => s.get(`/v1/invoices/${id}`), events: [] },
];

const deletedByApi: readonly Play[] = [
  {
    what: "a package's record that nobody has paid",
    before: unpaidPackage,
    act: (s, { id }) => s.send("DELETE", `/v1/invoices/${id}`),
    events: DELETED,
  },
  { what: "an invoice", before: draft, act: (s, { id }) => s.send("DELETE", `/v1/invoices/${id}`), events: DELETED },
  {
    what: "an invoice that was refunded",
    before: async (scene) => {
      const set = await paid(scene);
      await scene.post(`${path(set)}/refund`, { total: 113 });
      return set;
    },
    act: (s, { id }) => s.send("DELETE", `/v1/invoices/${id}`),
    events: DELETED,
  },
];

const imported: readonly Play[] = [false, true].map((sendEvents) => ({
  what: sendEvents ? "invoices, and sending is asked for" : "invoices, silently",
  before: client,
  act: (s, set) => {
    const line = `OLD-${s.number()},2031-03-04,${set.client},Invented treatment,100.00`;
    return s.importFile("invoices", `invoice_number,invoice_date,patient,description,unit_price\n${line}`, sendEvents);
  },
  events: sendEvents ? CREATED : [],
}));

const NOT_PORTAL = never("patients neither bill nor pay on the portal");

export const INVOICE_PATHS: Readonly<Record<"invoice.created" | "invoice.updated" | "invoice.deleted", Row>> = {
  "invoice.created": {
    api: createdByApi,
    portal: NOT_PORTAL,
    automation: RENEWALS.created,
    "feed: snapshot": [
      { what: "an invoice is new", act: fed, events: CREATED },
      { what: "the same again", before: fed, act: (s, { id }) => put(s, id), events: [] },
    ],
    import: imported,
  },
  "invoice.updated": {
    api: updatedByApi,
    portal: NOT_PORTAL,
    automation: RENEWALS.updated,
    "feed: snapshot": [
      {
        what: "a payment",
        before: fed,
        act: (s, { id }) => put(s, id, { payments: [{ id: 1, payment_method: "cash", total: 113 }] }),
        events: UPDATED,
      },
    ],
    import: never("an import creates and changes nothing"),
  },
  "invoice.deleted": {
    api: deletedByApi,
    portal: NOT_PORTAL,
    automation: never("nothing deletes an invoice by itself"),
    "feed: snapshot": [
      { what: "deleted", before: fed, act: (s, { id }) => put(s, id, { deleted: true }), events: DELETED },
    ],
    import: never("an import creates and changes nothing"),
  },
};
