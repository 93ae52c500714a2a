// One invoice, or another record that is billed: its lines, what was paid of it, who it is for, and every act on them. Each
// act is one call, told by the quiet line.
import { Button, Group, Stack, Title } from "@mantine/core";
import IconFileOff from "@tabler/icons-react/dist/esm/icons/IconFileOff.mjs";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import type { Invoice } from "../api/billing.ts";
import { ProblemError } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { ButtonLink } from "../ui/links.tsx";
import { NotFound } from "../ui/NotFound.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import { StateBadge } from "../ui/StateBadge.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import { BackLink } from "./BackLink.tsx";
import { DeleteInvoice } from "./DeleteInvoice.tsx";
import { InvoiceFacts } from "./InvoiceFacts.tsx";
import { InvoiceLines } from "./InvoiceLines.tsx";
import classes from "./InvoicePage.module.css";
import { Payments } from "./Payments.tsx";
import { invoiceQuery } from "./queries.ts";
import { type Said, useSaid } from "./said.ts";
import { INVOICE_TONES } from "./state.ts";
import { useMoney } from "./use-money.ts";

const InvoiceDialog = lazy(() => import("./InvoiceDialog.tsx"));
const PaymentDialog = lazy(() => import("./PaymentDialog.tsx"));
const route = getRouteApi("/shell/billing/invoices/$invoiceId");

type Opened = "edit" | "pay" | "delete" | null;

function Header({ invoice, said, onOpen }: { invoice: Invoice; said: Said | null; onOpen: (what: Opened) => void }) {
  const { t } = useTranslation();
  const { type, status, invoice_number: number } = invoice;
  return (
    <>
      <PageHeader
        title={t(`billing.titleOf.${type}`, { number })}
        action={
          <Group gap="sm">
            <Button variant="default" onClick={() => onOpen("edit")}>
              {t("billing.edit")}
            </Button>
            <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => onOpen("pay")}>
              {t("billing.addPayment")}
            </Button>
          </Group>
        }
      />
      <div className={classes.status}>
        <StateBadge tone={INVOICE_TONES[status]} word={t(`billing.status.${status}`)} />
        <QuietLine said={said?.text ?? null} subject={said?.subject ?? null} />
      </div>
    </>
  );
}

function Parts({ invoice, onSaid }: { invoice: Invoice; onSaid: (text: string) => void }) {
  const { t } = useTranslation();
  const money = useMoney()(invoice.currency);
  return (
    <div className={classes.columns}>
      <Stack gap="lg" miw={0}>
        <section className={classes.card} aria-labelledby="lines">
          <Title order={2} id="lines" mb="sm">
            {t("billing.lines")}
          </Title>
          <InvoiceLines invoice={invoice} money={money} />
        </section>
        <section className={classes.card} aria-labelledby="payments">
          <Title order={2} id="payments" mb="sm">
            {t("billing.payments")}
          </Title>
          <Payments invoice={invoice} money={money} onSaid={onSaid} />
        </section>
      </Stack>
      <section className={classes.card} aria-labelledby="details">
        <Title order={2} id="details" mb="sm">
          {t("billing.details")}
        </Title>
        <InvoiceFacts invoice={invoice} />
      </section>
    </div>
  );
}

function Shown({ invoice }: { invoice: Invoice }) {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  const [opened, setOpened] = useState<Opened>(null);
  const [said, setSaid] = useSaid();
  const close = () => setOpened(null);
  const say = (text: string) => {
    close();
    setSaid({ text, subject: invoice.subject });
  };
  const deleted = () =>
    navigate({ to: "/billing", search: {}, state: { said: { key: "deleted", subject: invoice.subject } } });
  return (
    <>
      <Header invoice={invoice} said={said} onOpen={setOpened} />
      <Parts invoice={invoice} onSaid={say} />
      <Button variant="outline" className={classes.delete} onClick={() => setOpened("delete")}>
        {t("billing.delete")}
      </Button>
      <Suspense fallback={null}>
        {opened === "edit" && (
          <InvoiceDialog invoice={invoice} onClose={close} onDone={() => say(t("billing.said.changed"))} />
        )}
        {opened === "pay" && (
          <PaymentDialog invoice={invoice} payment={null} onClose={close} onDone={() => say(t("billing.said.paid"))} />
        )}
      </Suspense>
      {opened === "delete" && <DeleteInvoice invoice={invoice} onClose={close} onDone={deleted} />}
    </>
  );
}

/** It was there once, or never: the way on is the list. */
function Gone() {
  const { t } = useTranslation();
  return (
    <>
      <PageHeader title={t("billing.gone")} />
      <Empty icon={IconFileOff} title={t("billing.goneText")}>
        <ButtonLink to="/billing" variant="default" mt="sm">
          {t("billing.all")}
        </ButtonLink>
      </Empty>
    </>
  );
}

function One({ id }: { id: number }) {
  const query = useQuery(invoiceQuery(id));
  if (query.data !== undefined) return <Shown invoice={query.data} />;
  if (query.error instanceof ProblemError && query.error.status === 404) return <Gone />;
  if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
  return <LoadingRows rows={3} height={120} />;
}

/** See the head of this file. */
export function InvoicePage() {
  const { t } = useTranslation();
  const id = Number(route.useParams().invoiceId);
  if (!Number.isSafeInteger(id) || id < 1) return <NotFound />;
  return (
    <>
      <BackLink to="/billing">{t("billing.all")}</BackLink>
      <One key={id} id={id} />
    </>
  );
}
