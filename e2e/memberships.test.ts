/** A membership as the front desk keeps it: it begins with its first payment, is cancelled, and the cancellation is undone. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApiClient } from "./client.ts";
import { type Desk, openDesk } from "./desk.ts";

let desk: Desk;
let page: Page;
let api: ApiClient;

beforeAll(async () => {
  desk = await openDesk({
    path: "/memberships/plans",
    webhook: { events: ["membership.started", "membership.cancelled"] },
  });
  ({ page, api } = desk);
  await page.getByRole("heading", { name: "Plans", level: 1 }).waitFor();
});
afterAll(() => desk?.close());

interface Sent {
  event: string;
  membership: { id: number; name: string; recurrence_interval: string };
}

/** What arrived, the newest first, once there are so many. */
async function arrived(count: number): Promise<Sent[]> {
  return (await desk.arrived(count)).map(({ body }) => JSON.parse(body) as Sent);
}

async function assign(patient: string, source: string | RegExp): Promise<void> {
  await page.getByRole("button", { name: "Assign a membership" }).click();
  const dialog = page.getByRole("dialog", { name: "Assign a membership" });
  await dialog.getByLabel("Plan").selectOption({ label: "Winter wellness" });
  await dialog.getByRole("button", { name: patient }).click();
  await dialog.getByRole("radio", { name: source }).check();
  await dialog.getByRole("button", { name: "Assign", exact: true }).click();
  await page.getByText("Membership assigned.").waitFor();
}

async function cancel(choose: () => Promise<void>): Promise<void> {
  await page.getByRole("button", { name: "Cancel the membership" }).click();
  await choose();
  const dialog = page.getByRole("dialog", { name: "Cancel this membership?" });
  await dialog.getByRole("button", { name: "Cancel the membership" }).click();
  await page.getByText("Membership cancelled.").waitFor();
}

describe("a membership", () => {
  test("is of a plan that a manager makes", async () => {
    await page.getByRole("button", { name: "New plan" }).click();
    const dialog = page.getByRole("dialog", { name: "New plan" });
    await dialog.getByLabel("Name").fill("Winter wellness");
    await dialog.getByLabel("Price of each charge").fill("80.00");
    await dialog.getByLabel("Tax").fill("13");
    await dialog.getByLabel("Number of charges").fill("6");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByText("$90.40 every month · 6 charges").waitFor();
  });

  test("paid at the desk has not begun until its first charge is paid on its own invoice", async () => {
    await page.getByRole("link", { name: "Memberships", exact: true }).first().click();
    await assign("Test Patient Two", "At the front desk");
    await page.getByText("A charge waits for its payment").waitFor();
    await page.getByRole("link", { name: "Open the invoice" }).click();
    await page.getByRole("button", { name: "Add a payment" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a payment" });
    expect(await dialog.getByLabel("Amount").inputValue()).toBe("90.40");
    expect(await api.get<{ messages: unknown[] }>("/inbox")).toMatchObject({ messages: [] });
    await dialog.getByRole("button", { name: "Add a payment" }).click();
    await page.getByText("Payment added.").waitFor();
    const [body] = await arrived(1);
    const membership = { name: "Winter wellness", recurrence_interval: "month" };
    expect(body).toMatchObject({ event: "membership.started", membership });
  });

  test("paid by the practice card begins at once", async () => {
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Memberships" }).click();
    await assign("Test Patient Three", "Practice card that is accepted");
    await page.getByText("Membership started").waitFor();
    await page.getByText("1 of 6 payments").waitFor();
    expect((await arrived(2))[0]).toMatchObject({ event: "membership.started" });
  });

  test("is cancelled with a question, told once, and taken up again under the same id", async () => {
    await cancel(() => page.getByRole("radio", { name: "The patient’s" }).check());
    await page.getByText("Cancelled by the patient").waitFor();
    const [cancelled, started] = await arrived(3);
    expect(cancelled).toMatchObject({ event: "membership.cancelled", membership: { id: started?.membership.id } });
    await page.getByRole("button", { name: "Undo the cancellation" }).click();
    await page.getByText("Cancellation undone.").waitFor();
    const [again] = await arrived(4);
    expect(again).toMatchObject({ event: "membership.started", membership: { id: started?.membership.id } });
  });

  test("is paused and goes on, of which nobody hears; all that was sent is one click away", async () => {
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText(/^Membership paused\./).waitFor();
    await page.getByRole("button", { name: "End the pause" }).click();
    await page.getByText(/^The pause is over\./).waitFor();
    await cancel(() => page.getByRole("radio", { name: "Today" }).check());
    expect((await arrived(5))[0]).toMatchObject({ event: "membership.cancelled" });
    expect(await page.getByRole("button", { name: "Undo the cancellation" }).count()).toBe(0);
    await page.getByRole("link", { name: "See what was sent" }).click();
    await page.getByRole("heading", { name: "Deliveries", level: 1 }).waitFor();
    const rows = page.getByRole("list", { name: "Deliveries" }).getByRole("listitem");
    await expect.poll(() => rows.count()).toBe(4);
    expect(desk.problems).toEqual([]);
  });
});
