/**
 * Every screen: no finding of axe at WCAG 2.2 AA, targets of 24 pixels or more, nothing blocked by the content security
 * policy, and no scrolling sideways in a window of 320 pixels. Each test file says in which languages and colours it looks: one
 * of the four in every run, the others in the long one.
 */
import axe from "axe-core";
import type { Browser, Frame, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, withoutStream } from "./browser.ts";
import { startPrepared } from "./prepared.ts";
import type { DemoServer } from "./server.ts";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const STEP_TIMEOUT_MS = 15_000;

let server: DemoServer;
let browser: Browser;
let page: Page;
const blocked: string[] = [];

/** Tells of whatever the policy blocks, from the first script on; the console may leave some of it out. */
const TELL_OF_BLOCKED = `addEventListener("securitypolicyviolation", (event) =>
  console.error("Content Security Policy: " + event.violatedDirective + " " + event.blockedURI + " " + event.sourceFile))`;

/** A page in which everything that the policy blocks is kept in the list. */
export async function openWatched(browser: Browser, kept: string[]): Promise<Page> {
  const opened = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  opened.setDefaultTimeout(STEP_TIMEOUT_MS);
  await withoutStream(opened);
  await opened.addInitScript(TELL_OF_BLOCKED);
  opened.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) kept.push(message.text());
  });
  return opened;
}

const findings = () => findingsOf(page);

/** What axe finds on a page as it stands, one line a finding. */
export async function findingsOf(looked: Page | Frame): Promise<string[]> {
  await looked.evaluate(axe.source);
  return looked.evaluate(async (tags) => {
    type Finding = { id: string; nodes: { target: string[] }[] };
    const { axe, document } = globalThis as unknown as {
      document: unknown;
      axe: { run(context: unknown, options: object): Promise<{ violations: Finding[] }> };
    };
    // The rule for targets is off by default, although it is one of WCAG 2.2's.
    const options = { runOnly: tags, rules: { "target-size": { enabled: true } } };
    const { violations } = await axe.run(document, options);
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
  }, TAGS);
}

/** How far the page or an open dialog could be scrolled sideways, in pixels; 0 is what WCAG 1.4.10 asks for. */
export function sideways(looked: Page): Promise<number> {
  return looked.evaluate<number>(`Math.max(...[document.documentElement, ...document.querySelectorAll('[role="dialog"]')]
    .map((one) => one.scrollWidth - one.clientWidth))`);
}

/** The look changes with the window alone; afterwards it is as wide as before. */
async function expectReflow(): Promise<void> {
  await page.setViewportSize({ width: 320, height: 640 });
  await expect.poll(() => sideways(page), { timeout: STEP_TIMEOUT_MS }).toBe(0);
  await page.setViewportSize({ width: 1280, height: 900 });
}

/** What moves although somebody wishes for less motion, by its name. */
const MOVING = `document.getAnimations().filter(({ playState }) => playState === "running")
  .map((one) => one.animationName ?? one.transitionProperty ?? "")`;

interface Screen {
  name: string;
  path: string;
  /** what is clicked once the page stands */
  open?: () => Promise<void>;
}

const SCREENS: Screen[] = [
  { name: "schedule", path: "/schedule" },
  {
    name: "schedule, new consult",
    path: "/schedule",
    open: () => openBy(/Schedule a consult|Planifier/i),
  },
  { name: "schedule, list", path: "/schedule?view=list" },
  { name: "schedule, one consult", path: "/schedule?view=list", open: () => openBy(/\d\d.{1,3}\d\d – /) },
  { name: "billing", path: "/billing" },
  { name: "new invoice", path: "/billing", open: () => openBy(/^(New invoice|Nouvelle facture)$/) },
  { name: "an invoice", path: "/billing", open: openPaidInPart },
  { name: "new payment", path: "/billing", open: () => openPaidInPart().then(() => openBy(/payment$|paiement$/)) },
  { name: "refund", path: "/billing", open: () => openPaidInPart().then(openRefund) },
  { name: "packages", path: "/billing/packages" },
  { name: "gift certificates", path: "/billing/gift-certificates" },
  { name: "memberships", path: "/memberships" },
  { name: "membership plans", path: "/memberships/plans" },
  { name: "patients", path: "/patients" },
  { name: "one patient", path: "/patients/1" },
  { name: "courses and webinars", path: "/academy" },
  { name: "import", path: "/import" },
  { name: "API keys", path: "/settings/api-keys" },
  { name: "retention", path: "/settings/retention" },
  { name: "staff", path: "/settings/staff" },
  { name: "staff, invite", path: "/settings/staff", open: () => openBy(/^(Invite somebody|Inviter quelqu’un)$/) },
  { name: "one's account", path: "/settings/account" },
  { name: "second step", path: "/settings/account", open: openEnrolment },
  { name: "history", path: "/settings/history" },
  { name: "webhooks", path: "/consults/export/webhooks" },
  { name: "configure", path: "/consults/export/webhooks", open: () => openBy(/^Config/i).then(openAdvanced) },
  { name: "deliveries", path: "/deliveries" },
  { name: "test inbox", path: "/inbox" },
  { name: "notices", path: "/notices" },
  {
    name: "notices, another system",
    path: "/notices",
    open: () => openBy(/^(Set it up|Configurer)$/),
  },
];

async function openBy(name: RegExp): Promise<void> {
  await page.getByRole("main").getByRole("button", { name }).first().click();
  await page.getByRole("dialog").waitFor();
}

/** The fold with what few webhooks need. */
async function openAdvanced(): Promise<void> {
  await page.getByRole("button", { name: /^(Advanced settings|Réglages avancés)$/ }).click();
  await page.getByRole("checkbox", { name: /key pair|paire de clés/ }).waitFor();
}

/** The demo's invoice that is paid in part. */
async function openPaidInPart(): Promise<void> {
  await page.getByRole("link", { name: /Paid in part|Payée en partie/ }).click();
  await page.getByRole("heading", { name: /INV-/, level: 1 }).waitFor();
}

/** Up to the picture for the app; nothing is turned on. */
async function openEnrolment(): Promise<void> {
  await openBy(/^(Turn on the second step|Activer la deuxième étape)$/);
  await page.getByRole("dialog").locator('input[type="password"]').fill(server.password);
  await page.getByRole("button", { name: /^(Continue|Continuer)$/ }).click();
  await page.getByRole("img", { name: /authenticator app|authentification/ }).waitFor();
}

async function openRefund(): Promise<void> {
  await page.getByRole("main").getByRole("listitem").getByRole("button").click();
  await page.getByRole("menuitem", { name: /^(Refund|Rembourser)/ }).click();
  await page.getByRole("dialog").waitFor();
}

export interface Look {
  readonly language: "en" | "fr-CA";
  readonly theme: "light" | "dark";
}

/** Declares the tests of every screen in the given looks. */
export function describeScreens(looks: readonly Look[]): void {
  beforeAll(async () => {
    [server, browser] = await Promise.all([startPrepared(), launchBrowser()]);
    page = await openWatched(browser, blocked);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  describeEntrance();
  describe.each(looks)("in $language, $theme", describeLook);
}

function describeEntrance(): void {
  describe("the sign-in page", () => {
    test("has no finding", async () => {
      await page.goto(server.origin);
      await page.getByLabel("E-mail").waitFor();
      expect(await findings()).toEqual([]);
      await expectReflow();
      await page.getByLabel("E-mail").fill(server.email);
      await page.getByLabel("Password", { exact: true }).fill(server.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("navigation", { name: "Main" }).waitFor();
    });
  });

  describe("the portal", () => {
    test("has no finding, before and after somebody was told what is missing", async () => {
      await page.goto(`${server.origin}/portal/example-physio-demo`);
      await page.getByRole("button", { name: "Create my account" }).waitFor();
      expect(await findings()).toEqual([]);
      await page.getByRole("button", { name: "Create my account" }).click();
      await page.getByText("Enter your name.").waitFor();
      expect(await findings()).toEqual([]);
      await expectReflow();
    });
  });
}

function describeLook({ language, theme }: Look): void {
  beforeAll(async () => {
    await page.goto(`${server.origin}/schedule`);
    await page.getByRole("banner").waitFor();
    await page.emulateMedia({ reducedMotion: theme === "dark" ? "reduce" : "no-preference" });
    const wantsLanguage = page.getByRole("button", { name: language === "en" ? "English" : "Français" });
    if (await wantsLanguage.isVisible()) await wantsLanguage.click();
    const wantsTheme = page.getByRole("button", {
      name: theme === "dark" ? /dark colours|couleurs sombres|foncé/i : /light colours|couleurs claires|clair/i,
    });
    if (await wantsTheme.isVisible()) await wantsTheme.click();
  });

  test.each(SCREENS)("$name has no finding", async ({ path, open }) => {
    await page.goto(server.origin + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForLoadState("networkidle");
    await open?.();
    expect(await page.locator("html").getAttribute("lang")).toBe(language);
    expect(await page.locator("html").getAttribute("data-mantine-color-scheme")).toBe(theme);
    expect(await findings()).toEqual([]);
    if (theme === "dark") expect(await page.evaluate<string[]>(MOVING)).toEqual([]);
    await expectReflow();
  });

  test("nothing was blocked", () => {
    expect(blocked).toEqual([]);
  });
}
