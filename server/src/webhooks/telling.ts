/**
 * What every manager is told of a change, so that one who turns patients' data to a place of his own does not do so unseen
 * (security.md, Privacy): another address, and more of patients' data than before. In the transaction of the change.
 */
import type { Tx } from "../db/schema.ts";
import { isAlwaysOfPatient, PATIENT_WIDTH } from "./patient-data.ts";
import type { WebhookSettings } from "./settings.ts";

export interface Changed {
  readonly clinicId: number;
  readonly id: number;
  /** Of the webhook after the change: each change is told once. */
  readonly version: number;
  /** Null where there was none. */
  readonly before: WebhookSettings | null;
  readonly after: WebhookSettings;
}

/** Raises the notices that a change calls for. A draft hears nothing, so nothing is told of it before it is saved. */
export async function tellManagers(tx: Tx, { clinicId, id, version, before, after }: Changed): Promise<void> {
  if (after.draft) return;
  const was = before === null || before.draft ? null : before;
  const kinds = [
    ...(was !== null && was.url !== after.url ? ["webhook.address_changed"] : []),
    ...(widthOf(after) > widthOf(was) ? ["webhook.patient_data_on"] : []),
  ];
  if (kinds.length === 0) return;
  await tx
    .insertInto("notices")
    .values(kinds.map((kind) => ({ clinic_id: clinicId, kind, webhook_id: id, cause: `${kind}:${id}:${version}` })))
    .execute();
}

/** How much of patients it sends: some events tell of a whole patient whatever the box says. */
function widthOf(settings: WebhookSettings | null): number {
  if (settings === null) return PATIENT_WIDTH.off;
  return PATIENT_WIDTH[settings.events.some(isAlwaysOfPatient) ? "all" : settings.include.patient];
}
