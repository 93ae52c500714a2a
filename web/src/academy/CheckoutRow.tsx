import { Button } from "@mantine/core";
import { useState } from "react";
import { type Checkout, type CheckoutState, checkouts } from "../api/academy.ts";
import { useMoney } from "../billing/use-money.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import type { Tone } from "../ui/Callout.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { AnchorLink } from "../ui/links.tsx";
import rows from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import { useWhen } from "../ui/when.ts";
import { type OnSaid, useRefresh } from "./act.ts";

const TONES: Readonly<Record<CheckoutState, Tone>> = { open: "warn", completed: "good", expired: "calm" };

type Asked = "complete" | "expire";

interface Props {
  checkout: Checkout;
  onSaid: OnSaid;
}

function Question({ checkout, asked, onSaid, onClose }: Props & { asked: Asked; onClose: () => void }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const money = useMoney()(checkout.currency);
  const { id, client, subject, resource } = checkout;
  const act = useIntent((intent) => checkouts[asked](id, intent), {
    onSuccess: async () => {
      await refresh();
      onClose();
      const text = t(asked === "complete" ? "academy.said.completed" : "academy.said.expired", { name: client.name });
      onSaid({ text, subject: asked === "complete" ? subject : null });
    },
  });
  return (
    <ConfirmDialog
      title={t(`academy.${asked}Title`)}
      action={t(`academy.${asked}Action`)}
      danger={asked === "expire"}
      pending={act.isPending}
      error={act.error}
      onConfirm={() => act.start()}
      onClose={onClose}
    >
      {t(`academy.${asked}Text`, { name: client.name, total: money.format(checkout.total), item: resource.name })}
    </ConfirmDialog>
  );
}

/** One checkout, and what can be done with it while it is open. */
export function CheckoutRow({ checkout, onSaid }: Props) {
  const { t } = useTranslation();
  const when = useWhen();
  const money = useMoney()(checkout.currency);
  const [asked, setAsked] = useState<Asked | null>(null);
  const { state, client, resource } = checkout;
  const isOpen = state === "open";
  return (
    <div className={rows.row}>
      <span className={rows.main}>
        <span className={rows.name}>{client.name}</span>
        <AnchorLink to="/academy/$itemId" params={{ itemId: String(resource.id) }} size="sm" className={rows.under}>
          {resource.name}
        </AnchorLink>
      </span>
      <span className={rows.aside}>
        <StateBadge tone={TONES[state]} word={t(`academy.state.${state}`)} />
        {isOpen && (
          <span className={rows.under}>{t("academy.until", { when: when(checkout.expires_at, "until") })}</span>
        )}
      </span>
      <span className={rows.number}>{t("academy.total", { total: money.format(checkout.total) })}</span>
      {isOpen && (
        <span className={rows.acts}>
          <Button
            size="xs"
            aria-label={t("academy.completeName", { name: client.name })}
            onClick={() => setAsked("complete")}
          >
            {t("academy.complete")}
          </Button>
          <Button
            size="xs"
            variant="default"
            aria-label={t("academy.expireName", { name: client.name })}
            onClick={() => setAsked("expire")}
          >
            {t("academy.expire")}
          </Button>
        </span>
      )}
      {asked !== null && <Question checkout={checkout} asked={asked} onSaid={onSaid} onClose={() => setAsked(null)} />}
    </div>
  );
}
