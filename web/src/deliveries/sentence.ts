import { useQuery } from "@tanstack/react-query";
import type { Attempt, Delivery } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useWhen } from "../ui/when.ts";
import { webhooksQuery } from "../webhooks/queries.ts";
import { outcomeOf, useOutcomeWords } from "./outcome.ts";
import { cancelReason, type WebhookNow } from "./state.ts";

type Told = Pick<Delivery, "state" | "reason" | "webhook" | "next_attempt_at" | "finished_at" | "last_attempt"> & {
  attempts: number;
};

function useWebhooksNow(): (id: number | string) => WebhookNow {
  const { data } = useQuery(webhooksQuery);
  return (id) => {
    if (data === undefined) return "unknown";
    const webhook = data.find((one) => String(one.id) === String(id));
    return webhook === undefined ? "deleted" : webhook.enabled ? "on" : "off";
  };
}

export function useWebhookNow(id: number | string): WebhookNow {
  return useWebhooksNow()(id);
}

/** Where a delivery stands, in one or two sentences: its state, then what the last attempt came to. */
export function useDeliverySentence(): (delivery: Told) => string {
  const { t } = useTranslation();
  const words = useOutcomeWords();
  const waiting = useWaitingSentence();
  const last = (attempt: Attempt) => words(outcomeOf(attempt)).text;
  return (delivery) => {
    const { state, reason, attempts, last_attempt } = delivery;
    const told = last_attempt === null ? "" : last(last_attempt);
    if (state === "cancelled") return t(`deliveries.cancelled.${cancelReason(reason)}`);
    if (state === "delivered") return told === "" ? t("deliveries.sentence.delivered") : told;
    if (state === "sending") return t("deliveries.sentence.sending");
    if (reason === "test_failed") return t("deliveries.sentence.test_failed", { told });
    if (state === "given_up") return t("deliveries.sentence.given_up", { attempts, told });
    return waiting(delivery, told);
  };
}

/** What a delivery waits for: the webhook to be turned on, the one before it, or its time. */
function useWaitingSentence(): (delivery: Told, told: string) => string {
  const { t } = useTranslation();
  const when = useWhen();
  const webhookNow = useWebhooksNow();
  return ({ webhook, next_attempt_at, last_attempt }, told) => {
    if (webhookNow(webhook.id) === "off") return t("deliveries.sentence.off", { told }).trim();
    if (last_attempt === null) {
      return t(next_attempt_at === null ? "deliveries.sentence.behind" : "deliveries.sentence.first");
    }
    return next_attempt_at === null
      ? t("deliveries.sentence.waiting", { told })
      : t("deliveries.sentence.next", { told, when: when(next_attempt_at) });
  };
}
