/** Who may hold the embedded page in a frame: the pages its key names, and nobody any other page of this server. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { askForEmbed, embedKey, HOST_ORIGIN } from "../../test/embed.ts";
import { EMBED_SCRIPT_PATH, embedPageRoutes } from "./embed-page.ts";
import { pageRoutes } from "./page.ts";
import { OPEN_ROUTES, V1_ROUTES } from "./routes.ts";
import { type App, createServer } from "./server.ts";

const SECOND_ORIGIN = "https://staff.example.test:8443";

let api: TestApi;
let clinic: TestClinic;
let folder: string;
let app: App;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  folder = await mkdtemp(join(tmpdir(), "hookwell-page-"));
  await mkdir(join(folder, "embed"));
  const meta = '<meta name="csp-nonce" content="__CSP_NONCE__"><meta name="embed-hosts" content="__EMBED_HOSTS__">';
  await writeFile(join(folder, "embed.html"), `<!doctype html>${meta}`);
  await writeFile(join(folder, "index.html"), "<!doctype html>");
  await writeFile(join(folder, EMBED_SCRIPT_PATH), "customElements;");
  const open = [...OPEN_ROUTES, embedPageRoutes(folder), pageRoutes(folder)];
  app = await createServer(api.context, { v1: V1_ROUTES, open });
});
afterAll(async () => {
  await app.close();
  await api.close();
  await rm(folder, { recursive: true, force: true });
});

const get = (url: string) => app.inject({ method: "GET", url, headers: { accept: "text/html" } });
const ancestors = (policy: unknown) => /frame-ancestors ([^;]*);/.exec(String(policy))?.[1];

it("the frame may be held by its key's pages and nobody else, and X-Frame-Options does not gainsay it", async () => {
  const { key } = await embedKey(clinic, [HOST_ORIGIN, SECOND_ORIGIN]);
  const { pathname } = new URL((await askForEmbed(api, key)).json.link);
  const { statusCode, headers, body } = await get(pathname);
  expect(statusCode).toBe(200);
  expect(ancestors(headers["content-security-policy"])).toBe(`${HOST_ORIGIN} ${SECOND_ORIGIN}`);
  expect(headers["content-security-policy"]).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-/,
  );
  expect(headers["x-frame-options"]).toBeUndefined();
  expect(headers["cache-control"]).toBe("no-store");
  expect(body).toContain(`content="${HOST_ORIGIN} ${SECOND_ORIGIN}"`);
  expect(body).not.toContain("__");
});

it("a frame that nobody has, one whose key was revoked, and every other page may be held by nobody", async () => {
  const { id, key } = await embedKey(clinic);
  const { pathname } = new URL((await askForEmbed(api, key)).json.link);
  await clinic.as.manager(`/v1/api-keys/${id}`, { method: "DELETE" });
  const paths = [pathname, `/embed/${"A".repeat(22)}`, "/embed/x", "/embed.html", "/embed", "/sign-in", "/consults"];
  for (const path of [...paths, "/v1/webhooks", EMBED_SCRIPT_PATH]) {
    const { headers } = await get(path);
    expect([path, ancestors(headers["content-security-policy"])]).toEqual([path, "'none'"]);
    expect([path, headers["x-frame-options"]]).toEqual([path, "DENY"]);
  }
  for (const path of paths.slice(0, 3)) expect([path, (await get(path)).statusCode]).toEqual([path, 404]);
});

it("as long as nothing is built, whoever opens a page reads what to do", async () => {
  const { key } = await embedKey(clinic);
  const { pathname } = new URL((await askForEmbed(api, key)).json.link);
  const nowhere = join(folder, "embed");
  const open = [...OPEN_ROUTES, embedPageRoutes(nowhere), pageRoutes(nowhere)];
  const unbuilt = await createServer(api.context, { v1: V1_ROUTES, open });
  for (const url of ["/", "/sign-in", pathname, EMBED_SCRIPT_PATH]) {
    const { statusCode, headers, body } = await unbuilt.inject({
      method: "GET",
      url,
      headers: { accept: "text/html" },
    });
    expect([url, statusCode, headers["content-type"]]).toEqual([url, 503, "text/plain; charset=utf-8"]);
    expect(body).toMatch(/page is not built yet\. Run `npm run build`/);
  }
  await unbuilt.close();
});

it("the script may be loaded by pages of other sites, and is the only file that may", async () => {
  const script = await get(EMBED_SCRIPT_PATH);
  expect([script.statusCode, script.body]).toEqual([200, "customElements;"]);
  expect(script.headers["content-type"]).toBe("text/javascript; charset=utf-8");
  expect(script.headers["cross-origin-resource-policy"]).toBe("cross-origin");
  expect(script.headers["access-control-allow-origin"]).toBe("*");
  const other = await get("/sign-in");
  expect(other.headers["cross-origin-resource-policy"]).toBe("same-origin");
  expect(other.headers["access-control-allow-origin"]).toBeUndefined();
});
