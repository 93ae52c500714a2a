/** Consults: one-to-one, group and class (contract §2, §3). */
import { DURATION_MAX_MINUTES, flag, id, list, name, object, oneOf, PARTICIPANTS_MAX, time, whole } from "../shapes.ts";
import {
  type IdOnly,
  PERSON,
  type Person,
  PRACTITIONER,
  type Practitioner,
  SAMPLE_PATIENTS,
  SAMPLE_PRACTITIONERS,
} from "./persons.ts";

export type ConsultEventName = "participant.added" | "consult.updated" | "participant.removed";

export interface Consult {
  id: number;
  /** RFC 3339 with the clinic zone's offset for that instant. */
  start_time: string;
  end_time: string;
  /** Elapsed minutes. */
  duration: number;
  cancelled: boolean;
}

export interface Service {
  id: number;
  name: string;
}

/** Everything known of the change, as captured in its transaction. */
export interface ConsultFacts {
  event: ConsultEventName;
  consult: Consult;
  service: Service;
  practitioner: Practitioner;
  /** The affected ones, in order. The body has one object for each. */
  participants: Person[];
}

/** One element of the array that is sent. */
export interface ConsultBody {
  event: ConsultEventName;
  consult: Consult;
  service: Service;
  practitioner?: Practitioner | IdOnly;
  participant?: Person | IdOnly;
}

const CONSULT = object({
  id,
  start_time: time,
  end_time: time,
  duration: whole(DURATION_MAX_MINUTES),
  cancelled: flag,
});
const SERVICE = object({ id, name });

/** The facts of one consult event. */
export function consultFactsShape<E extends ConsultEventName>(event: E) {
  return object({
    event: oneOf(event),
    consult: CONSULT,
    service: SERVICE,
    practitioner: PRACTITIONER,
    participants: list(PERSON, { minItems: 1, maxItems: PARTICIPANTS_MAX }),
  });
}

/** One element of the array, with everything in it. */
export function consultBodyShape<E extends ConsultEventName>(event: E) {
  return object({
    event: oneOf(event),
    consult: CONSULT,
    service: SERVICE,
    practitioner: PRACTITIONER,
    participant: PERSON,
  });
}

export const CONSULT_SAMPLES: { readonly [E in ConsultEventName]: ConsultFacts & { event: E } } = {
  "participant.added": {
    event: "participant.added",
    consult: {
      id: 90210,
      start_time: "2026-11-03T09:00:00-05:00",
      end_time: "2026-11-03T09:45:00-05:00",
      duration: 45,
      cancelled: false,
    },
    service: { id: 12, name: "Physiotherapy follow-up" },
    practitioner: { ...SAMPLE_PRACTITIONERS.pretend },
    participants: [{ ...SAMPLE_PATIENTS.sample }],
  },
  "consult.updated": {
    event: "consult.updated",
    consult: {
      id: 90455,
      start_time: "2026-07-14T18:00:00-04:00",
      end_time: "2026-07-14T19:00:00-04:00",
      duration: 60,
      cancelled: false,
    },
    service: { id: 31, name: "Group Pilates" },
    practitioner: { ...SAMPLE_PRACTITIONERS.standin },
    participants: [{ ...SAMPLE_PATIENTS.sample }, { ...SAMPLE_PATIENTS.example }, { ...SAMPLE_PATIENTS.placeholder }],
  },
  "participant.removed": {
    event: "participant.removed",
    consult: {
      id: 90377,
      start_time: "2026-09-22T13:30:00-04:00",
      end_time: "2026-09-22T14:00:00-04:00",
      duration: 30,
      cancelled: true,
    },
    service: { id: 14, name: "Massage therapy" },
    practitioner: { ...SAMPLE_PRACTITIONERS.pretend },
    participants: [{ ...SAMPLE_PATIENTS.invented }],
  },
};
