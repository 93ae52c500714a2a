/** What a manager shall read of each row of the table of causes, by the way in which its receiver goes wrong (bad-receivers.ts). */
import type { Cause } from "@hookwell/sdk/causes";

export type CauseRow = readonly [way: string, cause: Cause, english: Words, french: Words];

/** All of which stand on the screen. */
export type Words = readonly (string | RegExp)[];

const NEXT = /Nothing to do; next try (today at )?.*\d\d:\d\d\./;
const NEXT_FR = /Rien à faire; prochaine tentative (aujourd’hui à )?.*\d\d\D{1,3}\d\d\./;
const TWICE = "It may have received the message; it may appear twice.";
const TWICE_FR = "Il a peut-être reçu le message; il pourrait apparaître deux fois.";
const ONCE = "It may have received the message. A test is not sent again.";
const ONCE_FR = "Il a peut-être reçu le message. Un essai ne se renvoie pas.";
const FORWARD = "Forward this to whoever runs the other system.";
const FORWARD_FR = "Transmettez ceci à la personne responsable de l’autre système.";
const CHANGED = "The link or password may have changed, or it needs this webhook’s secret.";
const CHANGED_FR = "Le lien ou le mot de passe a peut-être changé, ou il lui faut le secret de ce webhook.";

/** Of a delivery to the receiver that goes wrong in this way. */
export const OF_DELIVERIES: readonly CauseRow[] = [
  [
    "no such name",
    "not_found",
    ["We can’t find this address.", "Check for a typing mistake, or ask who gave it to you.", "Change the address"],
    ["Cette adresse est introuvable.", "Cherchez une faute de frappe", "Changer l’adresse"],
  ],
  [
    "refuses",
    "not_answering",
    ["The other system isn’t answering.", /It may be down\. We keep trying until \w+day \d\d:\d\d\./],
    ["L’autre système ne répond pas.", /Nous continuons d’essayer jusqu’à \p{L}+ \d\d\D{1,3}\d\d/u],
  ],
  [
    "expired",
    "certificate_expired",
    [/Its security certificate has a problem \(it expired on [A-Z].+\d{4}\)\./, FORWARD],
    [/Son certificat de sécurité pose problème \(expiré le \d+ .+ \d{4}\)\./, FORWARD_FR],
  ],
  [
    "self-signed",
    "certificate_self_signed",
    ["Its security certificate has a problem (nobody vouches for it).", FORWARD],
    ["Son certificat de sécurité pose problème (personne ne s’en porte garant).", FORWARD_FR],
  ],
  [
    "wrong name",
    "certificate_wrong_name",
    ["Its security certificate has a problem (it is made out to another address).", FORWARD],
    ["Son certificat de sécurité pose problème (il est établi pour une autre adresse).", FORWARD_FR],
  ],
  ["silent", "timeout", ["It took longer than 15 seconds.", TWICE], ["Il a mis plus de 15 secondes.", TWICE_FR]],
  [
    "401",
    "refused",
    ["It refused our message (401 Unauthorized).", CHANGED],
    ["Il a refusé notre message", CHANGED_FR],
  ],
  ["403", "refused", ["It refused our message (403 Forbidden).", CHANGED], ["Il a refusé notre message", CHANGED_FR]],
  [
    "404",
    "nothing_here",
    ["Nothing lives at this address (404 Not Found).", "Paste the new address into the webhook.", "Change the address"],
    ["Il n’y a rien à cette adresse", "Collez la nouvelle adresse dans le webhook.", "Changer l’adresse"],
  ],
  [
    "410",
    "gone",
    [
      "It asked us to stop (410 Gone), so we turned it off.",
      "Paste the new address into the webhook, then turn it on.",
    ],
    ["Il nous a demandé d’arrêter (410 Gone); nous avons donc désactivé le webhook.", "Collez la nouvelle adresse"],
  ],
  [
    "302",
    "moved_to",
    ["The address has moved to new.hooks.example.test (302).", "Use the new address?", "Use the new address"],
    ["L’adresse a changé pour new.hooks.example.test (302).", "Utiliser la nouvelle adresse?"],
  ],
  [
    "307",
    "moved",
    ["The address has moved (307).", "Ask for the new address and enter it in the webhook."],
    ["L’adresse a changé (307).", "Demandez la nouvelle adresse"],
  ],
  [
    "422",
    "rejected",
    ["It did not accept this message", "Show its answer"],
    ["Il n’a pas accepté ce message", "Montrez sa réponse"],
  ],
  ["429", "busy", ["It’s too busy (429 Too Many Requests).", NEXT], ["Il est trop occupé", NEXT_FR]],
  [
    "503",
    "broken",
    ["It has an internal problem (503 Service Unavailable).", NEXT],
    ["Il a un problème interne", NEXT_FR],
  ],
  [
    "inside",
    "blocked",
    ["For safety we don’t send to internal addresses.", "Ask your administrator."],
    ["Par sécurité, nous n’envoyons rien aux adresses internes.", "Demandez à votre administrateur."],
  ],
  [
    "breaks off",
    "broke_off",
    ["The other system broke off the connection.", TWICE],
    ["L’autre système a coupé la connexion.", TWICE_FR],
  ],
  [
    "zapier",
    "accepted_by_zapier",
    [/Zapier accepted it in \d\.\d\d.s\./, "To see whether your Zap ran, open its history in Zapier."],
    [/Zapier l’a accepté en \d,\d\d.s\./, "ouvrez son historique dans Zapier."],
  ],
  [
    "make",
    "accepted_by_make",
    [/Make accepted it in \d\.\d\d.s\./, "To see whether your scenario ran, open its history in Make."],
    [/Make l’a accepté en \d,\d\d.s\./, "ouvrez son historique dans Make."],
  ],
  [
    "google",
    "accepted_by_google",
    [/Google accepted it in \d\.\d\d.s\./, "To see whether your script ran, open its list of executions."],
    [/Google l’a accepté en \d,\d\d.s\./, "ouvrez sa liste d’exécutions."],
  ],
  ["200", "accepted", [/It answered 200 OK in \d\.\d\d.s\./], [/Il a répondu 200 OK en \d,\d\d.s\./]],
  [
    "strange authority",
    "certificate",
    ["Its security certificate has a problem.", FORWARD],
    ["Son certificat de sécurité pose problème.", FORWARD_FR],
  ],
  [
    "garbled",
    "unreadable",
    ["Its answer could not be understood.", TWICE],
    ["Sa réponse est incompréhensible.", TWICE_FR],
  ],
  [
    "seal damaged",
    "ours",
    ["Something went wrong on our side.", NEXT],
    ["Un problème est survenu de notre côté.", NEXT_FR],
  ],
];

/** Of a test to the same receiver. */
export const OF_TESTS: readonly CauseRow[] = [
  [
    "410",
    "gone_test",
    [
      "It says that this address is no longer in use (410 Gone).",
      "Paste the new address into the webhook.",
      "Change the address",
    ],
    [
      "Il dit que cette adresse n’est plus utilisée (410 Gone).",
      "Collez la nouvelle adresse dans le webhook.",
      "Changer l’adresse",
    ],
  ],
  ["silent", "timeout_test", ["It took longer than 15 seconds.", ONCE], ["Il a mis plus de 15 secondes.", ONCE_FR]],
  [
    "breaks off",
    "broke_off_test",
    ["The other system broke off the connection.", ONCE],
    ["L’autre système a coupé la connexion.", ONCE_FR],
  ],
  [
    "garbled",
    "unreadable_test",
    ["Its answer could not be understood.", ONCE],
    ["Sa réponse est incompréhensible.", ONCE_FR],
  ],
];

/** Of what was under way when its server was killed (interrupted.ts): the delivery was sent again, the test was not. */
export const OF_INTERRUPTED: readonly CauseRow[] = [
  [
    "delivery",
    "unknown",
    ["We don’t know whether it arrived.", /It answered 200 OK in \d\.\d\d.s\./],
    ["Nous ne savons pas s’il est arrivé.", /Il a répondu 200 OK en \d,\d\d.s\./],
  ],
  [
    "test",
    "unknown_test",
    [
      "We don’t know whether it arrived.",
      "We were interrupted while sending. A test is not sent again; send another one.",
    ],
    [
      "Nous ne savons pas s’il est arrivé.",
      "L’envoi a été interrompu. Un essai ne se renvoie pas; faites-en un autre.",
    ],
  ],
];

/** While its request is under way. */
export const SENDING: CauseRow = ["200", "sending", ["Being sent right now."], ["En cours d’envoi."]];
