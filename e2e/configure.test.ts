/** The Configure dialog as a manager uses and misuses it: what is edited stays itself, what was typed is not lost, and nothing happens twice. */
import { verify } from "@hookwell/sdk";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApiClient } from "./client.ts";
import { type Desk, openDesk } from "./desk.ts";

let desk: Desk;
let page: Page;
let api: ApiClient;

interface Named {
  id: number;
  name: string;
  draft: boolean;
}

beforeAll(async () => {
  desk = await openDesk({ path: "/consults/export/webhooks" });
  ({ page, api } = desk);
  await page.getByText("You have no webhook yet.").waitFor();
});
afterAll(() => desk?.close());

const webhooks = async () => (await api.get<{ data: Named[] }>("/webhooks")).data;
const inbox = () => api.get<{ url: string; messages: { signature: { verified: boolean } }[] }>("/inbox");

async function configure(): Promise<Locator> {
  await page.getByRole("button", { name: "Configure Consults" }).click();
  const dialog = page.getByRole("dialog", { name: "New webhook" });
  await dialog.getByLabel("Address").waitFor();
  return dialog;
}

async function focused(): Promise<string> {
  return page.evaluate(() => {
    const { document } = globalThis as unknown as {
      document: { activeElement: { getAttribute(name: string): string | null; id: string } | null };
    };
    return document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.id ?? "";
  });
}

/** The labels of buttons whose letters are higher than the label, which shows nothing beyond itself. */
const CUT_OFF = `[...document.querySelectorAll('[role="dialog"] .mantine-Button-label')].filter((label) => {
  const words = document.createRange();
  words.selectNodeContents(label);
  return words.getBoundingClientRect().bottom > label.getBoundingClientRect().bottom + 0.5;
}).map((label) => label.innerText)`;

describe("a manager in the Configure dialog", () => {
  test("begins in the address, and is back on the button after Escape", async () => {
    await configure();
    await expect.poll(focused).toBe("configure-url");
    await page.keyboard.press("Escape");
    await expect.poll(focused).toBe("Configure Consults");
  });

  test("sees the whole foot in a window as narrow as a phone, and no letter of a button cut off", async () => {
    const size = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 780 });
    const dialog = await configure();
    for (const name of ["Cancel", "Save webhook"]) {
      const box = await dialog.getByRole("button", { name, exact: true }).boundingBox();
      expect(box?.y).toBeGreaterThan(0);
      expect((box?.y ?? 780) + (box?.height ?? 0)).toBeLessThan(780);
    }
    expect(await page.evaluate<string[]>(CUT_OFF)).toEqual([]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    if (size !== null) await page.setViewportSize(size);
  });

  test("is asked before what was typed is thrown away, by Escape and by Back; and a draft that a test made goes", async () => {
    const dialog = await configure();
    await dialog.getByRole("button", { name: "Use the test inbox" }).click();
    await dialog.getByText(/^We found/).waitFor();
    await dialog.getByRole("button", { name: "Send a test" }).click();
    await dialog.getByText(/It answered 200/).waitFor();
    expect(await webhooks()).toMatchObject([{ draft: true }]);
    const question = page.getByRole("dialog", { name: "Discard what you typed?" });
    await page.goBack();
    await question.getByRole("button", { name: "Keep editing" }).click();
    await question.waitFor({ state: "hidden" });
    await page.keyboard.press("Escape");
    await question.getByRole("button", { name: "Discard" }).click();
    await dialog.waitFor({ state: "hidden" });
    await expect.poll(webhooks).toEqual([]);
  });

  test("makes one webhook and one consult, however often the button is clicked", async () => {
    const dialog = await configure();
    await dialog.getByRole("button", { name: "Use the test inbox" }).click();
    await dialog.getByText(/^We found/).waitFor();
    await dialog
      .getByRole("checkbox", { name: /^Everything/ })
      .first()
      .check();
    await dialog.getByRole("button", { name: "Save webhook" }).dblclick();
    await page.getByText(/whsec_/).waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    expect(await webhooks()).toHaveLength(1);

    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Schedule" }).click();
    await page.getByRole("button", { name: "Schedule a consult" }).click();
    const consult = page.getByRole("dialog", { name: "Schedule a consult" });
    const start = consult.getByLabel("Start");
    await start.fill((await start.inputValue()).replace(/T\d\d:\d\d/, "T05:15"));
    await consult.getByRole("button", { name: "Schedule", exact: true }).click();
    await consult.getByText("Choose a patient.").waitFor();
    await consult.getByRole("radio").first().check();
    await consult.getByRole("button", { name: "Schedule", exact: true }).dblclick();
    await consult.waitFor({ state: "hidden" });
    expect(await page.getByRole("button", { name: /^05:15/ }).count()).toBe(1);
    await page.getByRole("link", { name: "See what was sent" }).click();
    await page.getByRole("button", { name: /^Remove the filter “About: Consult/ }).waitFor();
  });

  test("tests an edited webhook with its own secret, makes no other one, and a new secret does not get in the way of Save", async () => {
    await page.goto(`${desk.server.origin}/consults/export/webhooks`);
    await page.getByRole("button", { name: "Edit Test inbox" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit “Test inbox”" });
    await dialog.getByRole("checkbox", { name: "Practitioner", exact: true }).check();
    await dialog.getByRole("button", { name: "Send a test" }).click();
    await dialog.getByText(/It answered 200/).waitFor();
    expect(await webhooks()).toHaveLength(1);
    const { messages } = await inbox();
    expect(messages[0]?.signature.verified).toBe(true);

    await dialog.getByRole("button", { name: "New secret" }).click();
    const question = page.getByRole("dialog", { name: "Make a new secret for Test inbox?" });
    await question.getByRole("button", { name: "New secret" }).click();
    await page.getByText(/whsec_/).waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await dialog.getByText(/^The old secret is still valid until/).waitFor();
    await dialog.getByRole("button", { name: "Revoke the old secret now" }).click();
    const revocation = page.getByRole("dialog", { name: "Revoke the old secret of Test inbox now?" });
    await revocation.getByRole("button", { name: "Revoke the old secret now" }).click();
    await dialog.getByText("The old secret is revoked.").waitFor();
    await expect.poll(() => page.evaluate("document.activeElement?.textContent")).toBe("New secret");
    await dialog.getByRole("textbox", { name: "Name" }).fill("");
    await dialog.getByRole("button", { name: "Save webhook" }).click();
    await dialog.waitFor({ state: "hidden" });
    expect(await webhooks()).toMatchObject([{ name: new URL((await inbox()).url).hostname }]);
  });

  test("has messages signed by a key pair, too, and finds the public key where receivers find it", async () => {
    const edit = async () => {
      await page
        .getByRole("main")
        .getByRole("button", { name: /^Edit / })
        .click();
      const dialog = page.getByRole("dialog", { name: /^Edit/ });
      await dialog.getByLabel("Address", { exact: true }).waitFor();
      return dialog;
    };
    const first = await edit();
    await first.getByRole("button", { name: "Advanced settings" }).click();
    await first.getByRole("checkbox", { name: "Also sign with a key pair" }).check();
    await first.getByText("Once the webhook is saved, you find its public key here.").waitFor();
    await first.getByRole("button", { name: "Save webhook" }).click();
    await first.waitFor({ state: "hidden" });

    const again = await edit();
    const key = await again.getByText(/^whpk_/).textContent();
    const address = await again.getByText(/\/\.well-known\//).textContent();
    await again.getByRole("button", { name: "Copy the public key" }).waitFor();
    const published = (await (await fetch(address ?? "")).json()) as { keys: { public_key: string }[] };
    expect(published.keys.map(({ public_key }) => public_key)).toEqual([key]);
    await again.getByRole("button", { name: "Send a test" }).click();
    await again.getByText(/It answered 200/).waitFor();
    const [message] = (await api.get<{ messages: { headers: Record<string, string>; body: string }[] }>("/inbox"))
      .messages;
    const { headers = {}, body = "" } = message ?? {};
    const secrets = key ?? "";
    expect(await verify({ headers, body, secrets, nowSeconds: Date.now() / 1_000 })).toMatchObject({ ok: true });
    await page.keyboard.press("Escape");
    await again.waitFor({ state: "hidden" });
  });

  test("signs out in the middle of typing: what was typed is kept over a reload, but not for the next person", async () => {
    const dialog = await configure();
    await dialog.getByLabel("Address").fill("https://hooks.example.test/secret-path");
    const kept = () => page.evaluate("JSON.stringify(sessionStorage)");
    await expect.poll(kept).toContain("secret-path");
    await page.reload();
    // The dialog opens again by itself, with what was typed, and stands before the rest of its page.
    await expect.poll(() => dialog.getByLabel("Address").inputValue()).toContain("secret-path");
    await page.goto(`${desk.server.origin}/schedule`);
    expect(await kept()).toContain("secret-path");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("E-mail").waitFor();
    expect(await kept()).not.toContain("secret-path");
  });
});
