/** A clinic's rows as the engine's tests look at them. */
import type pg from "pg";

export interface ClinicLog {
  hot(): Promise<pg.QueryResultRow[]>;
  finished(): Promise<pg.QueryResultRow[]>;
  attempts(): Promise<pg.QueryResultRow[]>;
  webhook(id: number): Promise<pg.QueryResultRow>;
  run(webhookId: number): Promise<pg.QueryResultRow>;
}

export function clinicLog(owner: pg.Pool, clinicId: () => number): ClinicLog {
  const rows = async (sql: string, ...more: unknown[]) => (await owner.query(sql, [clinicId(), ...more])).rows;
  const one = async (sql: string, id: number) => (await rows(sql, id))[0] as pg.QueryResultRow;
  return {
    hot: () => rows("select * from deliveries where clinic_id = $1 order by id"),
    finished: () => rows("select * from finished_deliveries where clinic_id = $1 order by event_id, webhook_id, part"),
    attempts: () => rows("select * from attempts where clinic_id = $1 order by event_id, webhook_id, part, attempt"),
    webhook: (id) => one("select * from webhooks where clinic_id = $1 and id = $2", id),
    run: (id) => one("select * from runs where clinic_id = $1 and webhook_id = $2", id),
  };
}
