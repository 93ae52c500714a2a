// What was paid of an invoice, and what can be done with each payment.
import { ActionIcon, Menu, Text } from "@mantine/core";
import "../schedule/menu.css";
import IconDots from "@tabler/icons-react/dist/esm/icons/IconDots.mjs";
import { lazy, Suspense, useState } from "react";
import { type Invoice, type Payment, payments } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { StateBadge } from "../ui/StateBadge.tsx";
import { useWhen } from "../ui/when.ts";
import { useAct } from "./act.ts";
import { leftOf } from "./amounts.ts";
import { DeletePayment } from "./DeletePayment.tsx";
import classes from "./InvoicePage.module.css";
import { PAYMENT_TONES } from "./state.ts";
import type { Money } from "./use-money.ts";
import { useBillingWords } from "./words.ts";

const PaymentDialog = lazy(() => import("./PaymentDialog.tsx"));
const RefundDialog = lazy(() => import("./RefundDialog.tsx"));
const TransferDialog = lazy(() => import("./TransferDialog.tsx"));

interface Props {
  invoice: Invoice;
  money: Money;
  onSaid: (text: string) => void;
}

type Opened = "edit" | "refund" | "move" | "delete";

function More({
  payment,
  money,
  onReceived,
  onOpen,
}: {
  payment: Payment;
  money: Money;
  onReceived: () => void;
  onOpen: (what: Opened) => void;
}) {
  const { t } = useTranslation();
  const left = leftOf(payment, money.exponent);
  return (
    <Menu position="bottom-end" width={240} shadow="md" withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={32}
          aria-label={t("billing.payment.more", { amount: money.format(payment.total) })}
        >
          <IconDots size={18} aria-hidden="true" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {payment.status === "draft" && <Menu.Item onClick={onReceived}>{t("billing.payment.markReceived")}</Menu.Item>}
        {left > 0 && <Menu.Item onClick={() => onOpen("refund")}>{t("billing.payment.refund")}</Menu.Item>}
        {left > 0 && <Menu.Item onClick={() => onOpen("move")}>{t("billing.payment.move")}</Menu.Item>}
        {!payment.from_package && <Menu.Item onClick={() => onOpen("edit")}>{t("billing.payment.edit")}</Menu.Item>}
        {payment.refunded === 0 && (
          <Menu.Item onClick={() => onOpen("delete")}>{t("billing.payment.delete")}</Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function Dialogs({
  opened,
  onClose,
  onSaid,
  ...props
}: Props & { payment: Payment; opened: Opened | null; onClose: () => void }) {
  const { t } = useTranslation();
  const done = (text: string) => () => {
    onClose();
    onSaid(text);
  };
  return (
    <Suspense fallback={null}>
      {opened === "edit" && (
        <PaymentDialog {...props} onClose={onClose} onDone={done(t("billing.said.paymentChanged"))} />
      )}
      {opened === "refund" && <RefundDialog {...props} onClose={onClose} onDone={done(t("billing.said.refunded"))} />}
      {opened === "move" && <TransferDialog {...props} onClose={onClose} onDone={done(t("billing.said.moved"))} />}
      {opened === "delete" && (
        <DeletePayment {...props} onClose={onClose} onDone={done(t("billing.said.paymentDeleted"))} />
      )}
    </Suspense>
  );
}

function Row(props: Props & { payment: Payment }) {
  const { t } = useTranslation();
  const when = useWhen();
  const words = useBillingWords();
  const { invoice, payment, money, onSaid } = props;
  const [opened, setOpened] = useState<Opened | null>(null);
  const place = { invoiceId: invoice.id, paymentId: payment.id };
  const receive = useAct(
    (intent) => payments.change(place, { status: "paid" }, intent),
    () => onSaid(t("billing.said.received")),
  );
  return (
    <li>
      <div className={classes.payment}>
        <div className={classes.how}>
          <div>{t(`billing.method.${payment.payment_method}`)}</div>
          <Text size="xs" c="dimmed">
            {when(payment.created_at, "alone")}
          </Text>
        </div>
        <span className={classes.state}>
          <StateBadge tone={PAYMENT_TONES[payment.status]} word={t(`billing.paymentStatus.${payment.status}`)} />
        </span>
        <div className={classes.sum}>
          <div className={classes.amount}>{money.format(payment.total)}</div>
          {payment.refunded > 0 && (
            <Text size="xs" c="dimmed">
              {t("billing.payment.refunded", { amount: money.format(payment.refunded) })}
            </Text>
          )}
        </div>
        <More payment={payment} money={money} onReceived={() => receive.start()} onOpen={setOpened} />
      </div>
      <div role="alert">{receive.isError && <Callout tone="bad" text={words(receive.error)} />}</div>
      <Dialogs {...props} opened={opened} onClose={() => setOpened(null)} />
    </li>
  );
}

/** See the head of this file. */
export function Payments(props: Props) {
  const { t } = useTranslation();
  const { payments: paid } = props.invoice;
  if (paid.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t("billing.noPayments")}
      </Text>
    );
  }
  return (
    <ul className={classes.payments}>
      {paid.map((payment) => (
        <Row key={payment.id} {...props} payment={payment} />
      ))}
    </ul>
  );
}
