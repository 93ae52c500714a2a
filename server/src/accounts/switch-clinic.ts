/**
 * Going over to another of one's clinics, as a route of better-auth's, so that it is the library that ends the old session and
 * signs the new one's cookie. Promises a new session id, that the person belongs to the clinic at this moment, and that the
 * new session ends when the old one would have.
 */
import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthEndpoint, sensitiveSessionMiddleware } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { z } from "zod";

/** Whether the person belongs to the clinic now. */
type Belongs = (userId: string, clinicId: number) => Promise<boolean>;

export const SWITCH_CLINIC_PATH = "/switch-clinic";

/** POST /switch-clinic {clinicId}: 404 where the person does not belong there, whether or not there is such a clinic; 204 for the one that is open. */
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
          if (session.activeClinicId === String(clinicId)) return new Response(null, { status: 204 });
          const { internalAdapter } = ctx.context;
          // It is the same signing in: whoever got hold of a session must not make it last by going to and fro.
          const { createdAt, expiresAt } = session;
          const changed = { createdAt, expiresAt, activeClinicId: String(clinicId) };
          const created = await internalAdapter.createSession(user.id, false, changed, true);
          const maxAge = Math.max(0, Math.floor((expiresAt.getTime() - Date.now()) / 1_000));
          await setSessionCookie(ctx, { session: created, user }, false, { maxAge });
          await internalAdapter.deleteSession(session.token);
          return ctx.json({ user });
        },
      ),
    },
  };
}
