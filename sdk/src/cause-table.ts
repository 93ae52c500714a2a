/**
 * The one table of causes: how an attempt can end, in a manager's words, and what to do about it, in both languages.
 *
 * Owns every word that is said of a cause, on the page, in the API and in e-mails. Promises that a row has the same values to
 * fill in, in each language (causes.test.ts), and that a receiver has brought it about and it was read off the screen
 * (e2e/causes.long.test.ts). Which row an attempt belongs to is in causes.ts. Source: experience.md, "The
 * manager".
 */
import type { Language } from "./catalogue.ts";

/** The first variant whose values are all known is said. */
export type Variants = Readonly<Record<Language, readonly string[]>>;

export interface CauseWords {
  readonly tone: "good" | "calm" | "warn" | "bad";
  readonly text: Variants;
  /** Null where there is nothing to do. */
  readonly advice: Variants | null;
}

const MAY_APPEAR_TWICE: Variants = {
  en: ["It may have received the message; it may appear twice."],
  "fr-CA": ["Il a peut-être reçu le message; il pourrait apparaître deux fois."],
};
/** Of a test: it is never sent again. */
const MAY_HAVE_RECEIVED: Variants = {
  en: ["It may have received the message. A test is not sent again."],
  "fr-CA": ["Il a peut-être reçu le message. Un essai ne se renvoie pas."],
};
const NOTHING_TO_DO: Variants = {
  en: ["Nothing to do; next try {next}.", "Tell whoever runs the other system."],
  "fr-CA": ["Rien à faire; prochaine tentative {next}.", "Avisez la personne responsable de l’autre système."],
};
const FORWARD: Variants = {
  en: ["Forward this to whoever runs the other system."],
  "fr-CA": ["Transmettez ceci à la personne responsable de l’autre système."],
};

const TOO_LONG: Variants = { en: ["It took longer than 15 seconds."], "fr-CA": ["Il a mis plus de 15 secondes."] };
const BROKE_OFF: Variants = {
  en: ["The other system broke off the connection."],
  "fr-CA": ["L’autre système a coupé la connexion."],
};
const UNREADABLE: Variants = {
  en: ["Its answer could not be understood."],
  "fr-CA": ["Sa réponse est incompréhensible."],
};
const UNKNOWN: Variants = {
  en: ["We don’t know whether it arrived."],
  "fr-CA": ["Nous ne savons pas s’il est arrivé."],
};

const certificate = (en: readonly string[], fr: readonly string[]): CauseWords => ({
  tone: "bad",
  text: {
    en: en.map((problem) => `Its security certificate has a problem${problem}.`),
    "fr-CA": fr.map((problem) => `Son certificat de sécurité pose problème${problem}.`),
  },
  advice: FORWARD,
});

export const CAUSES = {
  accepted: {
    tone: "good",
    text: {
      en: ["It answered {status} in {seconds}.", "It answered {status}."],
      "fr-CA": ["Il a répondu {status} en {seconds}.", "Il a répondu {status}."],
    },
    advice: null,
  },
  accepted_by_zapier: {
    tone: "good",
    text: {
      en: ["Zapier accepted it in {seconds}.", "Zapier accepted it."],
      "fr-CA": ["Zapier l’a accepté en {seconds}.", "Zapier l’a accepté."],
    },
    advice: {
      en: ["To see whether your Zap ran, open its history in Zapier."],
      "fr-CA": ["Pour savoir si votre Zap a fonctionné, ouvrez son historique dans Zapier."],
    },
  },
  accepted_by_make: {
    tone: "good",
    text: {
      en: ["Make accepted it in {seconds}.", "Make accepted it."],
      "fr-CA": ["Make l’a accepté en {seconds}.", "Make l’a accepté."],
    },
    advice: {
      en: ["To see whether your scenario ran, open its history in Make."],
      "fr-CA": ["Pour savoir si votre scénario a fonctionné, ouvrez son historique dans Make."],
    },
  },
  accepted_by_google: {
    tone: "good",
    text: {
      en: ["Google accepted it in {seconds}.", "Google accepted it."],
      "fr-CA": ["Google l’a accepté en {seconds}.", "Google l’a accepté."],
    },
    advice: {
      en: ["To see whether your script ran, open its list of executions."],
      "fr-CA": ["Pour savoir si votre script a fonctionné, ouvrez sa liste d’exécutions."],
    },
  },
  moved: {
    tone: "bad",
    text: {
      en: ["The address has moved ({status}).", "The address has moved."],
      "fr-CA": ["L’adresse a changé ({status}).", "L’adresse a changé."],
    },
    advice: {
      en: ["Ask for the new address and enter it in the webhook."],
      "fr-CA": ["Demandez la nouvelle adresse et inscrivez-la dans le webhook."],
    },
  },
  moved_to: {
    tone: "bad",
    text: {
      en: ["The address has moved to {host} ({status}).", "The address has moved to {host}."],
      "fr-CA": ["L’adresse a changé pour {host} ({status}).", "L’adresse a changé pour {host}."],
    },
    advice: { en: ["Use the new address?"], "fr-CA": ["Utiliser la nouvelle adresse?"] },
  },
  rejected: {
    tone: "bad",
    text: {
      en: ["It did not accept this message ({status}).", "It does not accept our messages."],
      "fr-CA": ["Il n’a pas accepté ce message ({status}).", "Il n’accepte pas nos messages."],
    },
    advice: {
      en: ["Show its answer to whoever runs the other system."],
      "fr-CA": ["Montrez sa réponse à la personne responsable de l’autre système."],
    },
  },
  refused: {
    tone: "bad",
    text: {
      en: ["It refused our message ({status}).", "It refuses our messages."],
      "fr-CA": ["Il a refusé notre message ({status}).", "Il refuse nos messages."],
    },
    advice: {
      en: ["The link or password may have changed, or it needs this webhook’s secret."],
      "fr-CA": ["Le lien ou le mot de passe a peut-être changé, ou il lui faut le secret de ce webhook."],
    },
  },
  nothing_here: {
    tone: "bad",
    text: {
      en: ["Nothing lives at this address ({status}).", "Nothing lives at this address."],
      "fr-CA": ["Il n’y a rien à cette adresse ({status}).", "Il n’y a rien à cette adresse."],
    },
    advice: {
      en: ["Paste the new address into the webhook."],
      "fr-CA": ["Collez la nouvelle adresse dans le webhook."],
    },
  },
  gone: {
    tone: "bad",
    text: {
      en: ["It asked us to stop ({status}), so we turned it off.", "It asked us to stop, so we turned it off."],
      "fr-CA": [
        "Il nous a demandé d’arrêter ({status}); nous avons donc désactivé le webhook.",
        "Il nous a demandé d’arrêter; nous avons donc désactivé le webhook.",
      ],
    },
    advice: {
      en: ["Paste the new address into the webhook, then turn it on."],
      "fr-CA": ["Collez la nouvelle adresse dans le webhook, puis réactivez-le."],
    },
  },
  gone_test: {
    tone: "bad",
    text: {
      en: ["It says that this address is no longer in use ({status})."],
      "fr-CA": ["Il dit que cette adresse n’est plus utilisée ({status})."],
    },
    advice: {
      en: ["Paste the new address into the webhook."],
      "fr-CA": ["Collez la nouvelle adresse dans le webhook."],
    },
  },
  busy: {
    tone: "bad",
    text: {
      en: ["It’s too busy ({status}).", "It’s too busy."],
      "fr-CA": ["Il est trop occupé ({status}).", "Il est trop occupé."],
    },
    advice: NOTHING_TO_DO,
  },
  broken: {
    tone: "bad",
    text: {
      en: ["It has an internal problem ({status}).", "It has an internal problem."],
      "fr-CA": ["Il a un problème interne ({status}).", "Il a un problème interne."],
    },
    advice: NOTHING_TO_DO,
  },
  timeout: { tone: "bad", text: TOO_LONG, advice: MAY_APPEAR_TWICE },
  timeout_test: { tone: "bad", text: TOO_LONG, advice: MAY_HAVE_RECEIVED },
  not_found: {
    tone: "bad",
    text: { en: ["We can’t find this address."], "fr-CA": ["Cette adresse est introuvable."] },
    advice: {
      en: ["Check for a typing mistake, or ask who gave it to you."],
      "fr-CA": ["Cherchez une faute de frappe, ou demandez à la personne qui vous l’a donnée."],
    },
  },
  not_answering: {
    tone: "bad",
    text: { en: ["The other system isn’t answering."], "fr-CA": ["L’autre système ne répond pas."] },
    advice: {
      en: ["It may be down. We keep trying until {until}.", "It may be down. Tell whoever runs it."],
      "fr-CA": [
        "Il est peut-être en panne. Nous continuons d’essayer jusqu’à {until}.",
        "Il est peut-être en panne. Avisez la personne responsable.",
      ],
    },
  },
  certificate: certificate([""], [""]),
  certificate_expired: certificate(
    [" (it expired on {expired})", " (it has expired)"],
    [" (expiré le {expired})", " (il est expiré)"],
  ),
  certificate_self_signed: certificate([" (nobody vouches for it)"], [" (personne ne s’en porte garant)"]),
  certificate_wrong_name: certificate(
    [" (it is made out to another address)"],
    [" (il est établi pour une autre adresse)"],
  ),
  blocked: {
    tone: "bad",
    text: {
      en: ["For safety we don’t send to internal addresses."],
      "fr-CA": ["Par sécurité, nous n’envoyons rien aux adresses internes."],
    },
    advice: { en: ["Ask your administrator."], "fr-CA": ["Demandez à votre administrateur."] },
  },
  broke_off: { tone: "bad", text: BROKE_OFF, advice: MAY_APPEAR_TWICE },
  broke_off_test: { tone: "bad", text: BROKE_OFF, advice: MAY_HAVE_RECEIVED },
  unreadable: { tone: "bad", text: UNREADABLE, advice: MAY_APPEAR_TWICE },
  unreadable_test: { tone: "bad", text: UNREADABLE, advice: MAY_HAVE_RECEIVED },
  ours: {
    tone: "warn",
    text: { en: ["Something went wrong on our side."], "fr-CA": ["Un problème est survenu de notre côté."] },
    advice: {
      en: ["Nothing to do; next try {next}.", "Please try again."],
      "fr-CA": ["Rien à faire; prochaine tentative {next}.", "Veuillez réessayer."],
    },
  },
  unknown: {
    tone: "warn",
    text: UNKNOWN,
    advice: {
      en: [
        "We were interrupted while sending. Next try {next}; it may appear twice.",
        "We were interrupted while sending. If it is sent again, it may appear twice.",
      ],
      "fr-CA": [
        "L’envoi a été interrompu. Prochaine tentative {next}; il pourrait apparaître deux fois.",
        "L’envoi a été interrompu. S’il est renvoyé, il pourrait apparaître deux fois.",
      ],
    },
  },
  unknown_test: {
    tone: "warn",
    text: UNKNOWN,
    advice: {
      en: ["We were interrupted while sending. A test is not sent again; send another one."],
      "fr-CA": ["L’envoi a été interrompu. Un essai ne se renvoie pas; faites-en un autre."],
    },
  },
  sending: {
    tone: "calm",
    text: { en: ["Being sent right now."], "fr-CA": ["En cours d’envoi."] },
    advice: null,
  },
} as const satisfies Record<string, CauseWords>;

export type Cause = keyof typeof CAUSES;
