// Keeps what was typed in the Configure dialog over a reload, in this tab only; in the embedded page, which the next person
// may open in the same tab, not even that. Secrets never go here.
import { BLOCK_CHOICES, GROUP_NAMES, type GroupName, isEventName } from "@hookwell/sdk";
import type { Draft } from "./draft.ts";

const PREFIX = "hookwell.configure.";
const OPEN = `${PREFIX}open`;

let keeps = true;

/** For the embedded page: a draft lives as long as its dialog. */
export function keepNoDrafts(): void {
  keeps = false;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** Strict, because another version of the page may have written it: anything unexpected is as if nothing were kept. */
export function readDraft(text: string | null): Draft | null {
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not ours, or cut off; the dialog then starts afresh.
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const kept = value as Partial<Draft>;
  const recipient = kept.recipient;
  const blocks: readonly unknown[] = BLOCK_CHOICES;
  const fits =
    isText(kept.url) &&
    isText(kept.name) &&
    Array.isArray(kept.events) &&
    kept.events.every(isEventName) &&
    blocks.includes(kept.practitioner) &&
    blocks.includes(kept.patient) &&
    typeof kept.oneParticipantPerRequest === "boolean" &&
    typeof kept.signsWithKey === "boolean" &&
    typeof recipient === "object" &&
    recipient !== null &&
    isText(recipient.organisation) &&
    isText(recipient.country) &&
    isText(recipient.purpose) &&
    typeof recipient.agreement_on_file === "boolean";
  return fits ? (kept as Draft) : null;
}

/** `key`: "new" or a webhook's id. */
export function loadDraft(key: string): Draft | null {
  try {
    return readDraft(window.sessionStorage.getItem(PREFIX + key));
  } catch {
    // Storage is blocked by the browser's settings; nothing was kept.
    return null;
  }
}

export function keepDraft(key: string, draft: Draft): void {
  if (!keeps) return;
  try {
    window.sessionStorage.setItem(PREFIX + key, JSON.stringify(draft));
  } catch {
    // Blocked or full: the draft then lives as long as the dialog.
  }
}

export function dropDraft(key: string): void {
  try {
    window.sessionStorage.removeItem(PREFIX + key);
  } catch {
    // Blocked: then nothing was kept either.
  }
}

/** Which dialog stood open, so that a reload opens it again with what was typed. */
export function keepOpen(target: { group: string | null; webhookId: string | number | null } | null): void {
  if (!keeps) return;
  try {
    if (target === null) window.sessionStorage.removeItem(OPEN);
    else window.sessionStorage.setItem(OPEN, JSON.stringify({ group: target.group, webhookId: target.webhookId }));
  } catch {
    // Blocked: then a reload closes it.
  }
}

/** What stood open, where something typed waits for it; else null. */
export function loadOpen(): { group: GroupName | null; webhookId: string | number | null } | null {
  try {
    const kept = JSON.parse(window.sessionStorage.getItem(OPEN) ?? "null") as unknown;
    if (typeof kept !== "object" || kept === null) return null;
    const { group, webhookId } = kept as { group?: unknown; webhookId?: unknown };
    const id = typeof webhookId === "string" || typeof webhookId === "number" ? webhookId : null;
    if (loadDraft(id === null ? "new" : String(id)) === null) return null;
    return { group: GROUP_NAMES.find((name) => name === group) ?? null, webhookId: id };
  } catch {
    // Blocked, or not ours.
    return null;
  }
}

/** Forgets every draft: an address is a credential of many services, and the next person at this screen is another one. */
export function dropAllDrafts(): void {
  try {
    const kept = Object.keys(window.sessionStorage).filter((name) => name.startsWith(PREFIX));
    for (const name of kept) window.sessionStorage.removeItem(name);
  } catch {
    // Blocked: then nothing was kept either.
  }
}
