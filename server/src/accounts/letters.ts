/**
 * The letters about accounts: what they say, in both languages. Pure. Each holds one link that opens something, so each says
 * who can have asked for it, how long the link is good for, and that nothing happens without it.
 */
import type { StaffRole } from "./principal.ts";

export type LetterLocale = "en" | "fr-CA";

export interface AccountLetter {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** What a letter is about; `clinic` is a name, as people wrote it. */
export type LetterKind =
  | { readonly kind: "reset"; readonly minutes: number }
  | { readonly kind: "password_changed" }
  | { readonly kind: "second_factor_removed" }
  | { readonly kind: "invitation"; readonly clinic: string; readonly role: StaffRole; readonly days: number }
  | { readonly kind: "portal_confirm"; readonly clinic: string; readonly hours: number }
  | { readonly kind: "portal_known"; readonly clinic: string; readonly minutes: number }
  | { readonly kind: "portal_reset"; readonly clinic: string; readonly minutes: number };

interface Words {
  readonly subject: string;
  readonly says: readonly string[];
  /** What the link does. */
  readonly action: string;
  readonly foot: string;
}

type WordsOf = { readonly [Kind in LetterKind["kind"]]: (letter: Extract<LetterKind, { kind: Kind }>) => Words };

const ROLES: Readonly<Record<LetterLocale, Readonly<Record<StaffRole, string>>>> = {
  en: { manager: "manager", practitioner: "practitioner", front_desk: "front desk" },
  "fr-CA": { manager: "gestionnaire", practitioner: "praticien", front_desk: "accueil" },
};

const ENGLISH_IGNORE = "If you did not ask for this, you need do nothing: without the link nothing changes.";

const ENGLISH: WordsOf = {
  reset: (letter) => ({
    subject: "Choose a new Hookwell password",
    says: [
      "Somebody, most likely you, asked for a new password for this e-mail address.",
      `The link works once, for ${letter.minutes} minutes. Afterwards you sign in again everywhere.`,
    ],
    action: "Choose a new password",
    foot: ENGLISH_IGNORE,
  }),
  password_changed: () => ({
    subject: "Your Hookwell password was changed",
    says: ["The password of your Hookwell account was changed just now. Other devices have been signed out."],
    action: "Sign in",
    foot: "If that was not you, choose “Forgot your password?” at the sign-in at once, and tell a manager of your clinic.",
  }),
  second_factor_removed: () => ({
    subject: "The second step of your Hookwell sign-in was turned off",
    says: [
      "The operator of this Hookwell turned off the second step of your sign-in, because somebody, most likely you, had lost it. You have been signed out everywhere. Your password is what it was.",
      "Sign in, and turn the second step on again under Your account.",
    ],
    action: "Sign in",
    foot: "If you did not ask for this, choose “Forgot your password?” at the sign-in now, and tell a manager of your clinic.",
  }),
  invitation: (letter) => ({
    subject: `${letter.clinic} invites you to Hookwell`,
    says: [
      `${letter.clinic} gives you access to its Hookwell, as ${ROLES.en[letter.role]}.`,
      `The link works once, for ${letter.days} days.`,
    ],
    action: "Accept the invitation",
    foot: `If you do not know ${letter.clinic}, you need do nothing: without the link nothing happens.`,
  }),
  portal_confirm: (letter) => ({
    subject: `${letter.clinic}: confirm your e-mail`,
    says: [
      `Somebody, most likely you, created a patient account at ${letter.clinic} with this e-mail address.`,
      `Open the link within ${letter.hours} hours and enter the password you chose.`,
    ],
    action: "Confirm my e-mail",
    foot: "If it was not you, you need do nothing: the account stays closed.",
  }),
  portal_known: (letter) => ({
    subject: `${letter.clinic}: you have an account already`,
    says: [
      `Somebody, most likely you, wanted to create a patient account at ${letter.clinic}. This e-mail address has one already, and nothing was changed.`,
      `If you do not remember the password, the link lets you choose a new one. It works once, for ${letter.minutes} minutes.`,
    ],
    action: "Choose a new password",
    foot: ENGLISH_IGNORE,
  }),
  portal_reset: (letter) => ({
    subject: `${letter.clinic}: choose a new password`,
    says: [
      `Somebody, most likely you, asked for a new password for your patient account at ${letter.clinic}.`,
      `The link works once, for ${letter.minutes} minutes.`,
    ],
    action: "Choose a new password",
    foot: ENGLISH_IGNORE,
  }),
};

const FRENCH_IGNORE = "Si vous n’avez rien demandé, vous n’avez rien à faire : sans le lien, rien ne change.";

const FRENCH: WordsOf = {
  reset: (letter) => ({
    subject: "Choisissez un nouveau mot de passe Hookwell",
    says: [
      "Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour cette adresse courriel.",
      `Le lien fonctionne une fois, pendant ${letter.minutes} minutes. Ensuite, vous devrez vous reconnecter partout.`,
    ],
    action: "Choisir un nouveau mot de passe",
    foot: FRENCH_IGNORE,
  }),
  password_changed: () => ({
    subject: "Votre mot de passe Hookwell a été changé",
    says: ["Le mot de passe de votre compte Hookwell vient d’être changé. Les autres appareils ont été déconnectés."],
    action: "Se connecter",
    foot: "Si ce n’était pas vous, choisissez tout de suite « Mot de passe oublié? » à la connexion et prévenez un gestionnaire de votre clinique.",
  }),
  second_factor_removed: () => ({
    subject: "La deuxième étape de votre connexion à Hookwell a été désactivée",
    says: [
      "L’exploitant de ce Hookwell a désactivé la deuxième étape de votre connexion, parce que quelqu’un, sans doute vous, l’avait perdue. Vous avez été déconnecté partout. Votre mot de passe n’a pas changé.",
      "Connectez-vous, puis réactivez la deuxième étape sous Votre compte.",
    ],
    action: "Se connecter",
    foot: "Si vous ne l’avez pas demandé, choisissez tout de suite « Mot de passe oublié? » à la connexion et prévenez un gestionnaire de votre clinique.",
  }),
  invitation: (letter) => ({
    subject: `${letter.clinic} vous invite sur Hookwell`,
    says: [
      `${letter.clinic} vous donne accès à Hookwell. Votre rôle : ${ROLES["fr-CA"][letter.role]}.`,
      `Le lien fonctionne une fois, pendant ${letter.days} jours.`,
    ],
    action: "Accepter l’invitation",
    foot: `Si vous ne connaissez pas ${letter.clinic}, vous n’avez rien à faire : sans le lien, rien ne se passe.`,
  }),
  portal_confirm: (letter) => ({
    subject: `${letter.clinic} : confirmez votre courriel`,
    says: [
      `Quelqu’un, sans doute vous, a créé un compte de patient à ${letter.clinic} avec cette adresse courriel.`,
      `Ouvrez le lien d’ici ${letter.hours} heures et entrez le mot de passe que vous avez choisi.`,
    ],
    action: "Confirmer mon courriel",
    foot: "Si ce n’était pas vous, vous n’avez rien à faire : le compte reste fermé.",
  }),
  portal_known: (letter) => ({
    subject: `${letter.clinic} : vous avez déjà un compte`,
    says: [
      `Quelqu’un, sans doute vous, a voulu créer un compte de patient à ${letter.clinic}. Cette adresse courriel en a déjà un, et rien n’a changé.`,
      `Si vous avez oublié le mot de passe, le lien permet d’en choisir un nouveau. Il fonctionne une fois, pendant ${letter.minutes} minutes.`,
    ],
    action: "Choisir un nouveau mot de passe",
    foot: FRENCH_IGNORE,
  }),
  portal_reset: (letter) => ({
    subject: `${letter.clinic} : choisissez un nouveau mot de passe`,
    says: [
      `Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour votre compte de patient à ${letter.clinic}.`,
      `Le lien fonctionne une fois, pendant ${letter.minutes} minutes.`,
    ],
    action: "Choisir un nouveau mot de passe",
    foot: FRENCH_IGNORE,
  }),
};

/** @param link where its action is done; whole, with the origin */
export function composeAccountLetter(letter: LetterKind, locale: LetterLocale, link: string): AccountLetter {
  const named = "clinic" in letter ? { ...letter, clinic: plain(letter.clinic) } : letter;
  const words = wordsOf(named, locale);
  const text = [...words.says, `${words.action}\n${link}`, `--\n${words.foot}`].join("\n\n");
  const paragraphs = [
    ...words.says.map((said) => `<p>${escaped(said)}</p>`),
    `<p><a href="${escaped(link)}">${escaped(words.action)}</a></p>`,
    `<p><small>${escaped(words.foot)}</small></p>`,
  ].join("\n");
  const html = `<!doctype html>\n<html lang="${locale}"><head><meta charset="utf-8"></head><body>\n${paragraphs}\n</body></html>\n`;
  return { subject: words.subject, text: `${text}\n`, html };
}

function wordsOf<Kind extends LetterKind["kind"]>(
  letter: Extract<LetterKind, { kind: Kind }>,
  locale: LetterLocale,
): Words {
  const say: (letter: Extract<LetterKind, { kind: Kind }>) => Words = (locale === "en" ? ENGLISH : FRENCH)[letter.kind];
  return say(letter);
}

/** A clinic's name comes from people: without control characters it can begin neither a header nor a line of its own. */
function plain(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
