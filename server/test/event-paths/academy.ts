/** Every way to the account event and to the four events of courses and webinars. */
import type { EventName } from "@hookwell/sdk";
import { people } from "./consults.ts";
import { never, type Play, type Row } from "./play.ts";
import type { Scene } from "./stage.ts";

type Type = "course" | "webinar";

const item = (type: Type, price: number) => async (scene: Scene) => {
  const { patients } = await people(scene);
  const values = { name: `Invented ${type}`, price, tax_rate: 13 };
  const starts = type === "webinar" ? { starts_at: "2031-03-04T18:00" } : {};
  return { patient: patients[0], id: (await scene.post(`/v1/${type}s`, { ...values, ...starts })).id };
};

const checkOut =
  (type: Type) =>
  (scene: Scene, { id, patient }: { id: number; patient: number }) =>
    scene.post("/v1/checkouts", { resource: { type, id }, patient_id: patient });

const join =
  (type: Type, how: string) =>
  (scene: Scene, { id, patient }: { id: number; patient: number }) =>
    scene.post(`/v1/${type}s/${id}/participants`, { patient_id: patient, how });

const open = (type: Type) => async (scene: Scene) => {
  const set = await item(type, 40)(scene);
  return { ...set, checkout: (await checkOut(type)(scene, set)).id };
};

function checkoutPlays(type: Type, events: readonly EventName[]): readonly Play[] {
  return [
    { what: "a checkout is started", before: item(type, 40), act: checkOut(type), events },
    { what: "the same checkout is opened again", before: open(type), act: checkOut(type), events: [] },
  ];
}

function accessPlays(type: Type, events: readonly EventName[]): readonly Play[] {
  return [
    {
      what: "bought",
      before: open(type),
      act: (s, { checkout }) => s.post(`/v1/checkouts/${checkout}/complete`),
      events,
    },
    { what: "free", before: item(type, 0), act: join(type, "free"), events },
    { what: "granted", before: item(type, 40), act: join(type, "granted"), events },
    {
      what: "a participant already",
      before: async (scene) => {
        const set = await item(type, 40)(scene);
        await join(type, "granted")(scene, set);
        return set;
      },
      act: join(type, "granted"),
      events: [],
    },
    {
      what: "through a membership",
      before: async (scene) => {
        const set = await item(type, 40)(scene);
        const values = { name: "Movement library", price: 20, tax_rate: 0, recurrence_interval: "month" };
        const plan = { ...values, type: "academy_membership", item_ids: [set.id] };
        return { ...set, plan: (await scene.post("/v1/membership-plans", plan)).id };
      },
      act: (s, { patient, plan }) =>
        s.post("/v1/memberships", { plan_id: plan, client_id: patient, payment_source: "practice_card" }),
      events: ["membership.started", ...events],
      anyOrder: true,
    },
  ];
}

const NOT_PORTAL = never("patients buy at the desk");
const NOT_SNAPSHOT = never("courses and webinars are fed as finished events");
const NOT_IMPORTED = never("courses and webinars are not imported");

/** A day later an open checkout expires. */
const notAutomatic = (type: Type) =>
  never("an expired checkout is told to nobody, and access begins with somebody's act", [
    {
      what: "a checkout expires",
      before: open(type),
      act: async (scene, { checkout }) => {
        await scene.after(1);
        const { state } = await scene.get(`/v1/checkouts/${checkout}`);
        if (state !== "expired") throw new Error(`the checkout is ${state}`);
      },
      events: [],
    },
  ]);

function academyRow(type: Type, api: readonly Play[]): Row {
  return {
    ...{ api, portal: NOT_PORTAL, automation: notAutomatic(type) },
    ...{ "feed: snapshot": NOT_SNAPSHOT, import: NOT_IMPORTED },
  };
}

export const ACADEMY_PATHS = {
  "course.checkout_process_started": academyRow("course", checkoutPlays("course", ["course.checkout_process_started"])),
  "course_participant.added": academyRow("course", accessPlays("course", ["course_participant.added"])),
  "webinar.checkout_process_started": academyRow(
    "webinar",
    checkoutPlays("webinar", ["webinar.checkout_process_started"]),
  ),
  "webinar_participant.added": academyRow("webinar", accessPlays("webinar", ["webinar_participant.added"])),
} as const satisfies Partial<Record<EventName, Row>>;

const account = (scene: Scene) => ({ name: "Test Example", email: `test.${scene.number()}@example.test` });

const signUp = async (scene: Scene, person: { name: string; email: string }) => {
  const { rows } = await scene.api.database.pools.owner.query("select portal_name from clinics where id = $1", [
    scene.clinicId,
  ]);
  const path = `/portal-api/${rows[0].portal_name}/accounts`;
  const body = { ...person, password: "an invented pass phrase" };
  const { status, text } = await scene.api.anonymous(path, { method: "POST", body });
  if (status !== 202) throw new Error(`answered ${status}: ${text}`);
};

export const ACCOUNT_PATHS = {
  "patient_account.created": {
    api: never("an account is the patient's own act", [
      { what: "staff adds a patient", act: (s) => s.post("/v1/patients", account(s)), events: [] },
    ]),
    portal: [
      { what: "a patient signs up", act: (s) => signUp(s, account(s)), events: ["patient_account.created"] },
      {
        what: "signs up again",
        before: async (scene) => {
          const person = account(scene);
          await signUp(scene, person);
          return person;
        },
        act: signUp,
        events: [],
      },
    ],
    automation: never("nobody but the patient makes the account"),
    "feed: snapshot": never("accounts are fed as finished events"),
    import: never("an imported patient has no account"),
  },
} as const satisfies Partial<Record<EventName, Row>>;
