/**
 * Value that is paid in advance, as the front desk sells and uses it: a package pays a new invoice by itself, and a gift
 * certificate is bought by one patient and used by another.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Desk, openDesk } from "./desk.ts";

let desk: Desk;
let page: Page;

beforeAll(async () => {
  desk = await openDesk({ path: "/billing/packages", webhook: { events: ["invoice.created", "invoice.updated"] } });
  ({ page } = desk);
  await page.getByRole("heading", { name: "Packages", level: 1 }).waitFor();
});
afterAll(() => desk?.close());

interface Sent {
  event: string;
  invoice: { type: string; status: string; payments: { payment_method: string; from_package: boolean }[] };
}

/** What arrived, the newest first, once there are so many. */
async function arrived(count: number): Promise<Sent[]> {
  return (await desk.arrived(count)).map(({ body }) => JSON.parse(body) as Sent);
}

async function newInvoice(patient: string, price: string): Promise<void> {
  await page.getByRole("button", { name: "New invoice" }).click();
  const dialog = page.getByRole("dialog", { name: "New invoice" });
  await dialog.getByRole("button", { name: patient }).click();
  await dialog.getByLabel("What for").fill("Follow-up");
  await dialog.getByLabel("Price").fill(price);
}

describe("a package", () => {
  test("is made by a manager and sold to a patient: one record of its own, paid at once", async () => {
    await page.getByRole("button", { name: "New package" }).click();
    const dialog = page.getByRole("dialog", { name: "New package" });
    await dialog.getByLabel("Name").fill("Three visits");
    await dialog.getByLabel("Price").fill("270");
    await dialog.getByLabel("Value").fill("285");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Sell Three visits" }).click();
    const sale = page.getByRole("dialog", { name: "Sell Three visits" });
    await sale.getByRole("button", { name: "Zoé Sample" }).click();
    await sale.getByRole("button", { name: "Sell", exact: true }).click();
    await page.getByText("Package sold.").waitFor();
    await page.getByRole("heading", { name: /^Package sale PKG-/, level: 1 }).waitFor();
    const [body] = await arrived(1);
    expect(body).toMatchObject({ event: "invoice.created", invoice: { type: "clinic_package", status: "paid" } });
  });

  test("pays a new invoice of its patient: one event, in which the payment already stands", async () => {
    await page.getByRole("link", { name: "All invoices" }).click();
    await newInvoice("Zoé Sample", "95");
    const dialog = page.getByRole("dialog", { name: "New invoice" });
    await dialog.getByLabel(/^Pay from credit first \(\$285\.00 available\)/).check();
    await dialog.getByRole("button", { name: "Create the invoice" }).click();
    await page.getByText("Invoice created.").waitFor();
    await page.getByText("Paid in full").waitFor();
    const payments = [{ payment_method: "package", from_package: true }];
    const [body] = await arrived(2);
    expect(body).toMatchObject({ event: "invoice.created", invoice: { status: "paid_in_full", payments } });
  });
});

describe("a gift certificate", () => {
  let code = "";

  test("is sold and shows its code", async () => {
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Billing" }).click();
    await page.getByRole("link", { name: "Gift certificates" }).click();
    await page.getByRole("button", { name: "Sell a gift certificate" }).click();
    const dialog = page.getByRole("dialog", { name: "Sell a gift certificate" });
    await dialog.getByRole("button", { name: "Test Patient One" }).click();
    await dialog.getByLabel("Value").fill("50");
    await dialog.getByRole("button", { name: "Sell a gift certificate" }).click();
    const said = await page.getByText(/^Gift certificate sold/).textContent();
    code = /[\dA-Z]{4}(-[\dA-Z]{4}){3}/.exec(said ?? "")?.[0] ?? "";
    expect(code).not.toBe("");
    const [body] = await arrived(3);
    expect(body).toMatchObject({ event: "invoice.created", invoice: { type: "clinic_package_gift_certificate" } });
  });

  test("is used by whoever brings the code, which sends nothing; a wrong code is told at its field", async () => {
    await page.getByRole("button", { name: "Redeem a code" }).click();
    const dialog = page.getByRole("dialog", { name: "Redeem a code" });
    await dialog.getByRole("button", { name: "Test Patient Five" }).click();
    await dialog.getByLabel("Code").fill("AAAA-BBBB-CCCC-DDDD");
    await dialog.getByRole("button", { name: "Redeem a code" }).click();
    await dialog.getByText(/^We know no such code/).waitFor();
    await dialog.getByLabel("Code").fill(code.toLowerCase());
    await dialog.getByRole("button", { name: "Redeem a code" }).click();
    await page.getByText(/^Redeemed\. The patient can now pay/).waitFor();
    await page.getByText("Bought by Test Patient One, used by Test Patient Five").waitFor();
  });

  test("pays a part of an invoice: an update of it, and the only thing that was sent since the sale", async () => {
    await page.getByRole("link", { name: "Invoices", exact: true }).click();
    await newInvoice("Test Patient Five", "80,50");
    await page.getByRole("button", { name: "Create the invoice" }).click();
    await page.getByText("Invoice created.").waitFor();
    await page.getByRole("button", { name: "Add a payment" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a payment" });
    await dialog.getByLabel("Paid by").selectOption({ label: "Gift certificate ($50.00 left)" });
    expect(await dialog.getByLabel("Amount").inputValue()).toBe("50.00");
    await dialog.getByRole("button", { name: "Add a payment" }).click();
    await page.getByText("Payment added.").waitFor();
    await page.getByText("$30.50").waitFor();
    const payments = [{ payment_method: "gift_certificate", from_package: true }];
    const [update, creation] = await arrived(5);
    expect(creation).toMatchObject({ event: "invoice.created", invoice: { type: "patient_invoice", payments: [] } });
    expect(update).toMatchObject({ event: "invoice.updated", invoice: { status: "partially_paid", payments } });
    expect(desk.problems).toEqual([]);
  });
});
