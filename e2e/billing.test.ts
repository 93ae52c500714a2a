/** One invoice as the front desk keeps it, from its creation to its deletion: each act is one event, and arrives once. */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Desk, openDesk } from "./desk.ts";

let desk: Desk;
let page: Page;

beforeAll(async () => {
  desk = await openDesk({
    path: "/schedule",
    webhook: {
      events: ["invoice.created", "invoice.updated", "invoice.deleted"],
      include: { practitioner: "off", patient: "off" },
    },
  });
  ({ page } = desk);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Billing" }).click();
  await page.getByRole("heading", { name: "Billing", level: 1 }).waitFor();
});
afterAll(() => desk?.close());

interface InvoiceBody {
  event: string;
  invoice: { status: string; total: number; payments: { total: number; status: string }[] };
}

/** What arrived, the newest first, once there are so many; each under an id of its own. */
async function arrived(count: number): Promise<InvoiceBody[]> {
  const all = await desk.arrived(count);
  expect(new Set(all.map(({ headers }) => headers["webhook-id"])).size).toBe(count);
  return all.flatMap(({ body }) => JSON.parse(body) as InvoiceBody[]);
}

/** The newest, which is the only one since the last look. */
async function newest(count: number): Promise<InvoiceBody | undefined> {
  return (await arrived(count))[0];
}

async function refund(dialog: Locator, amount: string): Promise<void> {
  await page.getByRole("button", { name: /^More for the payment of/ }).click();
  await page.getByRole("menuitem", { name: "Refund" }).click();
  await dialog.getByLabel("Amount").fill(amount);
  await dialog.getByRole("button", { name: "Refund" }).click();
}

describe("the front desk", () => {
  test("makes an invoice, told where something is missing, and sees what it comes to before it is saved", async () => {
    await page.getByRole("button", { name: "New invoice" }).click();
    const dialog = page.getByRole("dialog", { name: "New invoice" });
    await dialog.getByRole("button", { name: "Zoé Sample" }).click();
    await dialog.getByLabel("Price").fill("25.065");
    await dialog.getByRole("button", { name: "Create the invoice" }).click();
    await dialog.getByText("This amount has too many decimals.").waitFor();
    await dialog.getByText("Say what this line is for.").waitFor();
    await dialog.getByLabel("What for").fill("Foam roller");
    await dialog.getByLabel("Price").fill("25.06");
    await dialog.getByLabel("Units").fill("2");
    await dialog.getByLabel("Tax").fill("13");
    await dialog.getByText("$56.64").first().waitFor();
    await dialog.getByRole("button", { name: "Create the invoice" }).click();
    await page.getByRole("heading", { name: /^Invoice INV-/, level: 1 }).waitFor();
    await page.getByText("Invoice created.").waitFor();
    expect(await newest(1)).toMatchObject({ event: "invoice.created", invoice: { status: "draft", total: 56.64 } });
  });

  test("takes a payment of a part", async () => {
    await page.getByRole("button", { name: "Add a payment" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a payment" });
    expect(await dialog.getByLabel("Amount").inputValue()).toBe("56.64");
    await dialog.getByLabel("Paid by").selectOption({ label: "Cash" });
    await dialog.getByLabel("Amount").fill("20");
    await dialog.getByRole("button", { name: "Add a payment" }).click();
    await page.getByText("Payment added.").waitFor();
    await page.getByText("Paid in part").waitFor();
    await page.getByText("$36.64").waitFor();
    expect(await newest(2)).toMatchObject({ event: "invoice.updated", invoice: { status: "partially_paid" } });
  });

  test("cannot delete it while money is on it, and is told what to do", async () => {
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "It cannot be deleted yet" });
    await dialog.getByText(/^\$20\.00 of payments are on it/).waitFor();
    await dialog.getByRole("button", { name: "Close" }).last().click();
    await dialog.waitFor({ state: "hidden" });
  });

  test("gives money back, first a part and then the rest, but never more", async () => {
    const dialog = page.getByRole("dialog", { name: "Refund" });
    await refund(dialog, "20.01");
    await dialog.getByText("This is more than what is left of the payment.").waitFor();
    await dialog.getByLabel("Amount").fill("5");
    await dialog.getByRole("button", { name: "Refund" }).click();
    await page.getByText("$5.00 refunded").waitFor();
    const part = { total: 20, status: "partially_refunded" };
    expect(await newest(3)).toMatchObject({ invoice: { status: "partially_refunded", payments: [part] } });
    await refund(dialog, "15");
    await page.getByText("$20.00 refunded").waitFor();
    const whole = { total: 20, status: "refunded" };
    expect(await newest(4)).toMatchObject({ invoice: { status: "refunded", payments: [whole] } });
  });

  test("deletes it after a question, and finds all that was sent", async () => {
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    const question = page.getByRole("dialog", { name: /^Delete INV-/ });
    await question.getByText(/one last message/).waitFor();
    await question.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("heading", { name: "Billing", level: 1 }).waitFor();
    await page.getByText("Deleted.").waitFor();
    const bodies = await arrived(5);
    expect(bodies.map(({ event }) => event)).toEqual([
      "invoice.deleted",
      ...Array(3).fill("invoice.updated"),
      "invoice.created",
    ]);
    await page.getByRole("link", { name: "See what was sent" }).click();
    await page.getByRole("heading", { name: "Deliveries", level: 1 }).waitFor();
    const rows = page.getByRole("list", { name: "Deliveries" }).getByRole("listitem");
    await expect.poll(() => rows.count()).toBe(5);
  });
});
