import deliveries from "./en/deliveries.json";
import inbox from "./en/inbox.json";
import preview from "./en/preview.json";
import schedule from "./en/schedule.json";
import shell from "./en/shell.json";
import webhooks from "./en/webhooks.json";

export default { shell, webhooks, preview, deliveries, inbox, schedule };
