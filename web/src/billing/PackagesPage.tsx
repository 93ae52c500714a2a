// What the clinic sells as value paid in advance. Everybody sells; managers say what is for sale.
import { Button, Text } from "@mantine/core";
import IconPackage from "@tabler/icons-react/dist/esm/icons/IconPackage.mjs";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import type { Invoice, Package } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { PagedList } from "../ui/PagedList.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import list from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import classes from "./BillingPage.module.css";
import { withMark } from "./money.ts";
import { packagesQuery } from "./queries.ts";
import { BillingNav } from "./SectionNav.tsx";
import { useMoney } from "./use-money.ts";

const PackageDialog = lazy(() => import("./PackageDialog.tsx"));
const SellPackage = lazy(() => import("./SellPackage.tsx"));

/** "edit" with null is a new one. */
type Opened = { what: "edit"; one: Package | null } | { what: "sell"; one: Package } | null;

function Row({ one, onOpen }: { one: Package; onOpen: (opened: Opened) => void }) {
  const { t } = useTranslation();
  const isManager = useMe().role === "manager";
  const money = useMoney()(one.currency);
  const { name, price, value, tax_rate: rate, expires_after_days: days, active } = one;
  return (
    <div className={`${list.entry} ${classes.row} ${classes.offer}`}>
      <div className={`${list.what} ${classes.what}`}>
        <div className={list.named}>
          <Text component="span" fw={600} size="sm">
            {name}
          </Text>
          {!active && <StateBadge tone="calm" word={t("billing.package.inactive")} />}
        </div>
        <Text component="span" size="sm" c="dimmed">
          {t("billing.package.pays", { value: money.format(value) })}
          {` · ${days === null ? t("billing.package.forever") : t("billing.package.days", { count: days })}`}
        </Text>
      </div>
      <div className={`${list.money} ${classes.money}`}>
        <Text component="span" fw={600} size="sm">
          {money.format(price)}
        </Text>
        <Text component="span" size="xs" c="dimmed">
          {rate === 0
            ? t("billing.package.noTax")
            : t("billing.package.tax", { rate: withMark(String(rate), money.locale) })}
        </Text>
      </div>
      <div className={classes.acts}>
        {isManager && (
          <Button
            size="xs"
            variant="subtle"
            aria-label={t("billing.package.editName", { name })}
            onClick={() => onOpen({ what: "edit", one })}
          >
            {t("billing.package.edit")}
          </Button>
        )}
        {active && (
          <Button
            size="xs"
            variant="light"
            aria-label={t("billing.package.sellName", { name })}
            onClick={() => onOpen({ what: "sell", one })}
          >
            {t("billing.package.sell")}
          </Button>
        )}
      </div>
    </div>
  );
}

function List({ onOpen }: { onOpen: (opened: Opened) => void }) {
  const { t } = useTranslation();
  const isManager = useMe().role === "manager";
  const query = useQuery(packagesQuery);
  if (query.data === undefined) {
    if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
    return <LoadingRows rows={3} height={64} />;
  }
  if (query.data.length === 0) {
    const text = t(isManager ? "billing.package.nothingManager" : "billing.package.nothingOthers");
    return <Empty icon={IconPackage} title={t("billing.package.nothing")} text={text} />;
  }
  return (
    <PagedList label={t("billing.nav.packages")} entries={query.data} keyOf={({ id }) => id}>
      {(one) => <Row one={one} onOpen={onOpen} />}
    </PagedList>
  );
}

/** See the head of this file. */
export function PackagesPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const isManager = useMe().role === "manager";
  const [opened, setOpened] = useState<Opened>(null);
  const close = () => setOpened(null);
  const sold = ({ id, subject }: Invoice) =>
    navigate({
      to: "/billing/invoices/$invoiceId",
      params: { invoiceId: String(id) },
      state: { said: { key: "sold", subject } },
    });
  return (
    <>
      <PageHeader
        title={t("billing.nav.packages")}
        intro={t("billing.package.intro")}
        action={
          isManager && (
            <Button
              leftSection={<IconPlus size={16} aria-hidden="true" />}
              onClick={() => setOpened({ what: "edit", one: null })}
            >
              {t("billing.package.new")}
            </Button>
          )
        }
      />
      <BillingNav />
      <List onOpen={setOpened} />
      <Suspense fallback={null}>
        {opened?.what === "edit" && <PackageDialog one={opened.one} onClose={close} onDone={close} />}
        {opened?.what === "sell" && <SellPackage one={opened.one} onClose={close} onDone={sold} />}
      </Suspense>
    </>
  );
}
