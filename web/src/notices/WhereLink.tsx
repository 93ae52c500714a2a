import type { Notice } from "../api/notices.ts";
import { useTranslation } from "../i18n/words.ts";
import { AnchorLink } from "../ui/links.tsx";

/** The way from a notice to what it is about: the late delivery, or the webhook's card. */
export function WhereLink({ notice }: { notice: Notice }) {
  const { t } = useTranslation();
  const { webhook, delivery_id: deliveryId } = notice;
  if (deliveryId !== null) {
    return (
      <AnchorLink to="/deliveries/$deliveryId" params={{ deliveryId }} search={{}} size="sm">
        {t("notices.toDelivery")}
      </AnchorLink>
    );
  }
  if (webhook === null || webhook.deleted) return null;
  return (
    <AnchorLink to="/consults/export/webhooks" hash={`webhook-${webhook.id}`} size="sm">
      {t("notices.toWebhook", { name: webhook.name })}
    </AnchorLink>
  );
}
