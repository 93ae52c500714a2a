/** Recurring consults as the front desk makes them, up to what was delivered; and that nothing typed is lost on the way. */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Desk, openDesk } from "./desk.ts";

/** The class of this journey, by the time at which it stands in the schedule. */
const CLASS = /^06:15/;

let desk: Desk;
let page: Page;

beforeAll(async () => {
  desk = await openDesk({
    path: "/schedule",
    webhook: {
      events: ["participant.added", "consult.updated", "participant.removed"],
      include: { practitioner: "off", patient: "id" },
      recipient: { organisation: "Example Reminders", country: "CA", purpose: "A test", agreement_on_file: true },
    },
  });
  ({ page } = desk);
  await page.getByRole("heading", { name: "Schedule", exact: true }).waitFor();
});
afterAll(() => desk?.close());

type Body = { event: string; consult: { id: number; start_time: string; cancelled: boolean } }[];

/** What arrived, in the order of the consults' times, once there are so many. */
async function arrived(count: number): Promise<Body[]> {
  const bodies = (await desk.arrived(count)).map(({ body }) => JSON.parse(body) as Body);
  return bodies.sort((a, b) => startOf(a).localeCompare(startOf(b)));
}

const startOf = (body: Body): string => body[0]?.consult.start_time ?? "";

async function openClass(): Promise<Locator> {
  await page.getByRole("button", { name: CLASS }).click();
  const dialog = page.getByRole("dialog", { name: "Pilates class" });
  await dialog.waitFor();
  return dialog;
}

describe("the front desk", () => {
  test("schedules a weekly class that repeats, and is asked before what was typed is thrown away", async () => {
    await page.getByRole("button", { name: "Schedule a consult" }).click();
    const dialog = page.getByRole("dialog", { name: "Schedule a consult" });
    await dialog.getByLabel("Service").selectOption({ label: "Pilates class" });
    const start = dialog.getByLabel("Start");
    await start.fill((await start.inputValue()).replace(/T\d\d:\d\d/, "T06:15"));
    await dialog.getByLabel("Repeats").selectOption("week");
    await dialog.getByLabel("Number of consults").fill("105");
    await dialog.getByRole("button", { name: "Schedule", exact: true }).click();
    await dialog.getByText("Enter a whole number from 1 to 104.").waitFor();
    await page.keyboard.press("Escape");
    const question = page.getByRole("dialog", { name: "Discard what you typed?" });
    await question.getByRole("button", { name: "Keep editing" }).click();
    await dialog.getByLabel("Number of consults").fill("4");
    await dialog.getByText(/^4 consults, the last on/).waitFor();
    await dialog.getByRole("button", { name: "Schedule", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
    await page.getByText("4 consults scheduled.").waitFor();
    expect(await arrived(0)).toEqual([]);
  });

  test("finds it in the list by its service, with the keyboard", async () => {
    await page.getByText("List", { exact: true }).click();
    await page.getByLabel("Service").selectOption({ label: "Pilates class" });
    await expect.poll(() => page.getByRole("button", { name: /follow-up/ }).count()).toBe(0);
    await page.reload();
    const line = page.getByRole("button", { name: CLASS });
    await line.focus();
    await page.keyboard.press("End");
    await page.keyboard.press("Home");
    await expect
      .poll(() => page.getByRole("main").getByRole("listitem").getByRole("button").first().evaluate(isFocused))
      .toBe(true);
    await page.getByLabel("Service").selectOption("");
  });

  test("registers a patient in all of it: one delivery for each of the four", async () => {
    const dialog = await openClass();
    await dialog.getByRole("button", { name: "Add a patient" }).click();
    await dialog.getByRole("radio", { name: "Zoé Sample" }).check();
    const panel = dialog.getByRole("region", { name: "Patients" });
    await panel.getByRole("radio", { name: "This and all following" }).check();
    await panel.getByRole("button", { name: "Add", exact: true }).click();
    await dialog.getByText("Patient added to 4 consults.").waitFor();
    const bodies = await arrived(4);
    expect(bodies).toMatchObject(Array(4).fill([{ event: "participant.added", consult: { cancelled: false } }]));
    expect(bodies.map((body) => startOf(body).slice(11, 16))).toEqual(Array(4).fill("06:15"));
    expect(new Set(bodies.map((body) => body[0]?.consult.id)).size).toBe(4);
  });

  test("notes a late cancellation of this one alone", async () => {
    const dialog = page.getByRole("dialog", { name: "Pilates class" });
    const more = dialog.getByRole("button", { name: "More for Zoé Sample" });
    await more.click();
    await page.keyboard.press("Escape"); // closes the menu alone
    await page.getByRole("menu").waitFor({ state: "hidden" });
    await more.click();
    await page.getByRole("menuitem", { name: "Cancelled late…" }).click();
    const question = page.getByRole("dialog", { name: "Zoé Sample cancelled late?" });
    await question.getByRole("button", { name: "Cancelled late" }).click();
    await dialog.getByText("Noted: the patient cancelled late.").waitFor();
    const [first] = await arrived(5);
    expect(first).toMatchObject([{ consult: { cancelled: false } }]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
  });

  test("cancels the next week's and all following, and sees from the quiet line what was sent", async () => {
    await page.getByRole("button", { name: "Week after" }).click();
    const dialog = await openClass();
    await dialog.getByRole("button", { name: "Cancel the consult" }).click();
    const question = page.getByRole("dialog", { name: "Cancel this consult?" });
    await question.getByRole("radio", { name: "This and all following" }).check();
    await question.getByRole("button", { name: "Cancel this and all following" }).click();
    await dialog.getByText("3 consults were cancelled.").waitFor();
    const bodies = await arrived(8);
    const removed = bodies.filter(([one]) => one?.event === "participant.removed" && one.consult.cancelled);
    expect(removed).toHaveLength(3);
    await dialog.getByRole("link", { name: "See what was sent" }).click();
    await page.getByRole("heading", { name: "Deliveries", exact: true }).waitFor();
    await expect.poll(() => page.getByText("Delivered", { exact: true }).count()).toBeGreaterThanOrEqual(8);
  });
});

/** In the page. */
function isFocused(element: unknown): boolean {
  return (globalThis as unknown as { document: { activeElement: unknown } }).document.activeElement === element;
}
