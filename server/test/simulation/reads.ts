/**
 * What the sender reads besides the engine's store, the webhook's settings and secrets and the clinic's key, answered from
 * the model: a Kysely whose only driver looks the row up. The real Targets and the real Seal run over it, so a changed
 * webhook applies to the next attempt here as it does in production.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import type { Database, Db } from "../../src/db/schema.ts";

/** Answers one select by its table, or by the name that it was prepared under. */
export type Lookup = (table: string, parameters: readonly unknown[]) => Promise<object[]>;

export function readsOver(lookup: Lookup): Db {
  const nothing = async () => {};
  const connection: DatabaseConnection = {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const table = /^select .* from "(\w+)" where|^\/\* prepared (\w+) \*\//.exec(query.sql)?.slice(1).find(Boolean);
      if (table === undefined) throw new Error(`the simulation does not know this statement: ${query.sql}`);
      return { rows: (await lookup(table, query.parameters)) as Row[] };
    },
    streamQuery() {
      throw new Error("nothing is streamed in the simulation");
    },
  };
  const driver: Driver = {
    ...{ init: nothing, beginTransaction: nothing, commitTransaction: nothing, rollbackTransaction: nothing },
    ...{ releaseConnection: nothing, destroy: nothing },
    acquireConnection: async () => connection,
  };
  return new Kysely<Database>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}
