/**
 * What a manager sets on a webhook, and the rules of contract §6 on it.
 *
 * Owns how an input is laid over what is there, every check with its field and words, and whether the webhook is on.
 * Promises that all problems are told at once. Pure but for the address check, which it is given. Stores nothing.
 */
import {
  type DataChoice,
  EVENT_NAMES,
  type EventName,
  eventDefinition,
  GROUPS,
  NO_DATA,
  type SignatureVersion,
} from "@hookwell/sdk";
import { type FieldCode, type FieldProblem, invalidFields } from "../errors.ts";
import { type CustomHeader, checkHeaders } from "./headers.ts";
import { CONCURRENCY_DEFAULT, PACE_DEFAULT_PER_SECOND, type Pace, paceAfterMove, paceFor } from "./known-hosts.ts";
import { sendsPatients } from "./patient-data.ts";
import type { OffReason } from "./state.ts";

export const NAME_MAX_CHARACTERS = 100;
export const ORGANISATION_MAX_CHARACTERS = 200;
export const PURPOSE_MAX_CHARACTERS = 500;
export const PACE_MAX_PER_SECOND = 1_000;
export const CONCURRENCY_MAX = 64;

/** Who receives patients' data, and why. */
export interface Recipient {
  readonly organisation: string;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country: string;
  readonly purpose: string;
  readonly agreementOnFile: boolean;
}

/** Everything a manager decides. */
export interface WebhookSettings {
  readonly name: string;
  /** Empty only before the first save. */
  readonly url: string;
  readonly events: readonly EventName[];
  readonly include: DataChoice;
  readonly oneParticipantPerRequest: boolean;
  readonly headers: readonly CustomHeader[];
  readonly pacePerSecond: number;
  readonly concurrency: number;
  /** `v1` always; `v1a` on demand (contract §6). */
  readonly signatures: readonly SignatureVersion[];
  readonly recipient: Recipient | null;
  readonly enabled: boolean;
  readonly offReason: OffReason | null;
  readonly draft: boolean;
}

/** What a request asks to change; a field that is left out stays as it is. */
export type WebhookInput = {
  readonly [Field in Exclude<keyof WebhookSettings, "offReason" | "include">]?: WebhookSettings[Field] | undefined;
} & { readonly include?: { readonly [Block in keyof DataChoice]?: DataChoice[Block] | undefined } | undefined };

export type AddressCheck =
  | { readonly ok: true; readonly url: URL }
  | { readonly ok: false; readonly code: FieldCode; readonly message: string };

/** What the rules need to know of the world. */
export interface SettingsRules {
  /** Parses and vets an address without a look-up; the egress rules. */
  checkAddress(text: string): AddressCheck;
  readonly clinicHasAcademy: boolean;
}

export const NEW_WEBHOOK: WebhookSettings = {
  name: "",
  url: "",
  events: [],
  include: NO_DATA,
  oneParticipantPerRequest: false,
  headers: [],
  pacePerSecond: PACE_DEFAULT_PER_SECOND,
  concurrency: CONCURRENCY_DEFAULT,
  signatures: ["v1"],
  recipient: null,
  enabled: false,
  offReason: null,
  draft: false,
};

/** The settings after the change. Throws one problem with every field that is wrong; nothing else. */
export function applyInput(current: WebhookSettings, input: WebhookInput, rules: SettingsRules): WebhookSettings {
  const problems: FieldProblem[] = [];
  const address = checkAddress(current, input, rules);
  if (address.problem !== null) problems.push(address.problem);
  const next = layOver(current, input, address);
  problems.push(...checkSettings(next), ...checkAcademy(input.events ?? next.events, rules));
  if (next.draft && !current.draft && current.url !== "") {
    const message = "A saved webhook cannot become a draft again. Turn it off instead.";
    problems.push({ field: "draft", message, code: "already_saved" });
  }
  if (input.enabled === true && next.events.length === 0 && !next.draft) {
    const message = "A webhook without events cannot be on. Choose at least one event.";
    problems.push({ field: "enabled", message, code: "no_events" });
  }
  if (isNotEmpty(problems)) throw invalidFields(problems);
  return { ...next, ...isOn(current, next, input.enabled) };
}

function isNotEmpty<Item>(list: Item[]): list is [Item, ...Item[]] {
  return list.length > 0;
}

/** The stored form of an address is the parsed one, so that what was vetted is what is dialled. */
interface CheckedAddress {
  readonly url: URL | null;
  readonly problem: FieldProblem | null;
}

function checkAddress(current: WebhookSettings, input: WebhookInput, rules: SettingsRules): CheckedAddress {
  if (input.url === undefined && current.url !== "") return { url: null, problem: null };
  const checked = rules.checkAddress((input.url ?? "").trim());
  if (!checked.ok) return { url: null, problem: { field: "url", message: checked.message, code: checked.code } };
  return { url: checked.url, problem: null };
}

function layOver(current: WebhookSettings, input: WebhookInput, { url }: CheckedAddress): WebhookSettings {
  const pace = url === null ? current : paceAt(url, current);
  const name = input.name?.trim();
  const events = input.events;
  return {
    ...current,
    ...(url === null ? {} : { url: url.href }),
    name: name || current.name || (url?.hostname ?? "").slice(0, NAME_MAX_CHARACTERS),
    // In the documented order and each once, so that two saves of the same boxes are equal.
    events: events === undefined ? current.events : EVENT_NAMES.filter((event) => events.includes(event)),
    include: {
      practitioner: input.include?.practitioner ?? current.include.practitioner,
      patient: input.include?.patient ?? current.include.patient,
    },
    oneParticipantPerRequest: input.oneParticipantPerRequest ?? current.oneParticipantPerRequest,
    headers: input.headers ?? current.headers,
    pacePerSecond: input.pacePerSecond ?? pace.pacePerSecond,
    concurrency: input.concurrency ?? pace.concurrency,
    signatures: input.signatures ?? current.signatures,
    recipient: input.recipient === undefined ? current.recipient : input.recipient,
    draft: input.draft ?? current.draft,
  };
}

function paceAt(url: URL, current: WebhookSettings): Pace {
  return current.url === "" ? paceFor(url) : paceAfterMove(current, new URL(current.url), url);
}

function checkSettings(next: WebhookSettings): FieldProblem[] {
  return [...checkName(next.name), ...checkHeaders(next.headers), ...checkRecipient(next)];
}

function checkAcademy(events: readonly EventName[], { clinicHasAcademy }: SettingsRules): FieldProblem[] {
  if (clinicHasAcademy) return [];
  const message = "This clinic does not have Clinic Academy, so this event cannot happen. Leave it out.";
  return events.flatMap((event, index) =>
    GROUPS[eventDefinition(event).group].needsAcademy
      ? [{ field: `events.${index}`, message, code: "no_academy" as const }]
      : [],
  );
}

function checkName(name: string): FieldProblem[] {
  if (!/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name) && name.isWellFormed()) return [];
  const message = "The name holds a line break or another control character. Remove it.";
  return [{ field: "name", message, code: "control_characters" }];
}

function checkRecipient({ recipient, draft, ...settings }: WebhookSettings): FieldProblem[] {
  if (recipient === null) {
    if (draft || !sendsPatients(settings)) return [];
    const message =
      "Patients' data leaves the clinic here. Tell who receives it: organisation, country, purpose, and whether an agreement is on file.";
    return [{ field: "recipient", message, code: "recipient_missing" }];
  }
  if (isCountry(recipient.country)) return [];
  const message = "This is not a country. Write its two letters, such as CA.";
  return [{ field: "recipient.country", message, code: "country" }];
}

const regionNames = new Intl.DisplayNames("en", { type: "region", fallback: "none" });

function isCountry(code: string): boolean {
  return /^[A-Z]{2}$/.test(code) && regionNames.of(code) !== undefined && !["ZZ", "EU", "UN"].includes(code);
}

/**
 * On when saved with events, unless somebody said otherwise; without events there is nothing to be on for. Who turned it off
 * is remembered meanwhile: ticking events again does not turn on what a person, or a receiver, turned off.
 */
function isOn(
  current: WebhookSettings,
  next: WebhookSettings,
  asked: boolean | undefined,
): Pick<WebhookSettings, "enabled" | "offReason"> {
  if (next.draft) return { enabled: false, offReason: null };
  if (next.events.length === 0 && asked !== false) return { enabled: false, offReason: current.offReason };
  if (asked === false) return { enabled: false, offReason: current.offReason ?? "you" };
  if (asked === true || current.enabled || current.offReason === null) return { enabled: true, offReason: null };
  return { enabled: false, offReason: current.offReason };
}
