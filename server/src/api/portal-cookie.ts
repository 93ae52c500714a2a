/**
 * The cookie of a patient's session on a portal: a name of its own, so that it is never sent in the place of a staff session,
 * and nothing of staff is looked up by it.
 */
import { PORTAL_SESSION_HOURS } from "../clinic/portal/sign-in.ts";

const NAME = "hookwell-portal";
const HOUR_SECONDS = 3_600;

/** `__Host-` wherever there is https, so that only this host can have set it. */
function nameOf(publicUrl: string): string {
  return publicUrl.startsWith("https:") ? `__Host-${NAME}` : NAME;
}

/** The token that a request brings; empty where it brings none. */
export function readPortalCookie(cookies: string | undefined, publicUrl: string): string {
  const name = `${nameOf(publicUrl)}=`;
  const found = (cookies ?? "").split(";").map((cookie) => cookie.trim());
  return found.find((cookie) => cookie.startsWith(name))?.slice(name.length) ?? "";
}

/** A `set-cookie` that begins a session, or ends it with the token null. */
export function portalCookie(token: string | null, publicUrl: string): string {
  const age = token === null ? 0 : PORTAL_SESSION_HOURS * HOUR_SECONDS;
  const secure = publicUrl.startsWith("https:") ? "; Secure" : "";
  return `${nameOf(publicUrl)}=${token ?? ""}; Max-Age=${age}; Path=/; HttpOnly; SameSite=Strict${secure}`;
}
