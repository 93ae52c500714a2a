/** A clinic's deliveries through the API: two invented patients, one practitioner, a receiver, and a dispatcher while it is needed. */
import { createKysely } from "../src/db/pool.ts";
import { Dispatcher } from "../src/delivery/dispatcher.ts";
import { DeliveryStore } from "../src/delivery/store.ts";
import { createEgress } from "../src/egress/client.ts";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "./api.ts";
import { createReceiver, type Receiver } from "./receiver.ts";
import { until } from "./until.ts";

/** Settings of a webhook that sends whole patients. */
export const WITH_PATIENTS = {
  include: { patient: "all" },
  recipient: { organisation: "Example Insurer", country: "CA", purpose: "claims", agreement_on_file: true },
};

interface People {
  readonly service: number;
  readonly practitioner: number;
  readonly patients: number[];
}

export class DeliveriesApi {
  readonly api: TestApi;
  readonly clinic: TestClinic;
  readonly manager: Caller;
  readonly receiver: Receiver;
  readonly ids: People;

  constructor(api: TestApi, clinic: TestClinic, { receiver, ids }: { receiver: Receiver; ids: People }) {
    this.api = api;
    this.clinic = clinic;
    this.manager = clinic.as.manager;
    this.receiver = receiver;
    this.ids = ids;
  }

  post(path: string, body: object, caller = this.manager) {
    return caller(path, { method: "POST", body });
  }

  schedule() {
    return this.post("/v1/consults", {
      service_id: this.ids.service,
      practitioner_id: this.ids.practitioner,
      start_time: "2026-11-02T09:00",
      patient_ids: this.ids.patients,
    });
  }

  async newWebhook(body: object = {}) {
    const settings = { url: this.receiver.url, events: ["participant.added", "consult.updated"], ...body };
    return (await this.post("/v1/webhooks", settings)).json;
  }

  /** Lets a dispatcher work until the condition holds. */
  async deliverUntil(what: string, condition: () => Promise<unknown>): Promise<void> {
    const { pools } = this.api.database;
    const { seal, clock, log } = this.api.context;
    const rules = { allowLoopback: true, inboxUrlPrefix: null };
    const egress = createEgress({ rules, monotonicMs: clock.monotonicMs });
    const store = new DeliveryStore(pools.engine);
    const dispatcher = new Dispatcher({
      store,
      db: createKysely(pools.dispatch),
      seal,
      egress,
      clock,
      log,
      name: "test",
    });
    await dispatcher.start();
    try {
      dispatcher.nudge();
      await until(what, condition);
    } finally {
      await dispatcher.stop();
      await egress.close();
    }
  }

  async list(query: string) {
    return (await this.manager(`/v1/deliveries?${query}`)).json.data;
  }

  async detail(id: string) {
    return (await this.manager(`/v1/deliveries/${id}`)).json;
  }

  async close(): Promise<void> {
    await this.receiver.close();
    await this.api.close();
  }
}

/** Call `close` in `afterAll`. */
export async function openDeliveriesApi(): Promise<DeliveriesApi> {
  const api = await startTestApi({ allowLoopback: true });
  const clinic = await api.newClinic();
  return new DeliveriesApi(api, clinic, { receiver: await createReceiver(), ids: await people(clinic.as.manager) });
}

async function people(caller: Caller): Promise<People> {
  const id = async (path: string, body: object) => (await caller(path, { method: "POST", body })).json.id as number;
  return {
    service: await id("/v1/services", { name: "Invented class", kind: "class", duration: 60 }),
    practitioner: await id("/v1/practitioners", { name: "Pat Pretend", email: "pat@example.test" }),
    patients: [
      await id("/v1/patients", { name: "Test Patient One", email: "one@example.test" }),
      await id("/v1/patients", { name: "Test Patient Two", email: null }),
    ],
  };
}
