/** What journeys do in the Configure dialog. */
import type { Locator } from "playwright-core";

/** Fills in a webhook to the test inbox that hears of everything and sends whole patients to a recipient. */
export async function fillWithPatients(dialog: Locator): Promise<void> {
  await dialog.getByRole("button", { name: "Use the test inbox" }).click();
  await dialog
    .getByRole("checkbox", { name: /^Everything/ })
    .first()
    .check();
  await dialog.getByRole("checkbox", { name: "Patient", exact: true }).check();
  await dialog.getByLabel("Organisation").fill("Example Reminders");
  await dialog.getByLabel(/^Country/).selectOption("CA");
  await dialog.getByLabel("Purpose").fill("Appointment reminders");
}
