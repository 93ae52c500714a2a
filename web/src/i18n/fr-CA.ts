import deliveries from "./fr-CA/deliveries.json";
import inbox from "./fr-CA/inbox.json";
import preview from "./fr-CA/preview.json";
import schedule from "./fr-CA/schedule.json";
import shell from "./fr-CA/shell.json";
import webhooks from "./fr-CA/webhooks.json";

export default { shell, webhooks, preview, deliveries, inbox, schedule };
