/**
 * The codes of gift certificates. Whoever knows a code can redeem it, so it is treated like money.
 *
 * Owns: how a code is made, read, kept and found. Promises: 80 random bits; stored sealed, and found by an HMAC whose key is
 * sealed, too, so that a copy of the database alone gives no code that can be used and no way to try codes out; a code in
 * one clinic is none in another. Does not limit how often somebody tries: the API does.
 */
import { createHmac, randomBytes } from "node:crypto";
import type { Tx } from "../../db/schema.ts";
import { invalid } from "../../errors.ts";
import type { ClinicSeal } from "../../seal/seal.ts";
import type { ClinicContext } from "../clinics.ts";

/** Crockford's base32: no I, L, O and U, which are misread. 32 signs, so that a random byte is spread evenly over them. */
const SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_CHARACTERS = 16;
const GROUP_CHARACTERS = 4;
const KEY_BYTES = 32;
const CODE_PATTERN = new RegExp(`^[${SIGNS}]{${CODE_CHARACTERS}}$`);

/** A new code, as it is printed: `7K3M-9QTX-2B4W-HJ5R`. */
export function newCode(): string {
  const signs = [...randomBytes(CODE_CHARACTERS)].map((byte) => SIGNS[byte % SIGNS.length] ?? "");
  return Array.from({ length: CODE_CHARACTERS / GROUP_CHARACTERS }, (_, group) =>
    signs.slice(group * GROUP_CHARACTERS, (group + 1) * GROUP_CHARACTERS).join(""),
  ).join("-");
}

/** What a person typed, without hyphens and spaces, misread signs set right. @throws ProblemError naming `field` */
export function readCode(field: string, text: string): string {
  const code = text.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  if (CODE_PATTERN.test(code)) return code;
  throw invalid(
    field,
    `A code has ${CODE_CHARACTERS} letters and digits, like 7K3M-9QTX-2B4W-HJ5R. Check it for a typing mistake.`,
    text.trim() === "" ? "empty" : "invalid",
  );
}

/** The value under which a code is found in this clinic; makes the clinic's key at its first use. */
export async function hashCode(tx: Tx, context: ClinicContext, code: string): Promise<Buffer> {
  const seal = await context.outbox.seal.forClinic(tx, context.clinicId);
  const key = (await findKey(tx, context.clinicId, seal)) ?? (await makeKey(tx, context.clinicId, seal));
  return createHmac("sha256", key).update(code.replaceAll("-", "")).digest();
}

async function findKey(tx: Tx, clinicId: number, seal: ClinicSeal): Promise<Buffer | undefined> {
  const row = await tx
    .selectFrom("gift_certificate_keys")
    .select("key")
    .where("clinic_id", "=", clinicId)
    .executeTakeFirst();
  return row && Buffer.from(seal.open(keyPlace(clinicId), row.key), "base64");
}

/** Of two transactions that sell a clinic's first certificates at once, the second takes the key of the first. */
async function makeKey(tx: Tx, clinicId: number, seal: ClinicSeal): Promise<Buffer> {
  const key = seal.seal(keyPlace(clinicId), randomBytes(KEY_BYTES).toString("base64"));
  await tx
    .insertInto("gift_certificate_keys")
    .values({ clinic_id: clinicId, key })
    .onConflict((conflicting) => conflicting.column("clinic_id").doNothing())
    .execute();
  const made = await findKey(tx, clinicId, seal);
  if (made === undefined) throw new Error(`clinic ${clinicId} has no key for gift certificates after making one`);
  return made;
}

/** Where a certificate's code is sealed; the row is its hash, which is known before the row exists. */
export function codePlace(codeHash: Buffer) {
  return { column: "gift_certificates.code", row: codeHash.toString("hex") } as const;
}

function keyPlace(clinicId: number) {
  return { column: "gift_certificate_keys.key", row: clinicId } as const;
}
