// What stands in the Configure dialog, as a value. Pure: the dialog changes it, the server judges it, and a reload
// finds it again (kept-draft.ts). Create and edit differ only in where the value starts.
import {
  type BlockChoice,
  EVENT_NAMES,
  type EventName,
  eventDefinition,
  eventsOfGroup,
  type GroupName,
} from "@hookwell/sdk";
import type { FieldError } from "../api.ts";
import type { Recipient, TestChanges, Webhook, WebhookInput } from "../api-types.ts";

/** The server's limit on a webhook's name. */
export const NAME_MAX_CHARACTERS = 100;

export interface Draft {
  url: string;
  name: string;
  events: EventName[];
  practitioner: BlockChoice;
  patient: BlockChoice;
  oneParticipantPerRequest: boolean;
  /** Also by a key pair, for receivers who check with a public key. */
  signsWithKey: boolean;
  recipient: Recipient;
}

export const EMPTY_DRAFT: Readonly<Draft> = {
  url: "",
  name: "",
  events: [],
  practitioner: "off",
  patient: "off",
  oneParticipantPerRequest: false,
  signsWithKey: false,
  recipient: { organisation: "", country: "", purpose: "", agreement_on_file: false },
};

/** The dialog's start when an existing webhook is edited. */
export function draftOf(webhook: Webhook): Draft {
  return {
    url: webhook.url ?? "",
    name: webhook.name,
    events: [...webhook.events],
    practitioner: webhook.include.practitioner,
    patient: webhook.include.patient,
    oneParticipantPerRequest: webhook.one_participant_per_request,
    signsWithKey: webhook.signatures.includes("v1a"),
    recipient: webhook.recipient === null ? { ...EMPTY_DRAFT.recipient } : { ...webhook.recipient },
  };
}

/** Patients' data leaves the clinic: then it is recorded who receives it (contract §6). */
export function needsRecipient(draft: Draft): boolean {
  return draft.patient !== "off" || draft.events.some((event) => eventDefinition(event).patientAlways);
}

/** People forget "https://"; nothing else is guessed. */
export function completeUrl(typed: string): string {
  const trimmed = typed.trim();
  return trimmed === "" || trimmed.includes("://") ? trimmed : `https://${trimmed}`;
}

/** The draft as the API takes it. A name left empty is the server's to choose, from the host. */
export function inputOf(draft: Draft): WebhookInput {
  const input: WebhookInput = {
    url: completeUrl(draft.url),
    // In the documented order, so that ticking and unticking leaves no trace.
    events: EVENT_NAMES.filter((event) => draft.events.includes(event)),
    include: { practitioner: draft.practitioner, patient: draft.patient },
    one_participant_per_request: draft.oneParticipantPerRequest,
    signatures: draft.signsWithKey ? ["v1", "v1a"] : ["v1"],
    recipient: needsRecipient(draft)
      ? {
          ...draft.recipient,
          organisation: draft.recipient.organisation.trim(),
          purpose: draft.recipient.purpose.trim(),
        }
      : null,
  };
  if (draft.name.trim() !== "") input.name = draft.name.trim();
  return input;
}

/** As a draft on the server takes it: there, who receives patients' data may still be open. */
export function testInputOf(draft: Draft): WebhookInput {
  const input = inputOf(draft);
  return missingFields(draft).length === 0 ? input : { ...input, recipient: null };
}

/** What a test of a saved webhook must do otherwise than the saved webhook would. */
export function testChanges(draft: Draft, saved: Draft): TestChanges {
  const [now, then] = [inputOf(draft), inputOf(saved)];
  const changes: TestChanges = {};
  if (now.url !== undefined && now.url !== then.url) changes.url = now.url;
  if (now.include !== undefined && JSON.stringify(now.include) !== JSON.stringify(then.include)) {
    changes.include = now.include;
  }
  if (draft.oneParticipantPerRequest !== saved.oneParticipantPerRequest) {
    changes.one_participant_per_request = draft.oneParticipantPerRequest;
  }
  return changes;
}

/** The host of an address, after which a webhook without a name is named; nothing where it is not an address. */
export function hostName(url: string): string | undefined {
  return URL.parse(completeUrl(url))?.hostname.slice(0, NAME_MAX_CHARACTERS);
}

/** What was typed, laid over what is stored now: what was not touched since `start` is taken from `latest`. */
export function mergeDrafts({ typed, start, latest }: { typed: Draft; start: Draft; latest: Draft }): Draft {
  const kept = Object.entries(typed).filter(
    ([field, value]) => JSON.stringify(value) !== JSON.stringify(start[field as keyof Draft]),
  );
  return { ...latest, ...Object.fromEntries(kept) };
}

export function isSameDraft(a: Draft, b: Draft): boolean {
  return JSON.stringify(inputOf(a)) === JSON.stringify(inputOf(b));
}

export type TriState = "none" | "some" | "all";

export function triState(group: GroupName, chosen: readonly EventName[]): TriState {
  const events = eventsOfGroup(group);
  const ticked = events.filter((event) => chosen.includes(event)).length;
  if (ticked === 0) return "none";
  return ticked === events.length ? "all" : "some";
}

/** A group's box: ticks all of them unless all are ticked already. */
export function toggleGroup(group: GroupName, chosen: readonly EventName[]): EventName[] {
  const events = eventsOfGroup(group);
  const others = chosen.filter((event) => !events.includes(event));
  return triState(group, chosen) === "all" ? others : [...others, ...events];
}

export function toggleEvent(event: EventName, chosen: readonly EventName[]): EventName[] {
  return chosen.includes(event) ? chosen.filter((other) => other !== event) : [...chosen, event];
}

/** The places in the dialog where an error can stand, in the order in which they are read. */
export const FIELDS = ["url", "name", "events", "include", "organisation", "country", "purpose", "other"] as const;
export type Field = (typeof FIELDS)[number];
export type FieldErrors = Partial<Record<Field, string>>;

/** What is missing, by a look at the draft alone; the words are the dialog's. */
export function missingFields(draft: Draft): Field[] {
  const missing: Field[] = [];
  if (draft.url.trim() === "") missing.push("url");
  if (!needsRecipient(draft)) return missing;
  if (draft.recipient.organisation.trim() === "") missing.push("organisation");
  if (draft.recipient.country === "") missing.push("country");
  if (draft.recipient.purpose.trim() === "") missing.push("purpose");
  return missing;
}

function placeOf(path: string): Field {
  // A test names what is not saved yet under "changes".
  const [first, second] = path.replace(/^changes\./, "").split(".");
  if (first === "recipient") {
    return second === "country" || second === "purpose" ? second : "organisation";
  }
  return FIELDS.find((field) => field === first) ?? "other";
}

/** Puts each of the server's field errors, in the page's words, at its place; the first one at a place is kept. */
export function placeErrors(errors: readonly FieldError[], words: (error: FieldError) => string): FieldErrors {
  const placed: FieldErrors = {};
  for (const error of errors) {
    const place = placeOf(error.field);
    placed[place] ??= words(error);
  }
  return placed;
}
