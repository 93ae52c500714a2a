// What the other screens say; it comes with the first of them.
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
import settings from "./en/settings.json";
import webhooks from "./en/webhooks.json";

export default {
  account,
  webhooks,
  preview,
  deliveries,
  embed,
  inbox,
  billing,
  memberships,
  academy,
  import: importing,
  patients,
  portal,
  settings,
  notices,
  audit,
};
