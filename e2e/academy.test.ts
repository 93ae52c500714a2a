/** A course sold at the desk: the checkout that is started and the access that it ends in, each told once. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Desk, openDesk } from "./desk.ts";

let desk: Desk;
let page: Page;

beforeAll(async () => {
  desk = await openDesk({
    path: "/academy",
    webhook: {
      events: ["course.checkout_process_started", "course_participant.added"],
      include: { practitioner: "off", patient: "id" },
      recipient: { organisation: "Example Learning", country: "CA", purpose: "A test", agreement_on_file: true },
    },
  });
  ({ page } = desk);
  await page.getByRole("heading", { name: "Academy", level: 1 }).waitFor();
});
afterAll(() => desk?.close());

interface AcademyBody {
  event: string;
  resource: { type: string; name: string };
  payment?: { subtotal: number; taxes: number; total: number };
}

/** What arrived, the newest first, once there are so many. */
async function arrived(count: number): Promise<AcademyBody[]> {
  return (await desk.arrived(count)).map(({ body }) => JSON.parse(body) as AcademyBody);
}

describe("the desk", () => {
  test("adds a course, told where something is missing", async () => {
    await page.getByRole("button", { name: "New course" }).click();
    const dialog = page.getByRole("dialog", { name: "New course" });
    await dialog.getByLabel("Name").fill("Journey course");
    await dialog.getByLabel("Price before tax").fill("60,005");
    await dialog.getByLabel("Tax (%)").fill("13");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("This amount has more decimals than the currency.").waitFor();
    await dialog.getByLabel("Price before tax").fill("60.05");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "hidden" });
    await page.getByRole("link", { name: /Journey course.*\$60\.05 \+ 13 % tax/ }).click();
    await page.getByText("Nobody has access yet.").waitFor();
  });

  test("starts a checkout, once however often: it is told when it is started", async () => {
    for (const said of ["Checkout started for Zoé Sample.", /^Zoé Sample has an open checkout already/]) {
      await page.getByRole("button", { name: "Start a checkout" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("searchbox").fill("zoe");
      await dialog.getByRole("button", { name: "Zoé Sample" }).click();
      await dialog.getByRole("button", { name: "Start a checkout" }).click();
      await page.getByText(said).waitFor();
    }
    const [body] = await arrived(1);
    expect(body).toMatchObject({ event: "course.checkout_process_started", resource: { name: "Journey course" } });
    expect(body).not.toHaveProperty("payment");
  });

  test("completes it, and the quiet line leads to what was sent", async () => {
    await page.getByRole("link", { name: "All courses and webinars" }).click();
    await page.getByRole("link", { name: "Checkouts" }).click();
    await page.getByRole("button", { name: "Complete the checkout of Zoé Sample" }).click();
    const question = page.getByRole("dialog", { name: "Was it paid?" });
    await question.getByText(/\$67\.86/).waitFor();
    await question.getByRole("button", { name: "Paid, give access" }).dblclick();
    await page.getByText("Paid: Zoé Sample has access now.").waitFor();
    const [body] = await arrived(2);
    const payment = { subtotal: 60.05, taxes: 7.81, total: 67.86 };
    expect(body).toMatchObject({ event: "course_participant.added", payment });
    await page.getByRole("link", { name: "See what was sent" }).click();
    const deliveries = page.getByRole("list", { name: "Deliveries" });
    await expect.poll(() => deliveries.getByText("Delivered", { exact: true }).count(), { timeout: 10_000 }).toBe(2);
  });

  test("gives access away to another patient, and takes it back without a word to anybody", async () => {
    await page.getByRole("link", { name: "Academy" }).click();
    await page.getByRole("link", { name: /Journey course/ }).click();
    await page.getByRole("button", { name: "Give access" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Test Patient Two" }).click();
    await dialog.getByRole("button", { name: "Give access" }).click();
    await page.getByText("Test Patient Two has access now.").waitFor();
    const [body] = await arrived(3);
    expect(body).toMatchObject({ event: "course_participant.added", payment: { subtotal: 0, taxes: 0, total: 0 } });
    await page.getByRole("button", { name: "Take access away from Test Patient Two" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Take access away" }).click();
    await page.getByText(/^Test Patient Two has no access any more/).waitFor();
    await expect.poll(() => page.getByRole("button", { name: /^Take access away from/ }).count()).toBe(1);
    await arrived(3);
  });
});
