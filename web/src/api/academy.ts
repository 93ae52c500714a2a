// Courses, webinars and their checkouts, as the server tells them. Amounts are in major units.
import type { Page, Person } from "../api-types.ts";
import type { Intent } from "../intent.ts";
import { all, answerOf, call, PAGE_ROWS, part, post, query } from "./call.ts";

export type ItemType = "course" | "webinar";

export interface Item {
  id: number;
  type: ItemType;
  name: string;
  price: number;
  /** Percent. */
  tax_rate: number;
  currency: string;
  /** Of a webinar; null where it is not set. */
  starts_at: string | null;
  /** It can be sold. */
  active: boolean;
  /** How many have access. */
  participants: number;
}

/** What is absent stays as it is. */
export interface ItemInput {
  name?: string;
  price?: number;
  tax_rate?: number;
  /** Local to the clinic, without an offset. */
  starts_at?: string | null;
  active?: boolean;
}

export type AccessHow = "bought" | "free" | "granted" | "membership";

export interface Place {
  patient: Person;
  how: AccessHow;
  since: string;
  subject: string;
}

export type CheckoutState = "open" | "completed" | "expired";

export interface Checkout {
  id: number;
  state: CheckoutState;
  resource: { type: ItemType; id: number; name: string };
  client: Person;
  subtotal: number;
  taxes: number;
  total: number;
  currency: string;
  expires_at: string;
  subject: string;
}

const PATHS: Readonly<Record<ItemType, string>> = { course: "/v1/courses", webinar: "/v1/webinars" };

/** One course or webinar among all. */
export interface ItemKey {
  type: ItemType;
  id: number;
}

const at = ({ type, id }: ItemKey) => `${PATHS[type]}/${part(id)}`;

/** What a POST answers, and whether it made it: 201; or it was there already: 200. */
export interface Made<T> {
  made: boolean;
  answer: T;
}

async function make<T>(path: string, body: unknown, intent: Intent): Promise<Made<T>> {
  const { status, body: answer } = await answerOf<T>(path, { method: "POST", body, intent });
  return { made: status === 201, answer };
}

export const items = {
  list: async (signal?: AbortSignal): Promise<Item[]> => {
    const [courses, webinars] = await Promise.all([
      all<Item>(PATHS.course, {}, signal),
      all<Item>(PATHS.webinar, {}, signal),
    ]);
    return [...courses, ...webinars];
  },
  create: (type: ItemType, input: ItemInput, intent: Intent) => post<Item>(PATHS[type], input, intent),
  change: (key: ItemKey, input: ItemInput, intent: Intent) =>
    call<Item>(at(key), { method: "PATCH", body: input, intent }),
  places: (key: ItemKey, signal?: AbortSignal) => all<Place>(`${at(key)}/participants`, {}, signal),
  give: (key: ItemKey, place: { patient_id: number; how: "free" | "granted" }, intent: Intent) =>
    make<Place>(`${at(key)}/participants`, place, intent),
  take: (key: ItemKey, patientId: number) =>
    call<null>(`${at(key)}/participants/${part(patientId)}`, { method: "DELETE" }),
};

export const checkouts = {
  list: ({ state, cursor }: { state: CheckoutState | undefined; cursor: string | undefined }, signal?: AbortSignal) =>
    call<Page<Checkout>>(`/v1/checkouts${query({ state, cursor, limit: PAGE_ROWS })}`, { signal }),
  start: (resource: ItemKey, patientId: number, intent: Intent) =>
    make<Checkout>("/v1/checkouts", { resource, patient_id: patientId }, intent),
  complete: (id: number, intent: Intent) => post<Checkout>(`/v1/checkouts/${part(id)}/complete`, {}, intent),
  expire: (id: number, intent: Intent) => post<Checkout>(`/v1/checkouts/${part(id)}/expire`, {}, intent),
};
