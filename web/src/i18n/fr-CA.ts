// All words of one language, as types and tests know them. The page itself loads them room by room: see setup.ts.
import academy from "./fr-CA/academy.json";
import account from "./fr-CA/account.json";
import audit from "./fr-CA/audit.json";
import billing from "./fr-CA/billing.json";
import deliveries from "./fr-CA/deliveries.json";
import embed from "./fr-CA/embed.json";
import importing from "./fr-CA/import.json";
import inbox from "./fr-CA/inbox.json";
import memberships from "./fr-CA/memberships.json";
import notices from "./fr-CA/notices.json";
import patients from "./fr-CA/patients.json";
import portal from "./fr-CA/portal.json";
import preview from "./fr-CA/preview.json";
import schedule from "./fr-CA/schedule.json";
import settings from "./fr-CA/settings.json";
import shell from "./fr-CA/shell.json";
import webhooks from "./fr-CA/webhooks.json";

export default {
  academy,
  account,
  audit,
  billing,
  deliveries,
  embed,
  import: importing,
  inbox,
  memberships,
  notices,
  patients,
  portal,
  preview,
  schedule,
  settings,
  shell,
  webhooks,
};
