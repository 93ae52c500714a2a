/** Identifiers of events and deliveries: time-ordered event ids, and the webhook-id that names one delivery. */
import { drawRandom } from "../seal/random.ts";

/**
 * A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits. The day partitions of events, attempts and
 * finished deliveries are cut along it.
 */
export function uuidv7(epochMilliseconds: number): string {
  const bytes = Buffer.from(drawRandom(16));
  bytes.writeUIntBE(epochMilliseconds, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The lowest id that an event of this millisecond can have: where a range of times begins or ends among them. */
export function lowestEventId(epochMilliseconds: number): string {
  const hex = epochMilliseconds.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** No event has an id as high as this. */
export const BEYOND_EVENT_IDS = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** What names one delivery: event × webhook × part of a split (contract §7). */
export interface DeliveryKey {
  eventId: string;
  webhookId: number;
  part: number;
}

const DELIVERY_ID =
  /^msg_([0-9a-f]{8})([0-9a-f]{4})(7[0-9a-f]{3})([89ab][0-9a-f]{3})([0-9a-f]{12})_([1-9]\d{0,15})(?:_([1-9]\d{0,3}))?$/;

/** The `webhook-id` header: the same on every attempt, resend and recovery. Holds no full stop (Standard Webhooks 1.0). */
export function deliveryId(key: DeliveryKey): string {
  const base = `msg_${key.eventId.replaceAll("-", "")}_${key.webhookId}`;
  return key.part === 0 ? base : `${base}_${key.part}`;
}

/** Reads a webhook-id back; null when it is none of ours. */
export function parseDeliveryId(id: string): DeliveryKey | null {
  const match = DELIVERY_ID.exec(id);
  if (!match) return null;
  const webhookId = Number(match[6]);
  if (!Number.isSafeInteger(webhookId)) return null;
  return { eventId: match.slice(1, 6).join("-"), webhookId, part: match[7] === undefined ? 0 : Number(match[7]) };
}
