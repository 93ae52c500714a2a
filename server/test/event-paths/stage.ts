/**
 * One clinic, one webhook that listens to everything, a running dispatcher and a receiver: the stage on which every way to
 * cause an event is played. What arrives is read from the receiver, not from the tables.
 */
import type { Body, EventName } from "@hookwell/sdk";
import { EVENT_NAMES } from "@hookwell/sdk";
import { checkoutWork } from "../../src/clinic/academy/checkouts.ts";
import { importWork } from "../../src/clinic/import/import-work.ts";
import { practiceCard } from "../../src/clinic/memberships/charger.ts";
import { membershipWork } from "../../src/clinic/memberships/renewals.ts";
import { createKysely } from "../../src/db/pool.ts";
import { Dispatcher } from "../../src/delivery/dispatcher.ts";
import { DeliveryStore } from "../../src/delivery/store.ts";
import { createEgress } from "../../src/egress/client.ts";
import { Scheduler } from "../../src/scheduler/scheduler.ts";
import { type Answer, type Caller, startTestApi, type TestApi } from "../api.ts";
import { watchedLog } from "../canary/watch.ts";
import { createReceiver, type Received, type Receiver } from "../receiver.ts";
import { until } from "../until.ts";

export interface Stage {
  readonly api: TestApi;
  readonly receiver: Receiver;
  /** A new clinic whose one webhook listens to all events with all data. */
  enter(): Promise<Scene>;
  close(): Promise<void>;
}

/** One request that came in. */
export interface Arrival {
  readonly body: Body;
  readonly subject: string;
  readonly version: number;
}

/** One clinic of the stage. */
export interface Scene {
  readonly api: TestApi;
  readonly clinicId: number;
  readonly manager: Caller;
  /** Calls with the method and expects success; the answer's body. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read into answers freely, and a wrong path fails the assertion
  post(path: string, body?: unknown): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  get(path: string): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  send(method: "PATCH" | "PUT" | "DELETE", path: string, body?: unknown): Promise<any>;
  /** What the clinic does by itself once so many days have gone by since now. */
  after(days: number): Promise<void>;
  /** Imports a file, as the scheduler does it, and sends events where that is asked for. */
  importFile(kind: string, csv: string, sendEvents: boolean): Promise<void>;
  /** A number that was not used on this stage yet. */
  number(): number;
  /** What has arrived since the last call, in the order of arrival, once nothing is on its way any more. */
  arrivals(): Promise<Arrival[]>;
  /** The bodies alone. */
  arrived(): Promise<Body[]>;
}

/** Starts it; call `close` in `afterAll`. */
export async function openStage(): Promise<Stage> {
  const [api, receiver] = await Promise.all([startTestApi({ allowLoopback: true }), createReceiver()]);
  const { clock, seal } = api.context;
  const egress = createEgress({
    rules: { allowLoopback: true, inboxUrlPrefix: null },
    monotonicMs: clock.monotonicMs,
  });
  const db = createKysely(api.database.pools.dispatch);
  const store = new DeliveryStore(api.database.pools.engine);
  const dispatcher = new Dispatcher({ store, db, seal, egress, clock, log: watchedLog(), name: "stage" });
  await dispatcher.start();
  return {
    api,
    receiver,
    enter: () => enter(api, receiver, dispatcher),
    async close() {
      await dispatcher.stop();
      await egress.close();
      await receiver.close();
      await api.close();
    },
  };
}

async function enter(api: TestApi, receiver: Receiver, dispatcher: Dispatcher): Promise<Scene> {
  const clinic = await api.newClinic();
  const { manager } = clinic.as;
  const path = `/clinic/${clinic.id}`;
  const succeed = (answer: Answer) => {
    if (answer.status >= 400) throw new Error(`answered ${answer.status}: ${answer.text}`);
    return answer.json;
  };
  const post = async (to: string, body: unknown = {}) => succeed(await manager(to, { method: "POST", body }));
  await post("/v1/webhooks", {
    name: "Everything",
    url: new URL(path, receiver.url).href,
    events: [...EVENT_NAMES],
    include: { practitioner: "all", patient: "all" },
    recipient: { organisation: "Invented Partner", country: "CA", purpose: "A test", agreement_on_file: true },
  });
  // As if the address had answered before: no slow start.
  await api.database.pools.owner.query("update runs set answered_at = now() where clinic_id = $1", [clinic.id]);
  let seen = 0;
  const arrivals = async () => {
    dispatcher.nudge();
    await until("nothing is on its way", () => isQuiet(api, clinic.id));
    const mine = receiver.received.filter((received) => received.path === path);
    const news = mine.slice(seen);
    seen = mine.length;
    return news.map(arrivalOf);
  };
  let number = 70_000;
  return {
    api,
    number: () => ++number,
    async importFile(kind, csv, send_events) {
      const { id } = await post("/v1/imports", { kind, csv, send_events, dry_run: false });
      await passDays(api, 0);
      const { state } = succeed(await manager(`/v1/imports/${id}`));
      if (state !== "done") throw new Error(`the import of ${kind} ended as ${state}`);
    },
    after: (days) => passDays(api, days),
    clinicId: clinic.id,
    manager,
    post,
    get: async (from) => succeed(await manager(from)),
    send: async (method, to, body) => succeed(await manager(to, { method, ...(body === undefined ? {} : { body }) })),
    arrivals,
    arrived: async () => (await arrivals()).map(({ body }) => body),
  };
}

function arrivalOf({ body, headers }: Received): Arrival {
  return {
    body: JSON.parse(body) as Body,
    subject: String(headers["webhook-subject"]),
    version: Number(headers["webhook-subject-version"]),
  };
}

async function passDays({ db, context }: TestApi, days: number): Promise<void> {
  const { outbox, clock } = context;
  const now = async () => clock.now().add({ hours: 24 * days });
  const works = [membershipWork(practiceCard), checkoutWork, importWork(db)];
  await new Scheduler({ db, outbox, log: watchedLog(), works, nudge: () => {}, now }).runOnce();
}

async function isQuiet({ database }: TestApi, clinicId: number): Promise<boolean> {
  const { rows } = await database.pools.owner.query("select 1 from deliveries where clinic_id = $1 limit 1", [
    clinicId,
  ]);
  return rows.length === 0;
}

/** The event that a body is about. */
export function eventOf(body: Body): EventName {
  const [first] = Array.isArray(body) ? body : [body];
  if (first === undefined) throw new Error("an empty array arrived");
  return first.event;
}
