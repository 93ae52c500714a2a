/**
 * A clinic with one of everything, made over the API. Whatever a person could write carries a mark, by which the tests of
 * tenancy and of canaries find it where it does not belong.
 */
import type { Caller, TestApi, TestClinic } from "./api.ts";
import { embedKey, openEmbed } from "./embed.ts";

/** The ids, by the noun in the path or the name of the parameter: `consults`, `patient_id`. */
export type Ids = Readonly<Record<string, string | number>>;

export interface FilledClinic {
  readonly ids: Ids;
  readonly feedKey: string;
  readonly pullKey: string;
  /** Makes embedded pages; one is open. */
  readonly embedKey: string;
  /** Shown once, when the webhook was made. */
  readonly webhookSecret: string;
}

export interface FillOptions {
  readonly mark: string;
  /** Where its webhook sends. */
  readonly url: string;
}

/** Fills it. The two patients are named `<mark> Patient` and `<mark> Other`. */
export async function fillClinic(api: TestApi, clinic: TestClinic, options: FillOptions): Promise<FilledClinic> {
  const make = makerOf(clinic.as.manager);
  const webhook = await makeWebhook(make, options);
  const people = await makePeople(make, options);
  const visits = await makeVisits(make, people, options);
  const money = await makeMoney(make, people, options);
  const members = await makeMembers(make, people, options);
  const staff = await makeStaff(clinic, make, options);
  const embedded = await makeEmbedded(api, clinic);
  const notice = await makeNotice(api, clinic, webhook.id);
  const other = await makeOther(clinic.as.manager, make, { webhookId: webhook.id, people });
  const [credit] = (await clinic.as.manager(`/v1/patients/${people.patient_id}/credits`)).json.data;
  const delivery = (await clinic.as.manager("/v1/deliveries")).json.data[0].id;
  return {
    ids: {
      ...{
        webhooks: webhook.id,
        webhook_id: webhook.id,
        credit_id: credit.id,
        item_id: members.courses,
        deliveries: delivery,
        notices: notice,
        "embed-sessions": embedded.id,
        ...other.ids,
      },
      ...{ ...people, ...visits, ...money, ...members, ...staff },
    },
    ...{ feedKey: other.feedKey, pullKey: other.pullKey, embedKey: embedded.key, webhookSecret: webhook.secret },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: tests read into answers freely
type Make = (path: string, body: object) => Promise<any>;

function makerOf(caller: Caller): Make {
  return async (path, body) => {
    const answer = await caller(path, { method: "POST", body });
    if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
    return answer.json;
  };
}

function makeWebhook(make: Make, { mark, url }: FillOptions) {
  return make("/v1/webhooks", {
    ...{ name: `${mark} webhook`, url, include: { practitioner: "all", patient: "all" } },
    ...{ events: ["participant.added", "consult.updated", "invoice.created", "invoice.updated"] },
    headers: [{ name: "X-Example", value: `${mark}-header-value` }],
    recipient: { organisation: `${mark} recipient`, country: "CA", purpose: "claims", agreement_on_file: true },
  });
}

/** Somebody at the front desk, and somebody who is invited. */
async function makeStaff(clinic: TestClinic, make: Make, { mark }: FillOptions) {
  const { user } = (await clinic.as.front_desk("/v1/me")).json;
  const email = `${mark.toLowerCase()}.invited@example.test`;
  const invited = await make("/v1/invitations", { email, role: "front_desk" });
  return { user_id: user.id as string, invitations: invited.id as number };
}

async function makeEmbedded(api: TestApi, clinic: TestClinic) {
  const { key } = await embedKey(clinic);
  const { id } = await openEmbed(api, key, { capabilities: ["view"] });
  return { id, key };
}

async function makePeople(make: Make, { mark }: FillOptions) {
  const email = (who: string) => `${mark.toLowerCase()}.${who}@example.test`;
  const patient = await make("/v1/patients", { name: `${mark} Patient`, email: email("patient") });
  const other = await make("/v1/patients", { name: `${mark} Other`, email: email("other") });
  const practitioner = await make("/v1/practitioners", { name: `${mark} Practitioner`, email: email("practitioner") });
  const service = await make("/v1/services", { name: `${mark} class`, kind: "class", duration: 60 });
  return {
    ...{ patients: patient.id, patient_id: patient.id, client_id: patient.id, payer_id: patient.id },
    ...{ other_patient: other.id, practitioners: practitioner.id, practitioner_id: practitioner.id },
    ...{ services: service.id, service_id: service.id },
  };
}

async function makeVisits(make: Make, people: { [key: string]: number }, { mark }: FillOptions) {
  const { service_id, practitioner_id, patient_id } = people;
  const visit = {
    service_id,
    practitioner_id,
    patient_ids: [patient_id],
    room: `${mark} room`,
    notes: `${mark} notes`,
  };
  const consult = await make("/v1/consults", { ...visit, start_time: "2031-03-03T09:00" });
  const weekly = { start_time: "2031-03-04T18:00", repeats: { every: "week", count: 2 } };
  const repeated = await make("/v1/consults", { ...visit, ...weekly });
  return { consults: consult.id, consult_id: consult.id, series: repeated.series_id };
}

async function makeMoney(make: Make, people: { [key: string]: number }, { mark }: FillOptions) {
  const { client_id = 0 } = people;
  const line = { description: `${mark} massage`, unit_price: 100, units: 1 };
  const invoice = await make("/v1/invoices", { client_id, line_items: [line] });
  const paid = await make(`/v1/invoices/${invoice.id}/payments`, { total: 20, payment_method: "cash" });
  const pack = await make("/v1/packages", { name: `${mark} visits`, price: 50, value: 60 });
  const payments = [{ payment_method: "cash", total: 50 }];
  await make(`/v1/packages/${pack.id}/sell`, { client_id, payments });
  const certificate = await make("/v1/gift-certificates", { value: 40, purchaser_id: client_id });
  return {
    ...{
      invoices: invoice.id,
      invoice_id: invoice.id,
      line_item_id: invoice.line_items[0].id,
      payment_id: paid.payments[0].id,
    },
    ...{
      packages: pack.id,
      package_id: pack.id,
      "gift-certificates": certificate.gift_certificate.id,
      purchaser_id: client_id,
    },
  };
}

async function makeMembers(make: Make, people: { [key: string]: number }, { mark }: FillOptions) {
  const { patient_id, client_id } = people;
  const course = await make("/v1/courses", { name: `${mark} course`, price: 30 });
  const webinar = await make("/v1/webinars", { name: `${mark} webinar`, price: 30, starts_at: "2031-03-04T18:00" });
  const checkout = await make("/v1/checkouts", { resource: { type: "course", id: course.id }, patient_id });
  const plan = await make("/v1/membership-plans", {
    ...{ type: "clinic_package_membership", name: `${mark} plan`, price: 80, recurrence_interval: "month" },
  });
  const paying = { plan_id: plan.id, client_id, payment_source: "practice_card" };
  const membership = await make("/v1/memberships", paying);
  return {
    ...{ courses: course.id, webinars: webinar.id, checkouts: checkout.id, "membership-plans": plan.id },
    ...{ plan_id: plan.id, memberships: membership.id },
  };
}

/** As the engine writes one. */
async function makeNotice(api: TestApi, clinic: TestClinic, webhookId: number): Promise<number> {
  const { rows } = await api.database.pools.owner.query<{ id: number }>(
    `insert into notices (clinic_id, kind, webhook_id, cause, details) values ($1, 'webhook.failing', $2, 'test', '{}')
     returning id`,
    [clinic.id, webhookId],
  );
  return (rows[0] as { id: number }).id;
}

interface Known {
  readonly webhookId: number;
  readonly people: { [key: string]: number };
}

async function makeOther(manager: Caller, make: Make, { webhookId, people }: Known) {
  const feed = await make("/v1/api-keys", { name: "Feed", scopes: ["feed"] });
  const pull = await make("/v1/api-keys", { name: "Pull", scopes: ["deliveries:pull"], webhook_id: webhookId });
  const imported = await make("/v1/imports", { kind: "patients", csv: "name,email\nTest Example,\n" });
  await manager(`/v1/webhooks/${webhookId}`, { method: "PATCH", body: { enabled: false } });
  const { service_id, practitioner_id, patient_id } = people;
  const missed = { service_id, practitioner_id, patient_ids: [patient_id], start_time: "2031-03-06T09:00" };
  await make("/v1/consults", missed);
  const range = { from: "2020-01-01T00:00", states: ["failed", "off"] };
  await manager(`/v1/webhooks/${webhookId}`, { method: "PATCH", body: { enabled: true } });
  const recovery = await make(`/v1/webhooks/${webhookId}/recover`, range);
  return {
    ids: { "api-keys": feed.id, imports: imported.id, recovery_id: recovery.id },
    ...{ feedKey: feed.key as string, pullKey: pull.key as string },
  };
}
