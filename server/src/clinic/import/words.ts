/**
 * What is wrong with a line, in the clinic's language. English is what the command itself said; French is here, by the code,
 * which says the same with fewer details. One table; a code that is not in it reads as a value that is not accepted.
 */
import type { FieldCode } from "../../errors.ts";
import type { LineError } from "./import-run.ts";

type Locale = "en" | "fr-CA";
type Refusal = "consult_full" | "already_in_consult" | "number_taken" | "too_many_lines" | "too_many_payments";

const FRENCH: Readonly<Partial<Record<FieldCode | Refusal, string>>> = {
  missing: "Cette cellule est vide, mais il faut y écrire quelque chose.",
  empty: "Cette cellule est vide, mais il faut y écrire quelque chose.",
  wrong_type: "Ce n’est pas un nombre. Écrivez-le comme 95,00, sans symbole de devise.",
  too_long: "Le texte est trop long. Raccourcissez-le.",
  too_many: "Il y en a trop. Répartissez-les sur plusieurs lignes.",
  too_small: "Le nombre est trop petit. Écrivez-en un plus grand.",
  too_big: "Le nombre est trop grand. Écrivez-en un plus petit.",
  not_one_of: "Cette valeur n’est pas permise ici. Comparez-la avec le modèle.",
  not_found:
    "Personne ni rien ici ne porte ce numéro, ce nom ou ce courriel. Ajoutez-le d’abord, ou corrigez la ligne.",
  ambiguous: "Il y en a plusieurs avec ce nom ou ce courriel. Pour un patient, écrivez plutôt son numéro.",
  control_characters: "Le texte contient un saut de ligne ou un autre caractère invisible. Enlevez-le.",
  invalid: "Cette valeur ne convient pas ici. Corrigez-la; les lignes d’une même facture doivent dire la même chose.",
  not_a_time: "Ce n’est pas une date avec une heure. Écrivez-la comme 2026-11-03 09:00.",
  not_a_date: "Ce n’est pas une date. Écrivez-la comme 2026-11-03.",
  year_range: "Vérifiez l’année de la date.",
  duration_range: "La durée est un nombre entier de minutes, de 1 à 1440.",
  not_an_email: "Ce n’est pas une adresse de courriel. Écrivez-la comme nom@example.test.",
  already_there: "Cet enregistrement existe déjà, ou figure deux fois dans le fichier. Enlevez la ligne.",
  currency: "Cette devise n’est pas connue.",
  amount_decimals: "Ce montant a plus de décimales que la devise de la clinique.",
  rate_decimals: "Un taux a au plus trois décimales.",
  does_not_add_up: "Les montants de cette ligne ne concordent pas.",
  cell_count: "Cette ligne n’a pas autant de cellules que la première ligne du fichier.",
  consult_full: "Il n’y a plus de place dans cette consultation. Mettez moins de patients.",
  already_in_consult: "Le même patient figure deux fois sur cette ligne.",
  number_taken: "Un autre document porte déjà ce numéro. Choisissez-en un autre.",
  too_many_lines: "Cette facture a trop de lignes. Faites-en deux.",
  too_many_payments: "Cette facture a trop de paiements. Faites-en deux.",
};
const FRENCH_OTHER = "Cette valeur n’est pas acceptée. Comparez la ligne avec le modèle.";

/** The first row of the file of errors. */
export const ERROR_HEADERS: Readonly<Record<Locale, readonly [string, string, string]>> = {
  en: ["line", "column", "what is wrong"],
  "fr-CA": ["ligne", "colonne", "erreur"],
};

/** Canadian French spreadsheets write decimals with a comma, so that cells are parted by semicolons. */
export const DELIMITERS = { en: ",", "fr-CA": ";" } as const satisfies Record<Locale, "," | ";">;

/** The sentence that a person reads of one error. */
export function errorWords({ code, message }: Pick<LineError, "code" | "message">, locale: Locale): string {
  if (locale === "en") return message;
  return (code !== null && Object.hasOwn(FRENCH, code) && FRENCH[code as FieldCode | Refusal]) || FRENCH_OTHER;
}
