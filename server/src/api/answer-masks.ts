/**
 * Patients in what receivers answered. Many repeat what they were sent, and a body shows patients as dots until somebody says
 * why they need to see them: so the same names and addresses stand as dots in the answer. Where the content is no longer kept
 * nobody can tell them, and the answer is not shown. Does not find what a receiver has changed beyond the usual spellings.
 */
import { eventDefinition } from "@hookwell/sdk";
import type { Tx } from "../db/schema.ts";
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

/** The masks of deliveries, each with those of its attempts that will be shown; one statement for all of them. */
export async function readAnswerMasks(
  { tx, clinicId, seal }: { tx: Tx; clinicId: number; seal: ClinicSeal },
  shown: readonly { delivery: LoggedDelivery; attempts: readonly LoggedAttempt[] }[],
): Promise<(delivery: LoggedDelivery) => AnswerMask> {
  const masked = shown.filter(({ delivery, attempts }) =>
    attempts.some((attempt) => attempt.answer !== null && isAnswerOfPatients(delivery, attempt)),
  );
  const facts = await readFacts(tx, clinicId, [...new Set(masked.map(({ delivery }) => delivery.eventId))]);
  const masks = new Map(
    masked.map(({ delivery }) => {
      const kept = facts.get(delivery.eventId);
      return [delivery, kept === undefined ? () => null : maskFor(wordsOf(delivery, kept, seal))];
    }),
  );
  return (delivery) => masks.get(delivery) ?? ((text) => text);
}

async function readFacts(tx: Tx, clinicId: number, ids: readonly string[]): Promise<Map<string, Buffer>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom("events")
    .select(["id", "facts"])
    .where("clinic_id", "=", clinicId)
    .where("id", "in", ids)
    .execute();
  return new Map(rows.flatMap(({ id, facts }) => (facts === null ? [] : [[id, facts]])));
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
