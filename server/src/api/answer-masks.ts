/**
 * Patients in what receivers answered. Many repeat what they were sent, and a body shows patients as dots until somebody says
 * why they need to see them: so the same names and addresses stand as dots in the answer. Where the content is no longer kept
 * nobody can tell them, and the answer is not shown. Does not find what a receiver has changed beyond the usual spellings.
 */
import { eventDefinition } from "@hookwell/sdk";
import { renderBody } from "../delivery/attempt.ts";
import type { ClinicSeal } from "../seal/seal.ts";
import { MASK } from "../webhooks/masking.ts";
import type { LoggedAttempt } from "./attempt-log.ts";
import type { LoggedDelivery } from "./delivery-log.ts";
import { isAnswerOfPatients } from "./veil.ts";

/** Shows a text with dots; null where it cannot be told what of it are patients. `cut`: its end is missing. */
export type AnswerMask = (text: string, cut?: boolean) => string | null;

/** A cut name of fewer characters is not told from other text. */
const CUT_MIN_CHARACTERS = 2;

interface Shown {
  readonly delivery: LoggedDelivery;
  /** Those that will be shown. */
  readonly attempts: readonly LoggedAttempt[];
}

/** Pure. Whose answers can be masked only with their events' facts. */
export function needingFacts(shown: readonly Shown[]): LoggedDelivery[] {
  return shown.flatMap(({ delivery, attempts }) =>
    attempts.some((attempt) => attempt.answer !== null && isAnswerOfPatients(delivery, attempt)) ? [delivery] : [],
  );
}

/** Pure. The masks of deliveries, from the facts of those that need them (event-facts.ts). */
export function answerMasks(
  shown: readonly Shown[],
  facts: ReadonlyMap<string, Buffer>,
  seal: ClinicSeal,
): (delivery: LoggedDelivery) => AnswerMask {
  const masks = new Map(
    needingFacts(shown).map((delivery) => {
      const kept = facts.get(delivery.eventId);
      return [delivery, kept === undefined ? () => null : maskFor(wordsOf(delivery, kept, seal))];
    }),
  );
  return (delivery) => masks.get(delivery) ?? ((text) => text);
}

/** Names and e-mails of the patients that its body may tell of. */
function wordsOf(delivery: LoggedDelivery, facts: Buffer, seal: ClinicSeal): string[] {
  const { patientKey } = eventDefinition(delivery.event);
  const body = JSON.parse(renderBody({ ...delivery, facts }, seal, { practitioner: "off", patient: "all" }));
  return [body].flat().flatMap((one: Record<string, { name: string; email: string | null } | null>) => {
    const patient = one[patientKey];
    return patient ? [patient.name, patient.email ?? ""] : [];
  });
}

/** Pure. Dots for each of the words, in whatever case, as text, JSON, HTML or part of an address. */
export function maskFor(words: readonly string[]): AnswerMask {
  const spellings = [...new Set(words.filter((word) => word !== "").flatMap(spellingsOf))];
  // The longest first: a name may begin with another one.
  const longestFirst = spellings.toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((text) => escaped(text)).join("|"), "giu");
  return (text, cut = false) => {
    if (spellings.length === 0) return text;
    const shown = text.replace(pattern, MASK);
    return cut ? withoutCutWord(shown, spellings) : shown;
  };
}

/** As a part of a pattern that means the text itself. */
function escaped(text: string): string {
  return text.replace(/[\^$.*+?()[\]{}|/\\]/g, "\\$&");
}

function spellingsOf(word: string): string[] {
  const forms = [word, word.normalize("NFC"), word.normalize("NFD")].map((form) => form.toWellFormed());
  return forms.flatMap((form) => {
    const json = JSON.stringify(form).slice(1, -1);
    const ascii = json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    const inAddress = encodeURIComponent(form);
    const inForm = new URLSearchParams([["", form]]).toString().slice(1);
    const html = form
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;");
    const quotes = ["&#39;", "&#x27;", "&apos;"].map((quote) => html.replaceAll("'", quote));
    return [form, json, ascii, inAddress, inForm, html, ...quotes];
  });
}

/** The text whose end may be the beginning of a word. */
function withoutCutWord(text: string, spellings: readonly string[]): string {
  const lower = text.toLowerCase();
  let cutCharacters = 0;
  for (const spelling of spellings) {
    for (let length = spelling.length - 1; length >= Math.max(CUT_MIN_CHARACTERS, cutCharacters + 1); length--) {
      if (lower.endsWith(spelling.slice(0, length).toLowerCase())) cutCharacters = length;
    }
  }
  return cutCharacters === 0 ? text : text.slice(0, -cutCharacters) + MASK;
}
