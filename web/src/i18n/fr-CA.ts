import academy from "./fr-CA/academy.json";
import billing from "./fr-CA/billing.json";
import deliveries from "./fr-CA/deliveries.json";
import importing from "./fr-CA/import.json";
import inbox from "./fr-CA/inbox.json";
import memberships from "./fr-CA/memberships.json";
import patients from "./fr-CA/patients.json";
import portal from "./fr-CA/portal.json";
import preview from "./fr-CA/preview.json";
import schedule from "./fr-CA/schedule.json";
import settings from "./fr-CA/settings.json";
import shell from "./fr-CA/shell.json";
import webhooks from "./fr-CA/webhooks.json";

export default {
  shell,
  webhooks,
  preview,
  deliveries,
  inbox,
  schedule,
  billing,
  memberships,
  academy,
  import: importing,
  patients,
  portal,
  settings,
};
