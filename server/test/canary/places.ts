/**
 * Where a patient's name or e-mail address may stand in plain text in the database, column by column, and why. Everywhere else,
 * in the log and in refusals none may be found; of secrets there is no such place at all. Searched over every database that
 * the tests make, see watch.ts.
 */
export const NAMES_MAY_STAND_IN: Readonly<Record<string, string>> = {
  "patients.name": "the clinic's own record of the person; searching and sorting need it",
  "patients.name_folded": "the same, as it is searched",
  "patients.email": "the clinic's own record of the person",
  "portal_accounts.email_folded": "what a patient signs in with on the clinic's portal, and is found by",
  "hookwell_outbox.facts": "not ours: the outbox of other clinic software, in its own database (docs/feed)",
};
