// All words of one language, for the types of their keys (words.ts). The page itself loads them room by room: see setup.ts.
import academy from "./en/academy.json";
import account from "./en/account.json";
import audit from "./en/audit.json";
import billing from "./en/billing.json";
import deliveries from "./en/deliveries.json";
import embed from "./en/embed.json";
import importing from "./en/import.json";
import inbox from "./en/inbox.json";
import memberships from "./en/memberships.json";
import notices from "./en/notices.json";
import patients from "./en/patients.json";
import portal from "./en/portal.json";
import preview from "./en/preview.json";
import schedule from "./en/schedule.json";
import settings from "./en/settings.json";
import shell from "./en/shell.json";
import webhooks from "./en/webhooks.json";

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
