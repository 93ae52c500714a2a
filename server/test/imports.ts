/** Imports as a manager asks for them, and the scheduler that does them at once: for the tests of imports. */
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { importWork } from "../src/clinic/import/import-work.ts";
import { Scheduler } from "../src/scheduler/scheduler.ts";
import { startTestApi, type TestApi, type TestClinic } from "./api.ts";
import { watchedLog } from "./canary/watch.ts";

/** A file of two patients. */
export const PATIENTS = 'name,email\r\nSam Sample,sam@example.test\r\n"Example, Test",\r\n';

/** Starts an API for the tests of one file, and stops it after them. */
export function useImports() {
  let api: TestApi;
  let clinic: TestClinic;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());

  /** A clinic of its own for each of a group's tests. */
  const withClinics = () =>
    beforeEach(async () => {
      clinic = await api.newClinic();
    });

  const post = (path: string, body: unknown = {}) => clinic.as.manager(path, { method: "POST", body });
  const get = async (path: string) => (await clinic.as.manager(path)).json;

  function scheduler(): Scheduler {
    const { db, context } = api;
    return new Scheduler({ db, outbox: context.outbox, log: watchedLog(), works: [importWork(db)], nudge: () => {} });
  }

  async function schedule(): Promise<void> {
    await scheduler().runOnce();
  }

  /** While `work` runs, such changes fail with this SQLSTATE. */
  async function failing(change: string, state: string, work: () => Promise<void>): Promise<void> {
    const [, table] = change.split(" on ");
    const { owner } = api.database.pools;
    await owner.query(`create function fail_on_purpose() returns trigger language plpgsql
      as $$ begin raise exception 'on purpose' using errcode = '${state}'; end $$`);
    await owner.query(`create trigger fail_on_purpose before ${change}
      for each row execute function fail_on_purpose()`);
    try {
      await work();
    } finally {
      await owner.query(`drop trigger fail_on_purpose on ${table}; drop function fail_on_purpose()`);
    }
  }

  /** Uploads, has it checked, and returns what came of that. */
  async function check(kind: string, csv: string) {
    const { status, json } = await post("/v1/imports", { kind, csv });
    expect(status).toBe(202);
    await schedule();
    return get(`/v1/imports/${json.id}`);
  }

  async function start(id: number, body: object = {}) {
    expect((await post(`/v1/imports/${id}/start`, body)).status).toBe(202);
    await schedule();
    return get(`/v1/imports/${id}`);
  }

  async function rowsOf(statement: string): Promise<Record<string, unknown>[]> {
    return (await api.database.pools.owner.query(statement, [clinic.id])).rows;
  }
  const events = () => rowsOf("select name, subject from events where clinic_id = $1 order by id");
  const patients = async () => (await get("/v1/patients")).data.map(({ name }: { name: string }) => name);

  return {
    ...{ withClinics, post, get, scheduler, schedule, failing, check, start, rowsOf, events, patients },
    api: () => api,
    clinic: () => clinic,
  };
}
