// What the other screens say; it comes with the first of them.
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
import settings from "./fr-CA/settings.json";
import webhooks from "./fr-CA/webhooks.json";

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
