/**
 * Going over to another of one's clinics, as a route of better-auth's, so that it is the library that ends the old session and
 * signs the new one's cookie. Promises a new session id, and that the person belongs to the clinic at this moment.
 */
import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthEndpoint, sensitiveSessionMiddleware } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { z } from "zod";

/** Whether the person belongs to the clinic now. */
type Belongs = (userId: string, clinicId: number) => Promise<boolean>;

export const SWITCH_CLINIC_PATH = "/switch-clinic";

/** POST /switch-clinic {clinicId}: 404 where the person does not belong there, whether or not there is such a clinic. */
export function switchClinic(belongs: Belongs): BetterAuthPlugin {
  return {
    id: "switch-clinic",
    endpoints: {
      switchClinic: createAuthEndpoint(
        SWITCH_CLINIC_PATH,
        { method: "POST", body: z.strictObject({ clinicId: z.int().min(1) }), use: [sensitiveSessionMiddleware] },
        async (ctx) => {
          const { session, user } = ctx.context.session;
          const { clinicId } = ctx.body;
          if (!(await belongs(user.id, clinicId))) throw new APIError("NOT_FOUND");
          const { internalAdapter } = ctx.context;
          const changed = { ...session, activeClinicId: String(clinicId) };
          const created = await internalAdapter.createSession(user.id, false, changed);
          await setSessionCookie(ctx, { session: created, user });
          await internalAdapter.deleteSession(session.token);
          return ctx.json({ user });
        },
      ),
    },
  };
}
