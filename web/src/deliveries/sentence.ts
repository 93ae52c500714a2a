import { mayHaveArrived } from "@hookwell/sdk/causes";
import { useQuery } from "@tanstack/react-query";
import type { Attempt, Delivery } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useWhen } from "../ui/when.ts";
import { webhooksQuery } from "../webhooks/queries.ts";
import { outcomeOf, useOutcomeWords } from "./outcome.ts";
import { cancelReason, type WebhookNow } from "./state.ts";

type Told = Pick<Delivery, "state" | "reason" | "waiting" | "next_attempt_at" | "last_attempt"> & {
  attempts: number;
};

export function useWebhookNow(id: number | string): WebhookNow {
  const { data } = useQuery(webhooksQuery);
  if (data === undefined) return "unknown";
  const webhook = data.find((one) => String(one.id) === String(id));
  return webhook === undefined ? "deleted" : webhook.enabled ? "on" : "off";
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
    if (reason === "test_failed") {
      const isOpen = last_attempt !== null && mayHaveArrived(outcomeOf(last_attempt).cause);
      return t(`deliveries.sentence.${isOpen ? "test_open" : "test_failed"}`, { told });
    }
    if (state === "given_up") return t("deliveries.sentence.given_up", { attempts, told });
    return waiting(delivery, told);
  };
}

/** What a delivery waits for, after what its last attempt came to. */
function useWaitingSentence(): (delivery: Told, told: string) => string {
  const { t } = useTranslation();
  const nextTry = useNextTry();
  return ({ waiting, next_attempt_at, last_attempt }, told) => {
    const reason = waiting?.for ?? "turn";
    const when = nextTry({ waiting, next_attempt_at }, "on");
    // Of all that wait for the receiver, the one that is tried to find out.
    if (reason === "receiver" && when !== null) return t("deliveries.sentence.probe", { told, when }).trim();
    if (reason !== "time" && reason !== "turn") return t(`deliveries.sentence.${reason}`, { told }).trim();
    if (last_attempt === null) return t("deliveries.sentence.first");
    return when === null ? t("deliveries.sentence.waiting", { told }) : t("deliveries.sentence.next", { told, when });
  };
}

/** When the next try comes, in words, by themselves or in a sentence; null where no time can be named. */
export function useNextTry(): (
  delivery: Pick<Delivery, "waiting" | "next_attempt_at">,
  place: "alone" | "on",
) => string | null {
  const { t } = useTranslation();
  const when = useWhen();
  return ({ waiting, next_attempt_at: next }, place) => {
    if (waiting?.for === "turn") return t("deliveries.soon");
    return next === null ? null : when(next, place);
  };
}
