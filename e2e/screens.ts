/**
 * `npm run screens`: pictures of every screen in its main states, for people to look at, in docs/screens.
 *
 * Nothing is asserted: a picture shows what no assertion asks for, such as alignment, wrapping and wording. The folder is
 * made anew each time, so that it holds no picture of a screen that is gone.
 */
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { until } from "../server/test/until.ts";
import { launchBrowser, withoutStream } from "./browser.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { type DemoServer, startDemo } from "./server.ts";

const FOLDER = resolve(import.meta.dirname, "../docs/screens");
const FOLDER_MAX_BYTES = 6 * 1024 * 1024;
const STEP_TIMEOUT_MS = 20_000;
const DESK = { width: 1200, height: 680 };
const PHONE = { width: 390, height: 780 };
const WEBHOOKS = "/consults/export/webhooks";

interface Look {
  readonly language?: "en" | "fr-CA";
  readonly theme?: "light" | "dark";
  readonly viewport?: { readonly width: number; readonly height: number };
}

interface Shot {
  readonly name: string;
  readonly path: string;
  /** what is done once the page stands */
  readonly act?: (page: Page) => Promise<void>;
}

const opens = (name: RegExp) => async (page: Page) => {
  await page.getByRole("main").getByRole("button", { name }).first().click();
  await page.getByRole("dialog").waitFor();
};
/** The same of a form in which a patient is chosen. */
const opensWithPatients = (name: RegExp) => async (page: Page) => {
  await opens(name)(page);
  await page.getByRole("dialog").getByText("Test Patient One").waitFor();
};
const opensRow = (name: RegExp) => async (page: Page) => {
  await page.getByRole("main").getByRole("link", { name }).first().click();
  await page.getByRole("dialog").getByRole("heading", { level: 3 }).first().waitFor();
};

/** Before anything was set up. */
const EMPTY: readonly Shot[] = [
  { name: "webhooks-empty", path: WEBHOOKS },
  { name: "deliveries-empty", path: "/deliveries" },
  { name: "inbox-empty", path: "/inbox" },
  { name: "notices-empty", path: "/notices" },
  { name: "api-keys-empty", path: "/settings/api-keys" },
];

/** With one webhook that works, one whose receiver is down, and one that was turned off by its receiver. */
const BUSY: readonly Shot[] = [
  { name: "webhooks", path: WEBHOOKS },
  {
    name: "webhooks-cards",
    path: WEBHOOKS,
    act: (page) =>
      page
        .getByRole("main")
        .getByRole("link", { name: /^(Go to your webhooks|Aller à vos webhooks)$/ })
        .click(),
  },
  { name: "configure", path: WEBHOOKS, act: opens(/^Config/i) },
  { name: "deliveries", path: "/deliveries" },
  { name: "deliveries-failing", path: "/deliveries?state=waiting" },
  { name: "delivery-delivered", path: "/deliveries", act: opensRow(/Delivered|Reçu/) },
  { name: "delivery-failing", path: "/deliveries?state=waiting", act: opensRow(/503/) },
  { name: "inbox", path: "/inbox" },
  { name: "notices", path: "/notices" },
];

const CLINIC: readonly Shot[] = [
  { name: "schedule", path: "/schedule" },
  { name: "schedule-list", path: "/schedule?view=list" },
  { name: "schedule-new", path: "/schedule", act: opensWithPatients(/Schedule a consult|Planifier/i) },
  { name: "billing", path: "/billing" },
  { name: "invoice-new", path: "/billing", act: opensWithPatients(/^(New invoice|Nouvelle facture)$/) },
  { name: "packages", path: "/billing/packages" },
  { name: "gift-certificates", path: "/billing/gift-certificates" },
  { name: "membership-plans", path: "/memberships/plans" },
  { name: "patients", path: "/patients" },
  { name: "patient", path: "/patients/1" },
  { name: "academy", path: "/academy" },
  { name: "import", path: "/import" },
  { name: "portal", path: "/portal/example-physio-demo" },
];

/** In dark colours they look like the others. */
const MUCH_ALIKE = ["deliveries-failing", "delivery-delivered", "inbox"];

/** On a phone they look like the list of invoices. */
const PLAIN_LISTS = ["packages", "gift-certificates", "membership-plans", "import", "patients"];

const server = await startDemo({ env: { HOOKWELL_ALLOW_LOOPBACK: "true" } });
const receiver = await startReceiver();
const browser = await launchBrowser();
try {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  await takeAll(browser, server);
} finally {
  await browser.close();
  receiver.close();
  await server.close();
}
await tellSize();

async function takeAll(browser: Browser, demo: DemoServer): Promise<void> {
  await takeEntrance(browser, demo);
  await take(EMPTY, "");
  await take([EMPTY[0] as Shot, EMPTY[1] as Shot], "-fr-dark-phone", {
    ...{ language: "fr-CA", theme: "dark", viewport: PHONE },
  });
  await makeBusy(await signIn(demo));
  const all = [...BUSY, ...CLINIC];
  await take(all, "");
  // The portal begins in the clinic's language, whatever the browser's is.
  await take(without(all, ["portal"]), "-fr", { language: "fr-CA" });
  await take(without(BUSY, MUCH_ALIKE), "-dark", { theme: "dark" });
  await take(without(all, PLAIN_LISTS), "-phone", { viewport: PHONE });
}

function without(shots: readonly Shot[], names: readonly string[]): Shot[] {
  return shots.filter(({ name }) => !names.includes(name));
}

async function takeEntrance(browser: Browser, demo: DemoServer): Promise<void> {
  for (const [suffix, viewport] of [["", DESK] as const, ["-phone", PHONE] as const]) {
    const page = await browser.newPage({ viewport });
    await page.goto(demo.origin);
    await page.getByLabel("E-mail").waitFor();
    await page.screenshot({ path: join(FOLDER, `sign-in${suffix}.png`) });
    await page.close();
  }
}

/** Each look is a window of its own: what one has chosen is remembered there. */
async function take(shots: readonly Shot[], suffix: string, look: Look = {}): Promise<void> {
  const { language = "en", theme = "light", viewport = DESK } = look;
  const locale = language === "en" ? "en-CA" : "fr-CA";
  const context = await browser.newContext({ viewport, colorScheme: theme, locale, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  await withoutStream(page);
  await page.goto(server.origin);
  await page.getByLabel(/E-mail|courriel/i).fill(server.email);
  await page.getByLabel(/^(Password|Mot de passe)$/).fill(server.password);
  await page.getByRole("button", { name: /^(Sign in|Se connecter)$/ }).click();
  await page.getByRole("banner").waitFor();
  for (const shot of shots) {
    await page.goto(server.origin + shot.path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await settled(page);
    await shot.act?.(page);
    await settled(page);
    await page.screenshot({ path: join(FOLDER, `${shot.name}${suffix}.png`) });
  }
  await context.close();
}

/** Nothing is being loaded any more. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState("networkidle");
  await page.waitForFunction("document.querySelector('.mantine-Skeleton-root, [data-loading]') === null");
}

/** One receiver for every mood: it answers with the status that its path names. */
async function startReceiver(): Promise<Server> {
  const listening = createServer((request, response) => {
    request.resume();
    response.writeHead(Number(request.url?.slice(1))).end("Maintenance until 18:00.");
  });
  await new Promise<void>((fulfil) => listening.listen(0, "127.0.0.1", fulfil));
  return listening;
}

async function makeBusy(api: ApiClient): Promise<void> {
  const { url } = await api.get<{ url: string }>("/inbox");
  const { port } = receiver.address() as AddressInfo;
  const at = (status: number) => `http://localhost:${port}/${status}`;
  const recipient = { organisation: "Example Mailings", country: "CA", purpose: "Reminders", agreement_on_file: true };
  const events = ["participant.added", "consult.updated", "participant.removed"];
  const include = { practitioner: "all", patient: "all" };
  await api.post("/webhooks", { name: "Reminders by e-mail", url, events, include, recipient });
  const down = await api.post<{ id: number }>("/webhooks", { name: "Clinic dashboard", url: at(503), events });
  await api.post("/webhooks", { name: "Old survey tool", url: at(410), events: ["participant.added"] });
  await api.post("/api-keys", { name: "Practice software", scopes: ["feed"] });
  const consult = await oneToOne(api);
  for (const day of [1, 2, 3, 4]) await api.post("/consults", { ...consult, start_time: `2027-02-0${day}T09:30` });
  await until("the dashboard has failed", async () => {
    const { data } = await api.get<{ data: { attempts: number }[] }>(`/deliveries?webhook_id=${down.id}`);
    return data.some(({ attempts }) => attempts > 0);
  });
  await until("the survey tool is off", async () => {
    const { data } = await api.get<{ data: { enabled: boolean }[] }>("/webhooks");
    return data.some(({ enabled }) => !enabled);
  });
  await until("a notice says so", async () => (await api.get<{ data: object[] }>("/notices")).data.length > 0);
}

async function tellSize(): Promise<void> {
  const files = await readdir(FOLDER);
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(FOLDER, file))).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  process.stdout.write(`${files.length} pictures, ${Math.round(bytes / 1024)} KiB, in docs/screens\n`);
  if (bytes > FOLDER_MAX_BYTES) throw new Error(`More than ${FOLDER_MAX_BYTES} bytes: take fewer or smaller pictures.`);
}
