/**
 * What a browser loads of the embedded page: the script that other software puts into its own page, and the document in the
 * frame. It is the only one that may be framed, and by the origins of its API key alone; every other answer of this server
 * says `frame-ancestors 'none'`.
 */
import { EMBED_ORIGIN_MAX_CHARACTERS, originsOfFrame } from "../accounts/embed-origins.ts";
import { ProblemError } from "../errors.ts";
import { limitAddresses } from "./open-limits.ts";
import { NONCE_PLACEHOLDER, readIfThere, sayNotBuilt } from "./page.ts";
import type { OpenRoutes } from "./server.ts";

/** Where other software finds the script; the name stays. */
export const EMBED_SCRIPT_PATH = "/embed/hookwell-webhooks.js";
const HOSTS_PLACEHOLDER = "__EMBED_HOSTS__";
const NOBODY_MAY_FRAME = "frame-ancestors 'none'";
const SCRIPT_MAX_AGE_SECONDS = 300;
/** Of one client address; each asks the database. */
const FRAMES_PER_MINUTE_MAX = 300;

/** Routes for the files in a folder of the built page. Without them, the addresses answer 503 with what to do. */
export function embedPageRoutes(folder: string): OpenRoutes {
  return async (app, { db }) => {
    await limitAddresses(app);
    const [page, script] = await Promise.all(
      ["embed.html", EMBED_SCRIPT_PATH.slice(1)].map((file) => readIfThere(`${folder}/${file}`)),
    );

    app.get(EMBED_SCRIPT_PATH, { schema: { hide: true } }, async (_request, reply) => {
      if (script == null) return sayNotBuilt(reply);
      // It is there for pages of other sites, and holds nothing of anybody.
      reply.header("cross-origin-resource-policy", "cross-origin");
      reply.header("access-control-allow-origin", "*");
      reply.header("cache-control", `public, max-age=${SCRIPT_MAX_AGE_SECONDS}`);
      return reply.type("text/javascript; charset=utf-8").send(script);
    });

    const config = { rateLimit: { max: FRAMES_PER_MINUTE_MAX } };
    app.get<{ Params: { frame_id: string } }>(
      "/embed/:frame_id",
      { schema: { hide: true }, config },
      async (request, reply) => {
        const origins = await originsOfFrame(db, request.params.frame_id);
        if (origins === null) throw unknownFrame();
        if (page == null) return sayNotBuilt(reply);
        reply.removeHeader("x-frame-options");
        reply.header("content-security-policy", framedBy(origins, String(reply.getHeader("content-security-policy"))));
        reply.header("cache-control", "no-store");
        const html = page
          .replaceAll(NONCE_PLACEHOLDER, reply.styleNonce)
          .replaceAll(HOSTS_PLACEHOLDER, origins.join(" "));
        return reply.type("text/html; charset=utf-8").send(html);
      },
    );
  };
}

/** X-Frame-Options knows no list of origins, so the policy alone says it; browsers without it are too old for the page. */
function framedBy(origins: readonly string[], policy: string): string {
  const isSafe = origins.length > 0 && origins.every((origin) => SAFE.test(origin));
  if (!isSafe || !policy.includes(NOBODY_MAY_FRAME))
    throw new Error("the frame's policy cannot be made of these parts");
  return policy.replace(NOBODY_MAY_FRAME, `frame-ancestors ${origins.join(" ")}`);
}

/** Said a third time, after the check at the key's creation and the table's own, since it opens a door. */
const SAFE = new RegExp(String.raw`^(?=.{1,${EMBED_ORIGIN_MAX_CHARACTERS}}$)https?://[a-z0-9.:[\]-]+$`);

function unknownFrame(): ProblemError {
  const title = "There is no such embedded page. Open it again from your clinic software.";
  return new ProblemError({ status: 404, code: "not_found", title });
}
