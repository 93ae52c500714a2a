/**
 * What an e-mail says: one table by kind of notice, in both languages; the causes are the SDK's. Pure. The page has the same
 * kinds in its dictionaries (web/src/i18n, `notices`), since it writes times as its reader has them.
 */
import { causeOf, causeWords } from "@hookwell/sdk/causes";
import type { NoticeKind } from "./kinds.ts";

export type Locale = "en" | "fr-CA";

/** What the sentences may name; times are written already. */
export interface Named {
  readonly name: string;
  readonly cause: string;
  readonly since: string;
  readonly offAt: string;
  readonly startsAt: string;
  readonly expiresAt: string;
  readonly isRemoval: boolean;
  readonly waiting: number;
}

interface Sentences {
  title(named: Named): string;
  text(named: Named): string;
}

const waitsEn = ({ waiting }: Named) =>
  waiting === 0 ? "" : waiting === 1 ? " 1 event is waiting." : ` ${waiting} events are waiting.`;
const waitsFr = ({ waiting }: Named) =>
  waiting === 0 ? "" : waiting === 1 ? " 1 événement est en attente." : ` ${waiting} événements sont en attente.`;

const ENGLISH: Readonly<Record<NoticeKind, Sentences>> = {
  "webhook.failing": {
    title: ({ name }) => `Nothing gets through to “${name}” at the moment`,
    text: (n) => `${n.cause}${sinceEn(n)} We keep trying, and nothing is lost.${waitsEn(n)}`,
  },
  "webhook.still_failing": {
    title: ({ name }) => `“${name}” has not been reached for a day`,
    text: (n) => `${n.cause}${sinceEn(n)} We keep trying, and nothing is lost.${waitsEn(n)}`,
  },
  "webhook.off_soon": {
    title: ({ name, offAt }) => `“${name}” will be turned off ${offAt === "" ? "soon" : `on ${offAt}`}`,
    text: (n) =>
      `${n.cause}${sinceEn(n)} If it still cannot be reached by then, we turn it off. What is waiting is kept.${waitsEn(n)}`,
  },
  "webhook.turned_off": {
    title: ({ name }) => `“${name}” was turned off`,
    text: (n) =>
      `Nothing got through for five days, so we turned it off. ${n.cause} What is waiting is kept: once the other system works, turn the webhook on again.${waitsEn(n)}`,
  },
  "webhook.gone": {
    title: ({ name }) => `“${name}” asked us to stop, so we turned it off`,
    text: (n) =>
      `The other system says that this address is no longer in use. Paste the new address, then turn the webhook on.${waitsEn(n)}`,
  },
  "webhook.recovered": {
    title: ({ name }) => `“${name}” works again`,
    text: () => "What was waiting is being sent now. There is nothing to do.",
  },
  "delivery.late": {
    title: ({ name, startsAt }) =>
      `“${name}” has not heard of a change of ${startsAt === "" ? "a consult" : `the consult on ${startsAt}`}`,
    text: ({ isRemoval }) =>
      `${isRemoval ? "Somebody was removed from it, or it was cancelled" : "It was changed"}, and the other system does not know yet. If it matters, tell them by other means.`,
  },
  "deliveries.expiring": {
    title: ({ name }) => `Some of what waits for “${name}” will soon no longer be kept`,
    text: (n) =>
      `${n.expiresAt === "" ? "Soon" : `On ${n.expiresAt}`} its content is removed, and it can no longer be sent. Until then, it is sent as soon as the other system works.${waitsEn(n)}`,
  },
  "webhook.address_changed": {
    title: ({ name }) => `“${name}” sends to another address now`,
    text: () => "A manager changed it. If this was not agreed, turn the webhook off and look at the history.",
  },
  "webhook.patient_data_on": {
    title: ({ name }) => `“${name}” sends more about patients now`,
    text: () => "A manager switched it on. If this was not agreed, switch it off again and look at the history.",
  },
};

const FRENCH: Readonly<Record<NoticeKind, Sentences>> = {
  "webhook.failing": {
    title: ({ name }) => `Rien ne parvient à « ${name} » en ce moment`,
    text: (n) => `${n.cause}${sinceFr(n)} Nous continuons d’essayer, et rien n’est perdu.${waitsFr(n)}`,
  },
  "webhook.still_failing": {
    title: ({ name }) => `« ${name} » est injoignable depuis un jour`,
    text: (n) => `${n.cause}${sinceFr(n)} Nous continuons d’essayer, et rien n’est perdu.${waitsFr(n)}`,
  },
  "webhook.off_soon": {
    title: ({ name, offAt }) => `« ${name} » sera désactivé ${offAt === "" ? "bientôt" : `le ${offAt}`}`,
    text: (n) =>
      `${n.cause}${sinceFr(n)} S’il est toujours injoignable à ce moment, nous le désactiverons. Ce qui attend est conservé.${waitsFr(n)}`,
  },
  "webhook.turned_off": {
    title: ({ name }) => `« ${name} » a été désactivé`,
    text: (n) =>
      `Rien n’est parvenu depuis cinq jours; nous avons donc désactivé le webhook. ${n.cause} Ce qui attend est conservé : quand l’autre système fonctionnera, réactivez le webhook.${waitsFr(n)}`,
  },
  "webhook.gone": {
    title: ({ name }) => `« ${name} » nous a demandé d’arrêter; nous avons donc désactivé le webhook`,
    text: (n) =>
      `L’autre système indique que cette adresse n’est plus utilisée. Collez la nouvelle adresse, puis réactivez le webhook.${waitsFr(n)}`,
  },
  "webhook.recovered": {
    title: ({ name }) => `« ${name} » fonctionne de nouveau`,
    text: () => "Ce qui attendait est en cours d’envoi. Il n’y a rien à faire.",
  },
  "delivery.late": {
    title: ({ name, startsAt }) =>
      `« ${name} » ignore encore un changement ${startsAt === "" ? "d’une consultation" : `de la consultation du ${startsAt}`}`,
    text: ({ isRemoval }) =>
      `${isRemoval ? "Une personne en a été retirée, ou elle a été annulée" : "Elle a été modifiée"}, et l’autre système ne le sait pas encore. Si c’est important, prévenez-le par un autre moyen.`,
  },
  "deliveries.expiring": {
    title: ({ name }) => `Une partie de ce qui attend pour « ${name} » ne sera bientôt plus conservée`,
    text: (n) =>
      `${n.expiresAt === "" ? "Bientôt" : `Le ${n.expiresAt}`}, son contenu sera supprimé et ne pourra plus être envoyé. D’ici là, il sera envoyé dès que l’autre système fonctionnera.${waitsFr(n)}`,
  },
  "webhook.address_changed": {
    title: ({ name }) => `« ${name} » envoie maintenant à une autre adresse`,
    text: () =>
      "Un gestionnaire l’a changée. Si ce n’était pas convenu, désactivez le webhook et consultez l’historique.",
  },
  "webhook.patient_data_on": {
    title: ({ name }) => `« ${name} » envoie maintenant plus de données sur les patients`,
    text: () => "Un gestionnaire l’a activé. Si ce n’était pas convenu, désactivez-le et consultez l’historique.",
  },
};

function sinceEn({ since }: Named): string {
  return since === "" ? "" : ` It has been failing since ${since}.`;
}

function sinceFr({ since }: Named): string {
  return since === "" ? "" : ` Les envois échouent depuis le ${since}.`;
}

/** The sentence for an attempt's outcome, and what to do about it; empty where none is known. */
export function causeSentence(locale: Locale, outcome: string | undefined, status: number | undefined): string {
  if (outcome === undefined) return "";
  const { text, advice } = causeWords(causeOf({ outcome, status: status ?? null }), locale);
  return advice === "" ? text : `${text} ${advice}`;
}

/** Title and text of one notice. */
export function noticeWords(locale: Locale, kind: NoticeKind, named: Named): { title: string; text: string } {
  const sentences = (locale === "en" ? ENGLISH : FRENCH)[kind];
  return { title: sentences.title(named), text: sentences.text(named).trim() };
}

/** What stands around the notices. */
export const FRAME = {
  en: {
    subject: (clinic: string, title: string) => `${clinic}: ${title}`,
    several: (count: number) => `${count} notices about your webhooks`,
    open: "Open it in Hookwell",
    openAt: (link: string) => `Open it in Hookwell: ${link}`,
    more: (count: number) => `and ${count} more. See them all:`,
    all: "See all notices",
    nameless: "a webhook",
    why: (clinic: string) => `You get this because you are a manager of ${clinic}.`,
  },
  "fr-CA": {
    subject: (clinic: string, title: string) => `${clinic} : ${title}`,
    several: (count: number) => `${count} avis au sujet de vos webhooks`,
    open: "Ouvrir dans Hookwell",
    openAt: (link: string) => `Ouvrir dans Hookwell : ${link}`,
    more: (count: number) => `et ${count} de plus. Voir tous les avis :`,
    all: "Voir tous les avis",
    nameless: "un webhook",
    why: (clinic: string) => `Vous recevez ce message parce que vous êtes gestionnaire de ${clinic}.`,
  },
} as const;
