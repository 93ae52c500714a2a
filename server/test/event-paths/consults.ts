/** Every way to the three consult events. */
import type { EventName } from "@hookwell/sdk";
import { never, type Play, type Row, type Shown } from "./play.ts";
import type { Scene } from "./stage.ts";

const START = "2031-03-04T09:00";
const LATER = "2031-03-04T11:00";

interface Set {
  readonly practitioner: number;
  readonly other: number;
  readonly patients: readonly [number, number];
  readonly service: number;
  readonly oneToOne: number;
}

const emailOf = (name: string) => `${name.toLowerCase().replace(" ", ".")}@example.test`;

export async function people(scene: Scene): Promise<Set> {
  const practitioner = async (name: string) =>
    (await scene.post("/v1/practitioners", { name, email: emailOf(name) })).id;
  const patient = async (name: string) => (await scene.post("/v1/patients", { name, email: "sam@example.test" })).id;
  const service = async (kind: string) =>
    (await scene.post("/v1/services", { name: `Invented ${kind}`, kind, duration: 45 })).id;
  return {
    practitioner: await practitioner("Pat Pretend"),
    other: await practitioner("Stevie Stand-In"),
    patients: [await patient("Sam Sample"), await patient("Test Example")],
    service: await service("class"),
    oneToOne: await service("one_to_one"),
  };
}

const schedule = (scene: Scene, set: Set, changes: object = {}) =>
  scene.post("/v1/consults", {
    service_id: set.service,
    practitioner_id: set.practitioner,
    start_time: START,
    patient_ids: set.patients,
    ...changes,
  });

async function scheduled(scene: Scene) {
  const set = await people(scene);
  return { ...set, id: (await schedule(scene, set)).id };
}

async function oneToOne(scene: Scene) {
  const set = await people(scene);
  const consult = await schedule(scene, set, { service_id: set.oneToOne, patient_ids: [set.patients[0]] });
  return { ...set, id: consult.id };
}

const WEEKLY = { repeats: { every: "week", count: 3 } };

async function weekly(scene: Scene) {
  const set = await people(scene);
  const { series } = await schedule(scene, set, { ...WEEKLY, patient_ids: [set.patients[0]] });
  return { ...set, seriesId: series.id };
}

/** What clinic software of its own tells of a class. */
export const CLASS = {
  service: { id: 31, name: "Invented class" },
  practitioner: { id: 7, name: "Pat Pretend", email: "pat.pretend@example.test" },
  start_time: "2031-03-04T09:00:00-05:00",
  duration: 45,
  cancelled: false,
  participants: [
    { id: 501, name: "Sam Sample", email: "sam@example.test" },
    { id: 502, name: "Test Example", email: null },
  ],
};
const put = (scene: Scene, id: number, changes: object = {}) =>
  scene.send("PUT", `/v1/consults/${id}`, { ...CLASS, ...changes });

async function fed(scene: Scene) {
  const id = scene.number();
  await put(scene, id);
  return { id };
}

/** One consult event after another, and what each shows. */
const tells = (name: EventName, ...shows: readonly Shown[]) => ({ events: shows.map(() => name), shows });
const added = (...shows: readonly Shown[]) => tells("participant.added", ...shows);
const updated = (...shows: readonly Shown[]) => tells("consult.updated", ...shows);
const removed = (...shows: readonly Shown[]) => tells("participant.removed", ...shows);
const ONE_FOR_ANOTHER = { events: ["participant.removed", "participant.added"], shows: ["1", "1"] } as const;

const addedByApi: readonly Play[] = [
  { what: "a consult is scheduled", before: people, act: schedule, ...added("2") },
  {
    what: "a weekly class is scheduled",
    before: people,
    act: (s, set) => schedule(s, set, WEEKLY),
    ...added("2", "2", "2"),
  },
  {
    what: "a class is created empty",
    before: people,
    act: (s, set) => schedule(s, set, { patient_ids: [] }),
    events: [],
  },
  {
    what: "a patient joins",
    before: async (scene) => {
      const set = await people(scene);
      return { ...set, id: (await schedule(scene, set, { patient_ids: [set.patients[0]] })).id };
    },
    act: (s, { id, patients }) => s.post(`/v1/consults/${id}/participants`, { patient_id: patients[1] }),
    ...added("1"),
  },
  {
    what: "a patient is put on the wait list",
    before: async (scene) => {
      const set = await people(scene);
      return { ...set, id: (await schedule(scene, set, { patient_ids: [] })).id };
    },
    act: (s, { id, patients }) =>
      s.post(`/v1/consults/${id}/participants`, { patient_id: patients[1], status: "wait_listed" }),
    events: [],
  },
  {
    what: "a patient joins the whole series",
    before: weekly,
    act: (s, { seriesId, patients }) => s.post(`/v1/series/${seriesId}/participants`, { patient_id: patients[1] }),
    ...added("1", "1", "1"),
  },
  {
    what: "a cancelled consult is restored",
    before: async (scene) => {
      const set = await scheduled(scene);
      await scene.post(`/v1/consults/${set.id}/cancel`);
      return set;
    },
    act: (s, { id }) => s.post(`/v1/consults/${id}/restore`),
    ...added("2"),
  },
  {
    what: "another patient takes a one-to-one",
    before: oneToOne,
    act: (s, { id, patients }) => s.send("PATCH", `/v1/consults/${id}`, { patient_id: patients[1] }),
    ...ONE_FOR_ANOTHER,
    subjects: 1,
  },
];

const updatedByApi: readonly Play[] = [
  {
    what: "the start",
    before: scheduled,
    act: (s, { id }) => s.send("PATCH", `/v1/consults/${id}`, { start_time: LATER }),
    ...updated("2"),
  },
  {
    what: "the length",
    before: scheduled,
    act: (s, { id }) => s.send("PATCH", `/v1/consults/${id}`, { duration: 30 }),
    ...updated("2"),
  },
  {
    what: "the practitioner",
    before: scheduled,
    act: (s, { id, other }) => s.send("PATCH", `/v1/consults/${id}`, { practitioner_id: other }),
    ...updated("2"),
  },
  {
    what: "the whole series",
    before: weekly,
    act: (s, { seriesId }) => s.send("PATCH", `/v1/series/${seriesId}`, { start_time: "10:00" }),
    ...updated("1", "1", "1"),
  },
  {
    what: "nothing but the room and a note",
    before: scheduled,
    act: (s, { id }) => s.send("PATCH", `/v1/consults/${id}`, { room: "2", notes: "By the window" }),
    events: [],
  },
  {
    what: "saved as it is",
    before: scheduled,
    act: (s, { id }) => s.send("PATCH", `/v1/consults/${id}`, { start_time: START, duration: 45 }),
    events: [],
  },
  {
    what: "a new name of the practitioner",
    before: scheduled,
    act: (s, { practitioner }) => s.send("PATCH", `/v1/practitioners/${practitioner}`, { name: "Pat Renamed" }),
    events: [],
  },
];

const removedByApi: readonly Play[] = [
  {
    what: "cancelled",
    before: scheduled,
    act: (s, { id }) => s.post(`/v1/consults/${id}/cancel`),
    ...removed("2 cancelled"),
  },
  {
    what: "cancelled again",
    before: async (s) => {
      const set = await scheduled(s);
      await s.post(`/v1/consults/${set.id}/cancel`);
      return set;
    },
    act: (s, { id }) => s.post(`/v1/consults/${id}/cancel`),
    events: [],
  },
  {
    what: "one patient leaves",
    before: scheduled,
    act: (s, { id, patients }) => s.send("DELETE", `/v1/consults/${id}/participants/${patients[0]}`),
    ...removed("1"),
  },
  {
    what: "the rest of a series is cancelled",
    before: weekly,
    act: (s, { seriesId }) => s.post(`/v1/series/${seriesId}/cancel`),
    ...removed("1 cancelled", "1 cancelled", "1 cancelled"),
  },
  {
    what: "a late cancellation",
    before: oneToOne,
    act: (s, { id, patients }) =>
      s.send("PATCH", `/v1/consults/${id}/participants/${patients[0]}`, { arrival: "late_cancel" }),
    ...removed("1 cancelled"),
  },
  {
    what: "a plain no-show",
    before: oneToOne,
    act: (s, { id, patients }) =>
      s.send("PATCH", `/v1/consults/${id}/participants/${patients[0]}`, { arrival: "no_show" }),
    events: [],
  },
  {
    what: "a patient moves to another class",
    before: async (s) => {
      const set = await scheduled(s);
      return { ...set, to: (await schedule(s, set, { start_time: LATER, patient_ids: [] })).id };
    },
    act: (s, { id, to, patients }) =>
      s.post(`/v1/consults/${id}/participants/${patients[0]}/move`, { to_consult_id: to }),
    ...ONE_FOR_ANOTHER,
    anyOrder: true,
    subjects: 2,
  },
];

const FILE = [
  "start_time,duration,service,practitioner,patients",
  "2031-03-04 09:00,45,Invented class,pat.pretend@example.test,PATIENT",
].join("\n");

const imported: readonly Play[] = [false, true].map((sendEvents) => ({
  what: sendEvents ? "consults, and sending is asked for" : "consults, silently",
  before: people,
  act: (s, { patients }) => s.importFile("consults", FILE.replace("PATIENT", String(patients[0])), sendEvents),
  ...(sendEvents ? added("1") : { events: [] }),
  alone: true,
}));

const NOT_PORTAL = never("patients do not book on the portal");
const NOT_AUTOMATIC = never("nothing but people and feeds changes the schedule");

export const CONSULT_PATHS: Readonly<Record<"participant.added" | "consult.updated" | "participant.removed", Row>> = {
  "participant.added": {
    api: addedByApi,
    portal: NOT_PORTAL,
    automation: NOT_AUTOMATIC,
    "feed: snapshot": [
      { what: "a consult is new", act: fed, ...added("2") },
      { what: "the same again", before: fed, act: (s, { id }) => put(s, id), events: [] },
    ],
    import: imported,
  },
  "consult.updated": {
    api: updatedByApi,
    portal: NOT_PORTAL,
    automation: NOT_AUTOMATIC,
    "feed: snapshot": [
      { what: "the length", before: fed, act: (s, { id }) => put(s, id, { duration: 30 }), ...updated("2") },
    ],
    import: never("an import creates and changes nothing"),
  },
  "participant.removed": {
    api: removedByApi,
    portal: NOT_PORTAL,
    automation: NOT_AUTOMATIC,
    "feed: snapshot": [
      {
        what: "cancelled",
        before: fed,
        act: (s, { id }) => put(s, id, { cancelled: true }),
        ...removed("2 cancelled"),
      },
    ],
    import: never("an import creates and changes nothing"),
  },
};
