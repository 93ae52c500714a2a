/** A manager brings in a file: told what is wrong with it, then what would come of it; nothing is sent unless asked for. */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApiClient } from "./client.ts";
import { type Desk, openDesk } from "./desk.ts";

let desk: Desk;
let page: Page;
let api: ApiClient;

beforeAll(async () => {
  desk = await openDesk({
    path: "/import",
    webhook: { events: ["participant.added"], include: { practitioner: "off", patient: "off" } },
  });
  ({ page, api } = desk);
  await page.getByRole("heading", { name: "Import", level: 1 }).waitFor();
});
afterAll(() => desk?.close());

const consultOf = (start: string, service = "Pilates class") =>
  `start_time,service,practitioner,patients\n${start},${service},pat.pretend@example.test,patient.one@example.test\n`;
const messages = async () => (await api.get<{ messages: { body: string }[] }>("/inbox")).messages;
const imported = async (day: string, next: string) =>
  (await api.get<{ data: unknown[] }>(`/consults?from=${day}&to=${next}`)).data.length;

async function check(kind: string, csv: string): Promise<void> {
  await page.getByRole("link", { name: "Import", exact: true }).click();
  await page.getByLabel("What is in the file?").selectOption({ label: kind });
  const file = { name: "sample.csv", mimeType: "text/csv", buffer: Buffer.from(csv) };
  await page.locator('input[type="file"]').setInputFiles(file);
  await page.getByRole("button", { name: "Check the file" }).click();
}

async function importNow(words: string): Promise<void> {
  await page.getByRole("button", { name: "Import now" }).click();
  const question = page.getByRole("dialog", { name: "Import now?" });
  await question.getByText(words).waitFor();
  await question.getByRole("button", { name: "Import now" }).dblclick();
  await page.getByText("1 consult was added.").waitFor();
}

describe("a manager", () => {
  test("is told at the field that a file is none, and by a list of lines what is wrong in one", async () => {
    await check("Patients", "phone\n1\n");
    await page.getByText("The first line names a column that is not known.").waitFor();
    await check("Consults", consultOf("2025-03-04 09:00", "Unheard of"));
    await page.getByText("1 mistake found. Nothing was imported.").waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download the mistakes" }).click();
    const list = await readFile(await (await download).path(), "utf8");
    expect(list).toMatch(/^\uFEFFline,column,what is wrong\r\n2,service,/);
    await page.getByRole("link", { name: "Import another file" }).click();
  });

  test("imports silently, unless asked otherwise: the consult is there, and nothing is sent", async () => {
    await check("Consults", consultOf("2025-03-04 09:00"));
    await page.getByText("1 consult would be added.").waitFor();
    expect(await imported("2025-03-04", "2025-03-05")).toBe(0);
    await importNow("Nothing is sent to other systems.");
    expect(await imported("2025-03-04", "2025-03-05")).toBe(1);
    expect(await page.getByRole("link", { name: "See what was sent" }).count()).toBe(0);
  });

  test("sends what a consult entered by hand sends, when asked: only that one arrives", async () => {
    await check("Consults", consultOf("2025-03-05 09:00"));
    await page.getByRole("radio", { name: "Send messages as if it were entered by hand" }).check();
    await importNow("1 event is sent to every webhook that listens. It cannot be called back.");
    await expect.poll(async () => (await messages()).length, { timeout: 20_000 }).toBe(1);
    const [{ body } = { body: "" }] = await messages();
    expect(JSON.parse(body)).toMatchObject([{ consult: { start_time: "2025-03-05T09:00:00-05:00" } }]);
  });

  test("makes a key for another program, sees it once, and revokes it", async () => {
    await page.getByRole("link", { name: "API keys" }).click();
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByLabel("Name").fill("Invented reception");
    await page.getByRole("button", { name: "Create the key" }).click();
    // In the dialog: the list behind it shows how the key begins.
    const key = await page.getByRole("dialog").getByText(/^hk_/).innerText();
    const feed = () =>
      fetch(`${desk.server.origin}/v1/events`, { method: "POST", headers: { authorization: `Bearer ${key}` } });
    expect((await feed()).status).toBe(400);
    await page.getByRole("button", { name: "Done" }).click();
    expect(await page.getByText(key).count()).toBe(0);
    await page.getByRole("button", { name: "Revoke the key “Invented reception”" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("The key “Invented reception” no longer works.").waitFor();
    // A server may remember for 5 s that the key was good.
    await expect.poll(async () => (await feed()).status, { timeout: 15_000 }).toBe(401);
  });
});
