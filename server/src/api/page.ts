/**
 * The page itself: the built files of `web`, and for every other address that a browser navigates to, the page's one
 * document, with this response's nonce in it.
 */
import { readdir, readFile } from "node:fs/promises";
import fastifyStatic from "@fastify/static";
import type { FastifyReply } from "fastify";
import type { OpenRoutes } from "./server.ts";

export const NONCE_PLACEHOLDER = "__CSP_NONCE__";
/** Not files of their own: each is sent with its answer's nonce, at addresses of its own. */
const DOCUMENTS = new Set(["index.html", "embed.html"]);
const HASHED_FILE = /^assets\//;
/** What never is a page: an unknown address below these is an error for a program. */
const NOT_A_PAGE = /^\/(v1|api|operator|portal-api|embed|assets|\.well-known)(\/|$)/;
const HASHED_MAX_AGE_SECONDS = 31_536_000;
const OTHER_MAX_AGE_SECONDS = 300;

/** Routes for the page in a folder. Without a built page there, its addresses answer 503 with what to do. */
export function pageRoutes(folder: string): OpenRoutes {
  return async (app) => {
    const page = await readIfThere(`${folder}/index.html`);
    const files = new Set(page === null ? [] : await listFiles(folder));
    await app.register(fastifyStatic, { root: folder, serve: false, cacheControl: false, index: false });
    app.get("/*", { schema: { hide: true } }, async (request, reply) => {
      const path = request.url.split("?", 1)[0] ?? "/";
      const file = path.slice(1);
      if (files.has(file)) {
        reply.header("cache-control", cacheControlOf(file));
        return reply.sendFile(file);
      }
      if (NOT_A_PAGE.test(path) || !acceptsHtml(request.headers.accept)) return reply.callNotFound();
      if (page === null) return sayNotBuilt(reply);
      reply.header("cache-control", "no-store");
      return reply.type("text/html; charset=utf-8").send(page.replaceAll(NONCE_PLACEHOLDER, reply.styleNonce));
    });
  };
}

function cacheControlOf(file: string): string {
  return HASHED_FILE.test(file)
    ? `public, max-age=${HASHED_MAX_AGE_SECONDS}, immutable`
    : `public, max-age=${OTHER_MAX_AGE_SECONDS}`;
}

function acceptsHtml(accept: string | undefined): boolean {
  return accept === undefined || /text\/html|\*\/\*/.test(accept);
}

/** Answers 503 in words: whoever reads this sits before a browser, and has just set the server up. */
export function sayNotBuilt(reply: FastifyReply): FastifyReply {
  return reply
    .code(503)
    .header("cache-control", "no-store")
    .type("text/plain; charset=utf-8")
    .send("Hookwell runs, but its page is not built yet. Run `npm run build`, then start the server again.\n");
}

/** A text file; null where there is none. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** Read once: what is not in the list is never looked for on the disk. The document itself is not a file of its own. */
async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(folder.length + 1).replaceAll("\\", "/"))
    .filter((file) => !DOCUMENTS.has(file));
}
