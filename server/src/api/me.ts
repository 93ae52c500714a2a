/** GET /v1/me: who is signed in, for which clinic, in which role. */
import { EMBED_CAPABILITIES } from "@hookwell/sdk";
import { z } from "zod";
import { currencyExponent } from "../clinic/billing/money.ts";
import { inClinic } from "../db/pool.ts";
import { forbidden } from "../errors.ts";
import type { ApiContext } from "./context.ts";
import type { App } from "./server.ts";

const STAFF_ROLE = z.enum(["manager", "practitioner", "front_desk"]);
const ME = z.object({
  user: z.object({ id: z.string(), name: z.string(), email: z.string() }),
  clinic: z.object({
    id: z.int(),
    name: z.string(),
    time_zone: z.string(),
    currency: z.string(),
    currency_exponent: z.int().describe("How many decimals its amounts have."),
    has_academy: z.boolean(),
    locale: z.enum(["en", "fr-CA"]),
    portal_name: z.string().describe("Patients sign up at /portal/<portal_name>."),
  }),
  role: z.enum([...STAFF_ROLE.options, "embedded"]),
  embedded: z
    .object({ capabilities: z.array(z.enum(EMBED_CAPABILITIES)), host_user_id: z.string() })
    .nullable()
    .describe("What the embedded page may do; null for everybody else."),
  clinics: z
    .array(z.object({ id: z.int(), name: z.string(), role: STAFF_ROLE }))
    .describe("Every clinic that the person belongs to, this one too."),
  second_factor: z.boolean().describe("Whether signing in asks for a code, too."),
});

export async function meRoutes(app: App, context: ApiContext): Promise<void> {
  app.get(
    "/me",
    { schema: { summary: "Read who is signed in, and at which clinic.", response: { 200: ME } } },
    async ({ principal, headers }) => {
      if (principal.role === "api_key") throw forbidden("An API key is no person. Sign in.");
      const clinic = await inClinic(context.db, principal.clinicId, (tx) =>
        tx
          .selectFrom("clinics")
          .select(["id", "name", "time_zone", "currency", "has_academy", "locale", "portal_name"])
          .where("id", "=", principal.clinicId)
          .executeTakeFirstOrThrow(),
      );
      const { embedded } = principal;
      // Nobody of ours is behind an embedded page, whatever cookies the browser has.
      const [person, clinics] = embedded
        ? [null, []]
        : await Promise.all([context.accounts.personOf(headers), context.accounts.clinicsOf(principal.userId)]);
      return {
        user: { id: principal.userId, name: principal.userName, email: principal.userEmail },
        clinic: { ...clinic, currency_exponent: currencyExponent(clinic.currency) },
        role: principal.role,
        embedded: embedded ? { capabilities: [...embedded.capabilities], host_user_id: embedded.hostUserId } : null,
        clinics: clinics.map(({ clinicId, name, role }) => ({ id: clinicId, name, role })),
        second_factor: person?.hasSecondFactor ?? false,
      };
    },
  );
}
