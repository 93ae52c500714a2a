/**
 * The table of truth: 5 groups and 13 events (contract §1).
 *
 * Owns what every event is called, when it fires and when it does not, which persons it can carry and what it is
 * about. Everything else that lists events (types, schemas, forms, documentation) is derived from here.
 * Promises that the order is the documented one. Does not hold the shapes themselves: those are in `payloads/`.
 */

/** The languages that every wording exists in. */
export const LANGUAGES = ["en", "fr-CA"] as const;
export type Language = (typeof LANGUAGES)[number];

/** One text for people, in every language. */
export type Wording = Readonly<Record<Language, string>>;

/** What a webhook's order and `webhook-subject` are kept by (contract §7, Subjects). */
export const SUBJECT_KINDS = [
  "consult",
  "invoice",
  "membership",
  "patient",
  "course-access",
  "webinar-access",
] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** The noun whose file in `payloads/` holds the event's shape. */
export type ShapeName = "consult" | "invoice" | "account" | "academy" | "membership";

export interface GroupDefinition {
  readonly label: Wording;
  /** True where only clinics with Clinic Academy can use the group; others see it disabled, with the reason. */
  readonly needsAcademy: boolean;
}

/** One *Configure* each, in the order of the page. */
export const GROUPS = {
  consults: { label: { en: "Consults", "fr-CA": "Consultations" }, needsAcademy: false },
  invoices: { label: { en: "Invoices and packages", "fr-CA": "Factures et forfaits" }, needsAcademy: false },
  accounts: { label: { en: "Patient accounts", "fr-CA": "Comptes de patients" }, needsAcademy: false },
  academy: { label: { en: "Courses and webinars", "fr-CA": "Formations et webinaires" }, needsAcademy: true },
  memberships: { label: { en: "Memberships", "fr-CA": "Abonnements" }, needsAcademy: false },
} as const satisfies Record<string, GroupDefinition>;

export type GroupName = keyof typeof GROUPS;

export interface EventDefinition {
  readonly group: GroupName;
  /** A few plain words for a manager. */
  readonly label: Wording;
  /** When it fires. */
  readonly sentence: Wording;
  /** When it does not, where one might expect it to. */
  readonly firesNot: Wording;
  readonly shape: ShapeName;
  /** Whether the body can carry a `practitioner` block. */
  readonly practitioner: boolean;
  /** The key under which the body carries the patient. */
  readonly patientKey: "participant" | "client";
  /** True where the patient is the message itself and is sent whatever the data choice says (contract §2). */
  readonly patientAlways: boolean;
  readonly subject: SubjectKind;
}

const CONSULT = {
  group: "consults",
  shape: "consult",
  practitioner: true,
  patientKey: "participant",
  patientAlways: false,
  subject: "consult",
} as const;

const INVOICE = {
  group: "invoices",
  shape: "invoice",
  practitioner: true,
  patientKey: "client",
  patientAlways: false,
  subject: "invoice",
} as const;

const ACADEMY = {
  group: "academy",
  shape: "academy",
  practitioner: false,
  patientKey: "client",
  patientAlways: false,
} as const;

const MEMBERSHIP = {
  group: "memberships",
  shape: "membership",
  practitioner: false,
  patientKey: "client",
  patientAlways: false,
  subject: "membership",
} as const;

/** The 13 events in the documented order, keyed by the name that stands under `event` in the body. */
export const EVENTS = {
  "participant.added": {
    ...CONSULT,
    label: { en: "Consult scheduled", "fr-CA": "Consultation planifiée" },
    sentence: {
      en: "A consult is created for a patient, a patient joins a group consult or class, or a cancelled consult is restored.",
      "fr-CA":
        "Une consultation est créée pour un patient, un patient se joint à une consultation ou à une séance de groupe, ou une consultation annulée est rétablie.",
    },
    firesNot: {
      en: "Not when a place is only held or wait-listed, when a class is created with nobody in it, or during a bulk import.",
      "fr-CA":
        "Pas quand une place est seulement retenue ou en liste d’attente, quand une séance est créée sans participant, ni pendant une importation en bloc.",
    },
  },
  "consult.updated": {
    ...CONSULT,
    label: { en: "Consult updated", "fr-CA": "Consultation modifiée" },
    sentence: {
      en: "The start, length, service or practitioner of a consult changes. A group sends one entry per patient in it.",
      "fr-CA":
        "Le début, la durée, le service ou le praticien d’une consultation change. Un groupe envoie une entrée par patient inscrit.",
    },
    firesNot: {
      en: "Not for notes, the room, arrival status or a new name, and not when a save changes nothing.",
      "fr-CA":
        "Pas pour les notes, la salle, l’état d’arrivée ou un changement de nom, ni quand l’enregistrement ne change rien.",
    },
  },
  "participant.removed": {
    ...CONSULT,
    label: { en: "Consult cancelled", "fr-CA": "Consultation annulée" },
    sentence: {
      en: "A consult is cancelled, or a patient leaves a group consult or class.",
      "fr-CA": "Une consultation est annulée, ou un patient quitte une consultation ou une séance de groupe.",
    },
    firesNot: {
      en: "Not when the consult was already cancelled, and not for a plain no-show.",
      "fr-CA": "Pas quand la consultation était déjà annulée, ni pour une simple absence.",
    },
  },
  "invoice.created": {
    ...INVOICE,
    label: { en: "Invoice or package created", "fr-CA": "Facture ou forfait créé" },
    sentence: {
      en: "An invoice, package, membership charge or gift certificate is created, drafts included.",
      "fr-CA": "Une facture, un forfait, des frais d’abonnement ou un chèque-cadeau est créé, brouillons compris.",
    },
    firesNot: {
      en: "Not during a bulk import, and not when a gift certificate is redeemed.",
      "fr-CA": "Pas pendant une importation en bloc, ni quand un chèque-cadeau est utilisé.",
    },
  },
  "invoice.updated": {
    ...INVOICE,
    label: { en: "Invoice or package updated", "fr-CA": "Facture ou forfait modifié" },
    sentence: {
      en: "A line, a payment or refund, the status, date, number, currency, practitioner or the patient billed changes.",
      "fr-CA":
        "Une ligne, un paiement ou remboursement, l’état, la date, le numéro, la devise, le praticien ou le patient facturé change.",
    },
    firesNot: {
      en: "Not when it is viewed, printed or e-mailed, and not when only the payer changes.",
      "fr-CA": "Pas quand elle est consultée, imprimée ou envoyée par courriel, ni quand seul le payeur change.",
    },
  },
  "invoice.deleted": {
    ...INVOICE,
    label: { en: "Invoice or package deleted", "fr-CA": "Facture ou forfait supprimé" },
    sentence: {
      en: "The invoice, package, membership charge or gift certificate is deleted. The message holds its last state.",
      "fr-CA":
        "La facture, le forfait, les frais d’abonnement ou le chèque-cadeau est supprimé. Le message contient son dernier état.",
    },
    firesNot: {
      en: "Not when only a payment is voided: that is an update.",
      "fr-CA": "Pas quand seul un paiement est annulé : c’est une modification.",
    },
  },
  "patient_account.created": {
    group: "accounts",
    shape: "account",
    practitioner: false,
    patientKey: "client",
    patientAlways: true,
    subject: "patient",
    label: { en: "Patient account created", "fr-CA": "Compte de patient créé" },
    sentence: {
      en: "A patient completes sign-up on the clinic’s portal. The patient is always part of this message.",
      "fr-CA":
        "Un patient termine son inscription sur le portail de la clinique. Le patient fait toujours partie de ce message.",
    },
    firesNot: {
      en: "Not when staff add a patient, and not during an import.",
      "fr-CA": "Pas quand le personnel ajoute un patient, ni pendant une importation.",
    },
  },
  "course.checkout_process_started": {
    ...ACADEMY,
    subject: "course-access",
    label: { en: "Course checkout started", "fr-CA": "Achat d’une formation commencé" },
    sentence: {
      en: "A known patient starts the checkout of a course.",
      "fr-CA": "Un patient connu commence l’achat d’une formation.",
    },
    firesNot: {
      en: "Not when the same checkout page is loaded again, and not when the course is free.",
      "fr-CA": "Pas quand la même page d’achat est rechargée, ni quand la formation est gratuite.",
    },
  },
  "course_participant.added": {
    ...ACADEMY,
    subject: "course-access",
    label: { en: "Patient joined a course", "fr-CA": "Patient inscrit à une formation" },
    sentence: {
      en: "A patient gains access to a course: bought, free, given by staff, or through a membership.",
      "fr-CA":
        "Un patient obtient l’accès à une formation : achetée, gratuite, accordée par le personnel ou incluse dans un abonnement.",
    },
    firesNot: {
      en: "Not when the patient already had access.",
      "fr-CA": "Pas quand le patient y avait déjà accès.",
    },
  },
  "webinar.checkout_process_started": {
    ...ACADEMY,
    subject: "webinar-access",
    label: { en: "Webinar checkout started", "fr-CA": "Achat d’un webinaire commencé" },
    sentence: {
      en: "A known patient starts the checkout of a webinar.",
      "fr-CA": "Un patient connu commence l’achat d’un webinaire.",
    },
    firesNot: {
      en: "Not when the same checkout page is loaded again, and not when the webinar is free.",
      "fr-CA": "Pas quand la même page d’achat est rechargée, ni quand le webinaire est gratuit.",
    },
  },
  "webinar_participant.added": {
    ...ACADEMY,
    subject: "webinar-access",
    label: { en: "Patient joined a webinar", "fr-CA": "Patient inscrit à un webinaire" },
    sentence: {
      en: "A patient gains access to a webinar: bought, free, given by staff, or through a membership.",
      "fr-CA":
        "Un patient obtient l’accès à un webinaire : acheté, gratuit, accordé par le personnel ou inclus dans un abonnement.",
    },
    firesNot: {
      en: "Not when the patient already had access.",
      "fr-CA": "Pas quand le patient y avait déjà accès.",
    },
  },
  "membership.started": {
    ...MEMBERSHIP,
    label: { en: "Membership started", "fr-CA": "Abonnement commencé" },
    sentence: {
      en: "A membership becomes active, or a cancellation is undone.",
      "fr-CA": "Un abonnement devient actif, ou une annulation est retirée.",
    },
    firesNot: {
      en: "Not when it is assigned but unpaid, and not at each renewal.",
      "fr-CA": "Pas quand il est attribué sans être payé, ni à chaque renouvellement.",
    },
  },
  "membership.cancelled": {
    ...MEMBERSHIP,
    label: { en: "Membership cancelled", "fr-CA": "Abonnement annulé" },
    sentence: {
      en: "The cancellation is made: by the patient, by staff, or because the last payment attempt failed.",
      "fr-CA":
        "L’annulation est faite : par le patient, par le personnel ou parce que la dernière tentative de paiement a échoué.",
    },
    firesNot: {
      en: "Not when the paid period ends after a cancellation, and not at the natural end of a fixed term.",
      "fr-CA": "Pas à la fin de la période payée après une annulation, ni à la fin prévue d’une durée fixe.",
    },
  },
} as const satisfies Record<string, EventDefinition>;

export type EventName = keyof typeof EVENTS;

/** All 13 names, in the documented order. */
export const EVENT_NAMES = Object.keys(EVENTS) as readonly EventName[];

/** All 5 group names, in the order of the page. */
export const GROUP_NAMES = Object.keys(GROUPS) as readonly GroupName[];

/** True where `value` is exactly one of the 13 names; inherited names such as `toString` are not. */
export function isEventName(value: unknown): value is EventName {
  return typeof value === "string" && Object.hasOwn(EVENTS, value);
}

/** The catalogue's row of an event, typed as the general definition. */
export function eventDefinition(name: EventName): EventDefinition {
  return EVENTS[name];
}

/** The events of a group, in the documented order. */
export function eventsOfGroup(group: GroupName): EventName[] {
  return EVENT_NAMES.filter((name) => EVENTS[name].group === group);
}
