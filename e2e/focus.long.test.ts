/**
 * What has the keyboard's focus goes away, in every place where it can (WCAG 2.4.3, 2.4.7): the focus is then on what is next
 * to it, and never nowhere. By keys alone.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Desk, openDesk } from "./desk.ts";

let desk: Desk;
let page: Page;

beforeAll(async () => {
  desk = await openDesk({ path: "/patients", webhook: { events: ["participant.added"] } });
  ({ page } = desk);
  await page.getByRole("heading", { name: "Patients" }).waitFor();
});
afterAll(() => desk?.close());

/** What has the focus, by its name: nothing where that is the document itself. */
const FOCUSED = `(() => {
  const one = document.activeElement;
  if (one === null || one === document.body) return 'nothing';
  if (one.matches('main')) return 'the page';
  const labels = [...(one.labels ?? [])].map((label) => label.innerText);
  const name = one.getAttribute('aria-label') ?? (labels.length > 0 ? labels.join(' ') : one.innerText);
  return name.trim() || one.outerHTML.slice(0, 200);
})()`;

/** Whether somebody sees where it is; of a page or a dialog as a whole, nothing is seen. */
const SEEN = `(() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
})()`;

async function expectFocus(name: RegExp): Promise<void> {
  await expect.poll(() => page.evaluate<string>(FOCUSED)).toMatch(name);
  expect(await page.evaluate<boolean>(SEEN)).toBe(true);
}

const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });

/** As from the keyboard: the focus comes by a key, so that it is seen. */
async function press(target: ReturnType<typeof button>, key = "Enter"): Promise<void> {
  await target.focus();
  await page.keyboard.press("Shift");
  await target.press(key);
}

async function open(path: string, heading: string): Promise<void> {
  await page.goto(desk.server.origin + path);
  await page.getByRole("heading", { name: heading, exact: true, level: 1 }).waitFor();
}

describe("when a list that showed nothing shows all again, the focus is in the list or at what narrows it", () => {
  test.each([
    ["Deliveries", "/deliveries?state=failed", "Show all deliveries"],
    ["History", "/settings/history?action=staff.removed", "Show all"],
    ["Billing", "/billing?number=nothing-like-it", "Show all"],
    ["Memberships", "/memberships?state=cancelled", "Show all"],
  ])("%s", async (heading, path, all) => {
    await open(path, heading);
    await press(button(all));
    await button(all).waitFor({ state: "detached" });
    await expectFocus(/^(?!nothing$|the page$)/);
    expect(await page.evaluate("document.activeElement.closest('main') !== null")).toBe(true);
  });

  test("Patients", async () => {
    await open("/patients", "Patients");
    await page.getByRole("searchbox").fill("nobody of this name");
    await press(button("Show all"));
    await button("Show all").waitFor({ state: "detached" });
    await expectFocus(/^(?!nothing$|the page$)/);
  });
});

test("a filter that is taken off leaves the focus among the filters", async () => {
  await open("/deliveries?subject=consult%3A1", "Deliveries");
  await press(button(/^Remove the filter/));
  await button(/^Remove the filter/).waitFor({ state: "detached" });
  await expectFocus(/^More filters$/);
});

describe("when a row goes, the focus is on the one that follows it, or before it", () => {
  test("of API keys", async () => {
    for (const name of ["First", "Second", "Third"]) await desk.api.post("/api-keys", { name, scopes: ["feed"] });
    await open("/settings/api-keys", "API keys");
    const revoke = async (name: string) => {
      await press(button(`Revoke the key “${name}”`));
      await press(page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }));
      await button(`Revoke the key “${name}”`).waitFor({ state: "detached" });
    };
    await button("Revoke the key “Second”").waitFor();
    await revoke("Second");
    await expectFocus(/^Revoke the key “(First|Third)”$/);
    await revoke("First");
    await expectFocus(/^Revoke the key “Third”$/);
    await revoke("Third");
    await expectFocus(/^(?!nothing$|the page$)/);
  });

  test("of invitations", async () => {
    for (const one of ["ann", "ben"]) {
      await desk.api.post("/invitations", { email: `${one}.invited@example.test`, role: "front_desk" });
    }
    await open("/settings/staff", "Staff");
    const withdraw = (one: string) => button(`Withdraw the invitation of ${one}.invited@example.test`);
    await press(withdraw("ann"));
    await withdraw("ann").waitFor({ state: "detached" });
    await expectFocus(/ben\.invited@example\.test/);
    await press(withdraw("ben"));
    await withdraw("ben").waitFor({ state: "detached" });
    await expectFocus(/^(?!nothing$|the page$)/);
  });

  test("of webhooks", async () => {
    const url = "https://elsewhere.example.test/hook";
    await desk.api.post("/webhooks", { name: "Elsewhere", url, events: ["consult.updated"] });
    await open("/consults/export/webhooks", "Webhooks");
    await press(button("Delete Elsewhere"));
    await press(page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }));
    await button("Delete Elsewhere").waitFor({ state: "detached" });
    await expectFocus(/Test inbox/);
  });

  test("of an invoice's lines", async () => {
    await open("/billing", "Billing");
    await press(button("New invoice"));
    const dialog = page.getByRole("dialog");
    await press(dialog.getByRole("button", { name: "Add a line" }));
    await press(dialog.getByRole("button", { name: /^Remove / }).last());
    await expect.poll(() => dialog.getByRole("button", { name: /^Remove / }).count()).toBeLessThan(2);
    await expectFocus(/^(?!nothing$|the page$)/);
    expect(await page.evaluate("document.activeElement.closest('[role=\"dialog\"]') !== null")).toBe(true);
  });
});

test("while somebody else takes a row away, the focus goes on to what follows it", async () => {
  const { id } = await desk.api.post<{ id: number }>("/webhooks", {
    ...{ name: "Short-lived", url: "https://elsewhere.example.test/hook", events: ["consult.updated"] },
  });
  await open("/consults/export/webhooks", "Webhooks");
  await button("Delete Short-lived").focus();
  await page.keyboard.press("Shift");
  expect((await desk.api.raw("DELETE", `/webhooks/${id}`)).status).toBeLessThan(300);
  await button("Delete Short-lived").waitFor({ state: "detached" });
  await expectFocus(/^(?!nothing$|the page$)/);
});

describe("a step of a dialog that takes the place of another has the focus", () => {
  test("of a new API key, and when it is closed, the button is focused that opened it", async () => {
    await open("/settings/api-keys", "API keys");
    await press(button("New key"));
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Fourth");
    await press(dialog.getByRole("button", { name: "Create the key" }));
    await dialog.getByText("It is shown this once.").waitFor();
    expect(await page.evaluate("document.activeElement.closest('[role=\"dialog\"]') !== null")).toBe(true);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await expectFocus(/^New key$/);
  });
});

test("a button that is disabled while its act runs has the focus again afterwards", async () => {
  await open("/consults/export/webhooks", "Webhooks");
  await press(button("Edit Test inbox"));
  const dialog = page.getByRole("dialog");
  await press(dialog.getByRole("button", { name: "Send a test" }));
  await dialog.getByText(/^It answered 200 OK/).waitFor();
  await expectFocus(/^Send a test$/);
  await page.keyboard.press("Escape");
});

test("who clicks beside everything has the focus nowhere, and it stays so while the page changes", async () => {
  await open("/settings/api-keys", "API keys");
  await button(/^Revoke the key/)
    .first()
    .focus();
  await page.mouse.click(700, 880);
  await desk.api.post("/api-keys", { name: "Fifth", scopes: ["feed"] });
  await page.evaluate("document.querySelector('main').append(document.createElement('p'))");
  await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 50)))");
  expect(await page.evaluate<string>(FOCUSED)).toMatch(/^(nothing|the page)$/);
});
