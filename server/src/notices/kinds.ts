/** What a notice is about, and what its details hold. One table of kinds; migration 0025 lists the same words. */

export const NOTICE_KINDS = [
  "webhook.failing",
  "webhook.still_failing",
  "webhook.off_soon",
  "webhook.turned_off",
  "webhook.gone",
  "webhook.recovered",
  "delivery.late",
  "deliveries.expiring",
  "webhook.address_changed",
  "webhook.patient_data_on",
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Which consult change a late delivery carries. */
export const LATE_EVENTS = ["consult.updated", "participant.removed"] as const;
export type LateEvent = (typeof LATE_EVENTS)[number];

/** Whatever of a notice's details is known; each is absent where whoever raised it did not say. */
export interface NoticeDetails {
  /** of the attempt that caused it, see egress/outcome.ts */
  readonly outcome?: string;
  readonly status?: number;
  readonly failingSince?: Temporal.Instant;
  /** when the webhook will be turned off */
  readonly offAt?: Temporal.Instant;
  /** when the content of what waits is no longer kept */
  readonly expiresAt?: Temporal.Instant;
  /** deliveries */
  readonly waiting?: number;
  readonly deliveryId?: string;
  /** of the consult */
  readonly startsAt?: Temporal.Instant;
  readonly event?: LateEvent;
}

/** A notice as it is told. */
export interface Notice {
  readonly id: number;
  readonly kind: NoticeKind;
  /** Null where it is about none. */
  readonly webhook: { readonly id: number; readonly name: string } | null;
  readonly details: NoticeDetails;
  readonly createdAt: Temporal.Instant;
}

/** Reads the JSON of a notice. What is missing or not of its form is left out: a notice is told all the same. */
export function readDetails(json: string): NoticeDetails {
  const raw = parsed(json);
  const event = LATE_EVENTS.find((known) => known === raw.event);
  return without({
    outcome: text(raw.outcome),
    status: whole(raw.status),
    failingSince: instant(raw.failing_since),
    offAt: instant(raw.off_at),
    expiresAt: instant(raw.expires_at),
    waiting: whole(raw.waiting),
    deliveryId: text(raw.delivery_id),
    startsAt: instant(raw.starts_at),
    event,
  });
}

function parsed(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return {};
  }
}

type Present<Of> = { [Key in keyof Of]?: Exclude<Of[Key], undefined> };

function without<Of extends object>(details: Of): Present<Of> {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined)) as Present<Of>;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.length <= 200 ? value : undefined;
}

function whole(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function instant(value: unknown): Temporal.Instant | undefined {
  try {
    return typeof value === "string" ? Temporal.Instant.from(value) : undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}
