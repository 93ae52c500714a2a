/**
 * Rotating the master key: everything that an older one wraps is wrapped by the newest.
 *
 * Nothing is opened but the wrapped keys themselves; what they seal stays as it is. Promises: each row changes in a statement
 * of its own that leaves it openable, so that a rotation may be killed anywhere, begun again, and run twice at once; whoever
 * has the new and the old keys reads everything all the while. Where it stands needs no book: each row tells which key opens
 * it. The key file is master-keys.ts.
 */
import type { Db } from "../db/schema.ts";
import type { Seal } from "./seal.ts";

const BATCH_ROWS = 500;

/** A wrapping that was made anew: a clinic's data key, or a secret of the server. */
export type Rewrapped = { readonly clinicId: number } | { readonly secret: string };

/** Wraps anew, one step after another; ends when nothing is left. @throws SealBrokenError for a row that no key opens */
export async function* rewrapAll(owner: Db, seal: Seal): AsyncGenerator<Rewrapped> {
  for await (const row of clinics(owner)) {
    const data_key = seal.rewrapDataKey(row);
    if (data_key === null) continue;
    await owner
      .updateTable("clinics")
      .set({ data_key })
      .where("id", "=", row.id)
      .where("data_key", "=", row.data_key)
      .execute();
    yield { clinicId: row.id };
  }
  for (const { name, secret } of await secrets(owner)) {
    const rewrapped = seal.rewrapSecret(name, secret);
    if (rewrapped === null) continue;
    await owner
      .updateTable("kept_secrets")
      .set({ secret: rewrapped })
      .where("name", "=", name)
      .where("secret", "=", secret)
      .execute();
    yield { secret: name };
  }
}

/** How much there is, and how much of it the newest key does not open yet. @throws SealBrokenError where no key opens it */
export async function countWrapped(owner: Db, seal: Seal): Promise<{ all: number; older: number }> {
  let all = 0;
  let older = 0;
  for await (const row of clinics(owner)) {
    all += 1;
    if (seal.rewrapDataKey(row) !== null) older += 1;
  }
  for (const { name, secret } of await secrets(owner)) {
    all += 1;
    if (seal.rewrapSecret(name, secret) !== null) older += 1;
  }
  return { all, older };
}

interface ClinicKey {
  readonly id: number;
  readonly data_key: Buffer;
  readonly data_key_id: string;
}

async function* clinics(owner: Db): AsyncGenerator<ClinicKey> {
  let after = 0;
  for (;;) {
    const rows = await owner
      .selectFrom("clinics")
      .select(["id", "data_key", "data_key_id"])
      .where("id", ">", after)
      .orderBy("id")
      .limit(BATCH_ROWS)
      .execute();
    yield* rows;
    const last = rows.at(-1);
    if (rows.length < BATCH_ROWS || last === undefined) return;
    after = last.id;
  }
}

function secrets(owner: Db): Promise<{ name: string; secret: Buffer }[]> {
  return owner.selectFrom("kept_secrets").select(["name", "secret"]).orderBy("name").execute();
}
