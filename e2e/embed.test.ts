/**
 * Embedded: another software's page holds ours in a frame. The example of examples/embed is the host, the demo the server,
 * and a real browser decides who may frame what.
 */
import { gzipSync } from "node:zlib";
import type { Browser, Frame, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findingsOf } from "./accessibility.ts";
import { launchBrowser, withoutPace } from "./browser.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { fillWithPatients } from "./configure-dialog.ts";
import { type ExampleHost, startExampleHost, startFramer } from "./example-host.ts";
import { startPrepared } from "./prepared.ts";
import type { DemoServer } from "./server.ts";

const STEP_TIMEOUT_MS = 15_000;
const DESK = { width: 1280, height: 900 };
/** Gzip. */
const COMPONENT_MAX_BYTES = 5_000;

let server: DemoServer;
let manager: ApiClient;
let browser: Browser;
let example: ExampleHost;
let host: string;
let page: Page;
let blocked: string[];

beforeAll(async () => {
  [server, browser] = await Promise.all([startPrepared({ env: { HOOKWELL_ALLOW_LOOPBACK: "true" } }), launchBrowser()]);
  manager = await signIn(server);
  example = await startExampleHost(server, manager);
  host = example.origin;
});
afterAll(async () => {
  example?.close();
  await browser?.close();
  await server?.close();
});
afterEach(async () => {
  await page?.close();
});

/** Opens the host's page as one of its people, and waits for what is in the frame. */
async function open(query = "", { viewport = DESK, prepare = async (_: Page) => {} } = {}): Promise<Frame> {
  page = await browser.newPage({ viewport });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  await prepare(page);
  blocked = [];
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) blocked.push(message.text());
  });
  await page.goto(`${host}/${query}`);
  const frame = await frameOf(page);
  await frame.getByRole("heading", { level: 1 }).waitFor();
  return frame;
}

async function frameOf(shown: Page): Promise<Frame> {
  const element = await shown.locator("hookwell-webhooks iframe").elementHandle();
  const frame = await element?.contentFrame();
  if (!frame) throw new Error("there is no frame");
  return frame;
}

/** As the host's own script does. */
const giveLink = (link: string) =>
  page
    .locator("hookwell-webhooks")
    .evaluate((component, given) => Object.assign(component, { link: given }) && null, link);

const news = (text: RegExp | string) => page.getByRole("status").filter({ hasText: text }).first().waitFor();

describe("in the frame", () => {
  test("a webhook is made, tested and its delivery is seen; the host hears of it, and the history names its user", async () => {
    const frame = await open();
    await news("Webhooks are open.");
    await frame.getByText(/Everything that is sent stands under Deliveries/).waitFor();
    await frame.getByRole("button", { name: "Configure Consults" }).click();
    const dialog = frame.getByRole("dialog", { name: "New webhook" });
    await fillWithPatients(dialog);
    await dialog.getByRole("button", { name: "Send a test" }).click();
    await dialog.getByText(/It answered 200/).waitFor();
    await dialog.getByRole("button", { name: "Save webhook" }).click();
    await frame.getByText(/whsec_/).waitFor();
    await news("A webhook was changed.");
    await frame.getByRole("button", { name: "Done" }).click();
    await frame.getByRole("link", { name: "Deliveries of Test inbox" }).click();
    await frame.getByRole("list", { name: "Deliveries" }).getByRole("link").first().click();
    await frame.getByRole("dialog").getByText("Delivered", { exact: true }).first().waitFor();
    const { data } = await manager.get<{ data: { action: string; actor: { id: string; name: string } }[] }>("/audit");
    const made = data.find(({ action }) => action === "webhook.created");
    expect(made?.actor).toEqual({ id: expect.stringMatching(/^embed:\d+:u-1001$/), name: "Robin Example" });
    expect(blocked).toEqual([]);
  });

  test("patients stand in what was sent as dots, with the way to see them, which is not here", async () => {
    await manager.post("/consults", { ...(await oneToOne(manager)), start_time: "2030-01-07T09:00" });
    const frame = await open();
    await frame.getByRole("link", { name: "Deliveries", exact: true }).click();
    await frame.getByRole("list", { name: "Deliveries" }).getByRole("link").first().click();
    const drawer = frame.getByRole("dialog");
    await drawer.getByText(/A manager of the clinic who signs in to Hookwell can show them/).waitFor();
    expect(await drawer.getByRole("button", { name: "Show them" }).count()).toBe(0);
  });

  test("whoever may only look finds no way to change anything", async () => {
    const frame = await open("?as=reader");
    await frame.getByRole("heading", { name: "Test inbox" }).waitFor();
    expect(await findingsOf(frame)).toEqual([]);
    for (const name of [/^Configure/, /^New webhook/, /^Edit/, /^Delete/]) {
      expect(await frame.getByRole("button", { name }).count()).toBe(0);
    }
    expect(await frame.getByRole("switch").count()).toBe(0);
    await frame.getByRole("link", { name: "Deliveries of Test inbox" }).click();
    await frame.getByRole("list", { name: "Deliveries" }).getByRole("link").first().click();
    await frame.getByRole("dialog").getByRole("heading", { level: 4 }).first().waitFor();
    expect(await frame.getByRole("button", { name: /^Send again/ }).count()).toBe(0);
  });

  test("whoever may manage, but not turn patients' data on, sees that box closed with the reason, and no secret", async () => {
    const frame = await open("?as=assistant");
    await frame.getByRole("button", { name: "Configure Invoices and packages" }).click();
    const dialog = frame.getByRole("dialog");
    const box = dialog.getByRole("checkbox", { name: "Patient", exact: true });
    expect(await box.isDisabled()).toBe(true);
    await dialog
      .getByText(/does not let you turn patients’ data on here/)
      .first()
      .waitFor();
    await dialog.getByRole("button", { name: "Use the test inbox" }).click();
    await dialog.getByLabel("Name", { exact: true }).fill("Without a secret");
    await dialog
      .getByRole("checkbox", { name: /^Everything/ })
      .first()
      .check();
    await dialog.getByRole("button", { name: "Save webhook" }).click();
    await frame.getByText(/does not show you signing secrets/).waitFor();
    expect(await frame.getByText(/whsec_/).count()).toBe(0);
  });

  test("nothing is kept in the browser: no cookie, no storage, and no token in any address", async () => {
    const frame = await open();
    await frame.getByRole("button", { name: "Configure Consults" }).click();
    await frame
      .getByRole("dialog")
      .getByLabel("Address", { exact: true })
      .fill("https://hooks.example.test/a-credential");
    const kept = await frame.evaluate("[document.cookie, localStorage.length, sessionStorage.length, location.hash]");
    expect(kept).toEqual(["", 0, 0, ""]);
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.locator("hookwell-webhooks").getAttribute("link")).toBeNull();
  });
});

describe("what happens elsewhere", () => {
  test("appears without a reload and without being asked for, and what happened while the connection was cut as well", async () => {
    const { url } = await manager.get<{ url: string }>("/inbox");
    const { id } = await manager.post<{ id: number }>("/webhooks", {
      name: "Live",
      url,
      events: ["participant.added"],
    });
    const consult = await oneToOne(manager);
    const book = (day: number) => manager.post("/consults", { ...consult, start_time: `2030-02-0${day}T07:15` });
    const delivered = async () =>
      (await manager.get<{ data: object[] }>(`/deliveries?webhook_id=${id}&state=delivered`)).data.length;
    const resumed: (string | undefined)[] = [];
    let isCut = false;
    let refused = 0;
    const frame = await open("?as=reader", {
      prepare: async (opened) => {
        await withoutPace(opened);
        await opened.route("**/v1/stream", async (route) => {
          if (!isCut) {
            resumed.push((await route.request().allHeaders())["last-event-id"]);
            return route.continue();
          }
          refused += 1;
          return route.abort();
        });
      },
    });
    await frame.getByRole("link", { name: "Deliveries of Live" }).click();
    const list = frame.getByRole("list", { name: "Deliveries" });
    const shown = list.getByRole("link").filter({ hasText: "Delivered" });
    await frame.getByText("No delivery matches").waitFor();
    await expect.poll(() => resumed.length).toBe(1);
    await book(1);
    await expect.poll(() => shown.count()).toBe(1);

    isCut = true;
    await server.kill();
    await server.start();
    manager = await signIn(server);
    // After the first, the lists are asked for once; from the second on, only the stream can bring anything.
    await expect.poll(() => refused).toBeGreaterThan(1);
    await book(2);
    await expect.poll(delivered).toBe(2);
    isCut = false;
    await expect.poll(() => shown.count(), { timeout: 60_000 }).toBe(2);
    expect(resumed).toEqual([undefined, expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)]);
  });
});

describe("a session that ends", () => {
  test("is told to the host, which brings the next one; what was typed is still there", async () => {
    const frame = await open();
    await frame.getByRole("button", { name: "Configure Consults" }).click();
    const dialog = frame.getByRole("dialog", { name: "New webhook" });
    await dialog.getByLabel("Name", { exact: true }).fill("Typed before the end");
    const heard = page.evaluate(
      "new Promise((heard) => document.querySelector('hookwell-webhooks').addEventListener('expired', () => heard('expired')))",
    );
    await page.evaluate("fetch('/sign-out?as=owner', { method: 'POST' })");
    await dialog.getByLabel("Address", { exact: true }).fill("https://hooks.example.test/in");
    await dialog.getByLabel("Name", { exact: true }).focus();
    expect(await heard).toBe("expired");
    await news("Webhooks are open.");
    expect(await dialog.getByLabel("Name", { exact: true }).inputValue()).toBe("Typed before the end");
    await dialog.getByRole("button", { name: "Use the test inbox" }).click();
    await expect.poll(() => dialog.getByLabel("Address", { exact: true }).inputValue()).toMatch(/\/inbox\//);
  });
});

describe("a link", () => {
  test("that was used is refused in plain words, in the frame and to the host", async () => {
    page = await browser.newPage();
    const link = await example.newLink();
    await page.goto(`${host}/host.css`);
    await fetch(`${server.origin}/embed/exchange`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ link: link.split("#")[1] }),
    });
    await page.goto(`${host}/?as=reader`);
    await news("Webhooks are open.");
    await giveLink(link);
    await news("Webhooks: link_used");
    const frame = await frameOf(page);
    await frame.getByText(/was used before, so the page is closed/).waitFor();
  });

  test("opens in no frame of a page that its key does not name", async () => {
    const link = await example.newLink();
    const foreign = await startFramer(link);
    try {
      page = await browser.newPage();
      await page.goto(foreign.origin);
      await expect.poll(() => blockedFrames(page)).toEqual(["chrome-error://chromewebdata/"]);
      // It was not even opened: the link is as good as new where it belongs.
      const frame = await open("?as=reader");
      expect(frame.url()).toContain("/embed/");
      await giveLink(link);
      await news("Webhooks are open.");
    } finally {
      foreign.server.close();
    }
  });

  test("is the only thing of this server that opens in a frame: the page itself does not", async () => {
    const foreign = await startFramer(`${server.origin}/sign-in`);
    try {
      page = await browser.newPage();
      await page.goto(foreign.origin);
      await expect.poll(() => blockedFrames(page)).toEqual(["chrome-error://chromewebdata/"]);
    } finally {
      foreign.server.close();
    }
  });
});

function blockedFrames(shown: Page): string[] {
  return shown
    .frames()
    .filter((frame) => frame !== shown.mainFrame())
    .map((frame) => frame.url());
}

describe("the frame", () => {
  test("is as high as what it shows, and a dialog in it stands where the eye is", async () => {
    const frame = await open("", { viewport: { width: 1280, height: 700 } });
    const gap = async () => {
      const seen = await heights(frame);
      return Math.abs(seen.frame - seen.content);
    };
    await expect.poll(gap).toBeLessThanOrEqual(1);
    expect((await heights(frame)).frame).toBeGreaterThan(700);
    const configure = frame.getByRole("button", { name: "Configure Memberships" });
    await configure.scrollIntoViewIfNeeded();
    await configure.click();
    const dialog = frame.getByRole("dialog", { name: "New webhook" });
    await dialog.getByRole("heading", { name: "New webhook" }).waitFor();
    await expect.poll(async () => bottomOf(await dialog.boundingBox())).toBeLessThanOrEqual(700);
  });

  test("speaks French in the host's dark colours, corners and size, has no finding, and nothing was blocked", async () => {
    const frame = await open("?language=fr-CA&color-scheme=dark&accent=%23d81b60&radius=large&font-size=large");
    const html = frame.locator("html");
    await expect.poll(() => html.getAttribute("lang")).toBe("fr-CA");
    await expect.poll(() => html.getAttribute("data-mantine-color-scheme")).toBe("dark");
    expect(await frame.evaluate("getComputedStyle(document.documentElement).fontSize")).toBe("18px");
    expect(await findingsOf(frame)).toEqual([]);
    await frame
      .getByRole("button", { name: /^Config/ })
      .first()
      .click();
    await frame.getByRole("dialog").getByRole("button", { name: /essai/i }).first().waitFor();
    expect(await findingsOf(frame)).toEqual([]);
    expect(blocked).toEqual([]);
  });

  test("listens to nobody but its host, and the host's component to nobody but its frame", async () => {
    const frame = await open();
    const scheme = () => frame.locator("html").getAttribute("data-mantine-color-scheme");
    const tellFrame = (origin: string) =>
      frame.evaluate(`window.dispatchEvent(new MessageEvent("message", { source: window.parent, origin: "${origin}",
        data: { hookwell: 1, type: "theme", theme: { color_scheme: "dark" } } }))`);
    await tellFrame("https://elsewhere.example.test");
    await frame.evaluate(`window.postMessage({ hookwell: 1, type: "theme", theme: { color_scheme: "dark" } }, "*")`);
    expect(await scheme()).toBe("light");
    await tellFrame(host);
    await expect.poll(scheme).toBe("dark");

    const height = () =>
      page
        .locator("hookwell-webhooks iframe")
        .evaluate((frame) => (frame as unknown as { style: { height: string } }).style.height);
    const tellHost = (source: string, origin: string) =>
      page.evaluate(`{ const frame = document.querySelector("hookwell-webhooks").shadowRoot.querySelector("iframe");
        window.dispatchEvent(new MessageEvent("message", { source: ${source}, origin: "${origin}",
          data: { hookwell: 1, type: "height", height: 7777 } })) }`);
    await tellHost("frame.contentWindow", "https://elsewhere.example.test");
    await tellHost("window", server.origin);
    expect(await height()).not.toBe("7777px");
    await tellHost("frame.contentWindow", server.origin);
    expect(await height()).toBe("7777px");
  });

  test("comes by a script of at most 5 kB that needs no other", async () => {
    const script = await (await fetch(`${server.origin}/embed/hookwell-webhooks.js`)).text();
    expect(gzipSync(script).length).toBeLessThan(COMPONENT_MAX_BYTES);
    expect(script).not.toMatch(/\bimport\b|\bexport\b/);
  });

  test("fits a phone: nothing reaches beyond its width", async () => {
    const frame = await open("", { viewport: { width: 360, height: 740 } });
    const wide = await frame.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    expect(wide).toBe(0);
  });
});

async function heights(frame: Frame): Promise<{ frame: number; content: number }> {
  const [outer, inner] = await Promise.all([
    page.locator("hookwell-webhooks iframe").boundingBox(),
    frame.locator("#root").boundingBox(),
  ]);
  return { frame: outer?.height ?? 0, content: Math.ceil(inner?.height ?? 0) };
}

const bottomOf = (box: { y: number; height: number } | null) => (box === null || box.y < 0 ? NaN : box.y + box.height);
