/** Every way to the two membership events. */
import { people } from "./consults.ts";
import { never, type Play, type Row } from "./play.ts";
import type { Scene } from "./stage.ts";

const STARTED = ["membership.started"] as const;
const CANCELLED = ["membership.cancelled"] as const;
const CREATED = ["invoice.created"] as const;

async function plan(scene: Scene) {
  const { patients } = await people(scene);
  const values = { name: "Monthly visits", price: 80, tax_rate: 0, recurrence_interval: "month" };
  const clinicPlan = { ...values, type: "clinic_package_membership", credit_value: 80 };
  const academyPlan = { ...values, type: "academy_membership", name: "Movement library" };
  return {
    client: patients[0],
    plan: (await scene.post("/v1/membership-plans", clinicPlan)).id,
    academyPlan: (await scene.post("/v1/membership-plans", academyPlan)).id,
  };
}

type Plan = Awaited<ReturnType<typeof plan>>;

const assign = (scene: Scene, { client, plan }: Pick<Plan, "client" | "plan">, source = "practice_card") =>
  scene.post("/v1/memberships", { plan_id: plan, client_id: client, payment_source: source });

async function active(scene: Scene) {
  const set = await plan(scene);
  return { ...set, id: (await assign(scene, set)).id };
}

async function cancelled(scene: Scene) {
  const set = await active(scene);
  await scene.post(`/v1/memberships/${set.id}/cancel`, { at: "period_end" });
  return set;
}

async function unpaid(scene: Scene) {
  const set = await plan(scene);
  const membership = await assign(scene, set, "at_desk");
  return { ...set, id: membership.id, invoice: membership.invoices[0] };
}

/** What clinic software of its own tells of a membership. */
const SNAPSHOT = {
  type: "clinic_package_membership",
  plan: { id: 44, name: "Monthly visits" },
  recurrence_interval: "month",
  state: "active",
  client: { id: 501, name: "Sam Sample", email: "sam@example.test" },
};
const put = (scene: Scene, id: number, changes: object = {}) =>
  scene.send("PUT", `/v1/memberships/${id}`, { ...SNAPSHOT, ...changes });

async function fed(scene: Scene) {
  const id = scene.number();
  await put(scene, id);
  return { id };
}

const startedByApi: readonly Play[] = [
  {
    what: "assigned and paid at once: with the invoice of its first charge",
    before: plan,
    act: assign,
    events: [...CREATED, ...STARTED],
    anyOrder: true,
  },
  { what: "assigned but unpaid", before: plan, act: (s, set) => assign(s, set, "at_desk"), events: CREATED },
  {
    what: "assigned with a card that is declined",
    before: plan,
    act: (s, set) => assign(s, set, "practice_card_declined"),
    events: CREATED,
  },
  {
    what: "paid later, at the desk",
    before: unpaid,
    act: (s, { invoice }) => s.post(`/v1/invoices/${invoice}/payments`, { payment_method: "cash", total: 80 }),
    events: ["invoice.updated", ...STARTED],
    anyOrder: true,
  },
  {
    what: "an academy membership, which makes no invoice",
    before: plan,
    act: (s, { client, academyPlan }) => assign(s, { client, plan: academyPlan }),
    events: STARTED,
  },
  {
    what: "a cancellation is undone",
    before: cancelled,
    act: (s, { id }) => s.post(`/v1/memberships/${id}/resume`),
    events: STARTED,
  },
  {
    what: "paused and taken up again",
    before: active,
    act: async (s, { id }) => {
      await s.post(`/v1/memberships/${id}/pause`);
      await s.post(`/v1/memberships/${id}/resume`);
    },
    events: [],
  },
];

const switched: Play = {
  what: "switched to another plan: the old one ends, the new one begins",
  before: active,
  act: (s, { id, academyPlan }) => s.post(`/v1/memberships/${id}/switch`, { plan_id: academyPlan }),
  events: [...CANCELLED, ...STARTED],
  anyOrder: true,
  subjects: 2,
};

const cancelledByApi: readonly Play[] = [
  switched,
  {
    what: "at the period's end: told when it is made",
    before: active,
    act: (s, { id }) => s.post(`/v1/memberships/${id}/cancel`, { at: "period_end" }),
    events: CANCELLED,
  },
  {
    what: "at once, by the patient",
    before: active,
    act: (s, { id }) => s.post(`/v1/memberships/${id}/cancel`, { at: "now", by: "patient" }),
    events: CANCELLED,
  },
];

const card = (scene: Scene, id: number, payment_source: string) =>
  scene.post(`/v1/memberships/${id}/payment-source`, { payment_source });

/** A month has gone by, and the next charge was declined. */
export async function declined(scene: Scene) {
  const set = await active(scene);
  await card(scene, set.id, "practice_card_declined");
  await scene.after(32);
  return set;
}

async function mended(scene: Scene) {
  const set = await declined(scene);
  await card(scene, set.id, "practice_card");
  return set;
}

/** What automation does to the records of membership charges. */
export const RENEWALS: { readonly created: readonly Play[]; readonly updated: readonly Play[] } = {
  created: [
    {
      what: "the next charge: one record with its payment, and the membership is told nothing",
      before: active,
      act: (s) => s.after(32),
      events: CREATED,
      alone: true,
    },
  ],
  updated: [
    {
      what: "another try of a declined charge",
      before: mended,
      act: (s) => s.after(34),
      events: ["invoice.updated"],
      alone: true,
    },
  ],
};

const startedByItself: readonly Play[] = [
  {
    what: "another try of the first charge is accepted",
    before: async (scene) => {
      const set = await plan(scene);
      const { id } = await assign(scene, set, "practice_card_declined");
      await card(scene, id, "practice_card");
    },
    act: (s) => s.after(2),
    events: ["invoice.updated", ...STARTED],
    anyOrder: true,
    alone: true,
  },
];

const cancelledByItself: readonly Play[] = [
  {
    what: "the last try of a charge is declined",
    before: declined,
    act: async (s) => {
      for (const days of [34, 37, 45]) await s.after(days);
    },
    events: CANCELLED,
    alone: true,
  },
  {
    what: "the paid period ends after an announced cancellation",
    before: cancelled,
    act: (s) => s.after(32),
    events: [],
    alone: true,
  },
];

const NOT_PORTAL = never("patients take and leave memberships at the desk");

export const MEMBERSHIP_PATHS: Readonly<Record<"membership.started" | "membership.cancelled", Row>> = {
  "membership.started": {
    api: [...startedByApi, switched],
    portal: NOT_PORTAL,
    automation: startedByItself,
    "feed: snapshot": [
      { what: "a membership is new and active", act: fed, events: STARTED },
      { what: "the same again", before: fed, act: (s, { id }) => put(s, id), events: [] },
    ],
    import: never("memberships are not imported"),
  },
  "membership.cancelled": {
    api: cancelledByApi,
    portal: NOT_PORTAL,
    automation: cancelledByItself,
    "feed: snapshot": [
      { what: "cancelled", before: fed, act: (s, { id }) => put(s, id, { state: "cancelled" }), events: CANCELLED },
      { what: "ended", before: fed, act: (s, { id }) => put(s, id, { state: "ended" }), events: [] },
    ],
    import: never("memberships are not imported"),
  },
};
