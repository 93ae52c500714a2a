/** Which pages may hold the embedded page in a frame: a short list of origins on the API key that makes its sessions. */
import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { Db } from "../db/schema.ts";
import { invalid } from "../errors.ts";

export const EMBED_ORIGINS_MAX = 10;
export const EMBED_ORIGIN_MAX_CHARACTERS = 270;
/** 128 bits. */
const FRAME_ID_BYTES = 16;
export const FRAME_ID = /^[A-Za-z0-9_-]{22}$/;
/** They become part of a header: names, addresses and a port, and nothing that means something there. */
const HTTPS_ORIGIN = /^https:\/\/(?=[^:]{1,253}(:|$))[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/;
const LOOPBACK_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

/**
 * The origins as browsers write them, each once.
 * @param allowLoopback in development pages of this machine may hold the frame, too
 * @throws ProblemError naming `embed_origins` or the one that is wrong
 */
export function readEmbedOrigins(texts: readonly string[], { allowLoopback }: { allowLoopback: boolean }): string[] {
  if (texts.length === 0) throw invalid("embed_origins", "Name the pages that may show the frame.", "missing");
  if (texts.length > EMBED_ORIGINS_MAX) {
    throw invalid("embed_origins", `Name at most ${EMBED_ORIGINS_MAX}. Leave some out.`, "too_many");
  }
  const origins = texts.map((text, index) => {
    const origin = originOf(text);
    const isFine = origin !== null && (HTTPS_ORIGIN.test(origin) || (allowLoopback && LOOPBACK_ORIGIN.test(origin)));
    if (isFine) return origin;
    const example =
      "Write https:// and the name of the site, such as https://clinic.example.test, and nothing behind it.";
    throw invalid(`embed_origins.${index}`, example, "origin");
  });
  return [...new Set(origins)];
}

/** Null for what is more than an origin, or none. */
function originOf(text: string): string | null {
  const url = text.length > EMBED_ORIGIN_MAX_CHARACTERS ? null : URL.parse(text.trim());
  if (url === null || url.username !== "" || url.password !== "") return null;
  const isBare = url.pathname === "/" && url.search === "" && url.hash === "" && !/[?#]/.test(text);
  return isBare ? url.origin : null;
}

export function newFrameId(): string {
  return randomBytes(FRAME_ID_BYTES).toString("base64url");
}

/** Who may hold the frame of this address; null where there is none, or its key opens nothing any more. */
export async function originsOfFrame(db: Db, frameId: string): Promise<readonly string[] | null> {
  if (!FRAME_ID.test(frameId)) return null;
  const { rows } = await sql<{ origins: string[] }>`select origins from embed_frame_of(${frameId})`.execute(db);
  return rows[0]?.origins ?? null;
}
