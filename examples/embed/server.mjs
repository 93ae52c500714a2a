/**
 * A clinic software of a few lines that shows Hookwell's webhooks inside its own page. Everything that matters is in
 * `openSession` here, and in host.js beside it. Plain node:http, no dependency.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

const HOOKWELL_URL = new URL(process.env.HOOKWELL_URL ?? "http://localhost:4400").origin;
const API_KEY = process.env.HOOKWELL_API_KEY ?? "";
const PORT = Number(process.env.PORT ?? 4500);

/** Whom this software has signed in. A real one takes that from its own session, never from the page's address. */
const PEOPLE = {
  owner: { id: "u-1001", name: "Robin Example", capabilities: ["view", "manage", "new-secret", "include-patient"] },
  assistant: { id: "u-1002", name: "Sam Example", capabilities: ["view", "manage"] },
  reader: { id: "u-1003", name: "Kim Example", capabilities: ["view"] },
};

const FILES = {
  "/": ["page.html", "text/html"],
  "/host.js": ["host.js", "text/javascript"],
  "/host.css": ["host.css", "text/css"],
};

/** The page may load the component and hold the frame, from Hookwell alone. */
const POLICY = [
  "default-src 'none'",
  `script-src 'self' ${HOOKWELL_URL}`,
  `frame-src ${HOOKWELL_URL}`,
  "style-src 'self'",
  "connect-src 'self'",
].join("; ");

/** The last session of each person, to be ended when the person signs out. */
const open = new Map();

/** Asks Hookwell for a one-time link. The API key stays on this server. */
async function openSession(who, look) {
  const { capabilities, ...user } = PEOPLE[who] ?? PEOPLE.reader;
  const answer = await ask("POST", "/v1/embed-sessions", { capabilities, user, ...look });
  const session = await answer.json();
  if (!answer.ok) throw new Error(`Hookwell answered ${answer.status}: ${session.detail}`);
  open.set(who, session.id);
  return { link: session.link };
}

async function endSession(who) {
  const id = open.get(who);
  if (id !== undefined) await ask("DELETE", `/v1/embed-sessions/${id}`);
  open.delete(who);
  return {};
}

function ask(method, path, body) {
  const headers = { authorization: `Bearer ${API_KEY}`, ...(body && { "content-type": "application/json" }) };
  return fetch(HOOKWELL_URL + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

/** What a page of this software asks of its own server; only its own pages may. */
async function answerPage(url) {
  const who = url.searchParams.get("as") ?? "owner";
  if (url.pathname === "/sign-out") return endSession(who);
  const language = url.searchParams.get("language");
  return openSession(who, language === null ? {} : { language });
}

async function handle(request, response) {
  const url = new URL(request.url, `http://localhost:${PORT}`);
  if (request.method === "POST" && ["/link", "/sign-out"].includes(url.pathname)) {
    if (request.headers["sec-fetch-site"] !== "same-origin") return response.writeHead(403).end();
    const answer = await answerPage(url);
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
    return response.end(JSON.stringify(answer));
  }
  const [file, type] = FILES[url.pathname] ?? [];
  if (file === undefined) return response.writeHead(404).end();
  const text = await readFile(join(import.meta.dirname, file), "utf8");
  response.writeHead(200, { "content-type": `${type}; charset=utf-8`, "content-security-policy": POLICY });
  return response.end(text.replaceAll("__HOOKWELL_URL__", HOOKWELL_URL));
}

if (API_KEY === "") {
  process.stderr.write("Set HOOKWELL_API_KEY to a key that shows the embedded page; see README.md beside this file.\n");
  process.exitCode = 1;
} else {
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      process.stderr.write(`${error.message}\n`);
      response.writeHead(502).end();
    });
  });
  server.listen(PORT, "localhost", () => process.stdout.write(`Open http://localhost:${PORT}\n`));
}
