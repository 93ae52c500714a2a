/** What of a webhook's configuration may be shown in a list and kept in the audit. Pure. */
import type { CustomHeader } from "./headers.ts";
import { sendsPatients } from "./patient-data.ts";
import type { WebhookSettings } from "./settings.ts";

export const MASK = "••••••";

/** Scheme and host only: path and query are credentials of many services. */
export function maskUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return MASK;
  const hasMore = parsed.pathname !== "/" || parsed.search !== "";
  return hasMore ? `${parsed.origin}/${MASK}` : parsed.origin;
}

/** The names, without their values. */
export function maskHeaders(headers: readonly CustomHeader[]): CustomHeader[] {
  return headers.map(({ name }) => ({ name, value: MASK }));
}

/** A webhook's settings as the audit keeps them. `changed` names what the masks hide. */
export function auditView(settings: WebhookSettings): Record<string, unknown> {
  return {
    name: settings.name,
    url: maskUrl(settings.url),
    events: settings.events,
    include: settings.include,
    one_participant_per_request: settings.oneParticipantPerRequest,
    headers: maskHeaders(settings.headers),
    pace_per_second: settings.pacePerSecond,
    concurrency: settings.concurrency,
    signatures: settings.signatures,
    recipient: settings.recipient && {
      organisation: settings.recipient.organisation,
      country: settings.recipient.country,
      purpose: settings.recipient.purpose,
      agreement_on_file: settings.recipient.agreementOnFile,
    },
    sends_patient_data: sendsPatients(settings),
    enabled: settings.enabled,
    off_reason: settings.offReason,
    draft: settings.draft,
  };
}

/** The names of the settings that differ. An address or a header's value may have changed behind its mask. */
export function changedFields(before: WebhookSettings, after: WebhookSettings): string[] {
  const keys = Object.keys(before) as (keyof WebhookSettings)[];
  return keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}
