import { Button, Group, Stack } from "@mantine/core";
import { type Invoice, invoices } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { Callout } from "../ui/Callout.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { balanceOf } from "./amounts.ts";
import { useRefresh } from "./form.ts";
import { useMoney } from "./use-money.ts";
import { useBillingWords } from "./words.ts";

interface Props {
  invoice: Invoice;
  onClose: () => void;
  onDone: () => Promise<void>;
}

function Blocked({ paid, onClose }: { paid: string; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog title={t("billing.deleteBlockedTitle")} onClose={onClose} centered>
      <Stack>
        <Callout tone="warn" text={t("billing.deleteBlocked", { amount: paid })} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t("shell.close")}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

/** Asks before a record is deleted and says what is sent; where money is attached, it says what has to be done first. */
export function DeleteInvoice({ invoice, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const money = useMoney()(invoice.currency);
  const words = useBillingWords();
  const refresh = useRefresh();
  const remove = useIntent(() => invoices.remove(invoice.id), {
    // First away from the page, so that it does not look for what is deleted.
    onSuccess: async () => {
      await onDone();
      await refresh();
    },
  });
  const { paid } = balanceOf(invoice, money.exponent);
  if (paid > 0) return <Blocked paid={money.formatMinor(paid)} onClose={onClose} />;
  const number = invoice.invoice_number;
  return (
    <ConfirmDialog
      title={t("billing.deleteTitle", { number })}
      action={t("billing.delete")}
      keep={t("billing.keep")}
      danger
      pending={remove.isPending}
      onConfirm={() => remove.start()}
      onClose={onClose}
    >
      {t("billing.deleteText")}
      <div role="alert">{remove.isError && <Callout tone="bad" text={words(remove.error)} />}</div>
    </ConfirmDialog>
  );
}
