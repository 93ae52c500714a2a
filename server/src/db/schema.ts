/**
 * The tables as Kysely sees them. It mirrors migrations/*.sql by hand; schema.test.ts compares it, column by column, with
 * the migrated database, so that the two cannot drift. An instant is never infinite but in the engine's next_at.
 */
import type { Kysely, Transaction } from "kysely";
import type { BillingTables } from "./tables/billing.ts";
import type { ClinicTables } from "./tables/clinic.ts";
import type { DeliveryTables } from "./tables/delivery.ts";
import type { MemberTables } from "./tables/member.ts";
import type { NoticeTables } from "./tables/notices.ts";

export interface Database extends ClinicTables, BillingTables, MemberTables, DeliveryTables, NoticeTables {}

/** The whole database, outside a transaction. */
export type Db = Kysely<Database>;

/** A transaction in which one clinic is named; every command takes one. Made by inClinic() in pool.ts. */
export type Tx = Transaction<Database>;
