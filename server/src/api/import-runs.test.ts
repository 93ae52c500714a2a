/** Imports under way: told how far they are, done once, whole or not at all, whatever fails meanwhile. */
import { describe, expect, it } from "vitest";
import { PATIENTS, useImports } from "../../test/imports.ts";
import { until } from "../../test/until.ts";

const { withClinics, post, get, scheduler, schedule, failing, check, rowsOf, patients, api, clinic } = useImports();

describe("imports", () => {
  withClinics();

  it("have a template for each kind, which itself is a file of that kind", async () => {
    for (const kind of ["patients", "consults", "invoices"]) {
      const { text, headers } = await clinic().as.manager(`/v1/imports/templates/${kind}.csv`);
      expect(headers["content-type"]).toBe("text/csv; charset=utf-8");
      expect((await post("/v1/imports", { kind, csv: text })).status).toBe(202);
    }
    expect((await clinic().as.manager("/v1/imports/templates/others.csv")).status).toBe(404);
  });

  it("of another clinic are not found", async () => {
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS });
    const other = await api().newClinic();
    for (const path of ["", "/errors", "/errors.csv"]) {
      expect((await other.as.manager(`/v1/imports/${json.id}${path}`)).status).toBe(404);
    }
    expect((await other.as.manager(`/v1/imports/${json.id}/start`, { method: "POST", body: {} })).status).toBe(404);
    expect((await other.as.manager("/v1/imports")).json.data).toEqual([]);
  });

  it("that fail by a bug end as failed after a few tries, with nothing imported", async () => {
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS });
    await api().database.pools.owner.query("update imports set file = 'not sealed' where id = $1", [json.id]);
    for (let tries = 0; tries < 3; tries += 1) {
      await api().database.pools.owner.query("update imports set due_at = now() where id = $1 and due_at is not null", [
        json.id,
      ]);
      await schedule();
    }
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "failed", records: 0 });
    expect(await patients()).toEqual([]);
  });

  it("that are cut off midway leave nothing behind, and are done as a whole later", async () => {
    const { owner } = api().database.pools;
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS, dry_run: false });
    const inTheWay = await owner.connect();
    try {
      await inTheWay.query("begin; lock table patients in share row exclusive mode");
      const cutOff = schedule();
      const waiting = `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await until("the import waits for the lock", async () => (await owner.query(waiting)).rows.length > 0);
      await owner.query(`select pg_terminate_backend(pid) from (${waiting}) as cut_off`);
      await cutOff;
    } finally {
      await inTheWay.query("rollback");
      inTheWay.release();
    }
    expect(await patients()).toEqual([]);
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "importing" });
    await owner.query("update imports set due_at = now() where id = $1", [json.id]);
    await schedule();
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "done", records: 2 });
    expect(await patients()).toEqual(["Example, Test", "Sam Sample"]);
  });

  it("are given up by a stop of the process, leave nothing behind, and are due as before", async () => {
    const { owner } = api().database.pools;
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS, dry_run: false });
    const stopping = scheduler();
    const inTheWay = await owner.connect();
    try {
      await inTheWay.query("begin; lock table patients in share row exclusive mode");
      stopping.start();
      const waiting = `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await until("the import waits for the lock", async () => (await owner.query(waiting)).rows.length > 0);
      const stopped = stopping.stop();
      await inTheWay.query("rollback");
      await stopped;
    } finally {
      inTheWay.release();
    }
    expect(await patients()).toEqual([]);
    expect(await rowsOf("select state, failures from imports where clinic_id = $1")).toEqual([
      { state: "importing", failures: 0 },
    ]);
    await schedule();
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "done", records: 2 });
  });

  it("go on, though nobody can be told how far they are", async () => {
    await failing("update on import_progress", "57014", async () => {
      const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS, dry_run: false });
      await schedule();
      expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "done", records: 2, done_lines: 0 });
    });
  });

  it("outlast an outage of the database, however long", async () => {
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS, dry_run: false });
    await failing("insert on patients", "53300", async () => {
      for (let tries = 0; tries < 4; tries += 1) await schedule();
    });
    await schedule();
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "done", records: 2 });
  });

  it("are ten at most that wait, though more come at the same moment", async () => {
    for (let at = 0; at < 8; at += 1) await post("/v1/imports", { kind: "patients", csv: PATIENTS });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => post("/v1/imports", { kind: "patients", csv: PATIENTS })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 202, 409, 409]);
  });

  it("are started once, though two people start one at the same moment", async () => {
    const { id } = await check("patients", PATIENTS);
    const answers = await Promise.all(Array.from({ length: 4 }, () => post(`/v1/imports/${id}/start`)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    const audit = await rowsOf("select action from audit where clinic_id = $1");
    expect(audit).toEqual([{ action: "import.started" }]);
  });

  it("come in four at a time in one process; more are to be sent again, and a place is free again afterwards", async () => {
    const send = () => post("/v1/imports", { kind: "patients", csv: PATIENTS });
    const { owner } = api().database.pools;
    const inTheWay = await owner.connect();
    const taken: ReturnType<typeof send>[] = [];
    try {
      await inTheWay.query("begin; lock table imports in share row exclusive mode");
      taken.push(...Array.from({ length: 4 }, send));
      const waiting = `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await until("four wait", async () => (await owner.query(waiting)).rows.length === 4);
      expect(await send()).toMatchObject({ status: 503, json: { code: "busy" }, headers: { "retry-after": "5" } });
    } finally {
      await inTheWay.query("rollback");
      inTheWay.release();
    }
    expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    for (let at = 0; at < 5; at += 1) expect((await send()).status).toBe(202);
  });

  it("are done once, though two nodes look at the same moment", async () => {
    const { json } = await post("/v1/imports", { kind: "patients", csv: PATIENTS, dry_run: false });
    await Promise.all([schedule(), schedule()]);
    expect(await get(`/v1/imports/${json.id}`)).toMatchObject({ state: "done", records: 2 });
    expect(await patients()).toHaveLength(2);
  });
});
