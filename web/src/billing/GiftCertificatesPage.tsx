// Gift certificates: sold to one person, redeemed by whoever brings the code.
import { Button, Group, Text } from "@mantine/core";
import IconGift from "@tabler/icons-react/dist/esm/icons/IconGift.mjs";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { useInfiniteQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import type { GiftCertificate } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import { CopyButton } from "../ui/CopyButton.tsx";
import { AnchorLink } from "../ui/links.tsx";
import { PagedList } from "../ui/PagedList.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import list from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import classes from "./BillingPage.module.css";
import { formatDate } from "./dates.ts";
import { giftCertificatesQuery } from "./queries.ts";
import { BillingNav } from "./SectionNav.tsx";
import type { Said } from "./said.ts";
import { GIFT_TONES } from "./state.ts";
import { useMoney } from "./use-money.ts";

const SellGiftCertificate = lazy(() => import("./SellGiftCertificate.tsx"));
const Redeem = lazy(() => import("./Redeem.tsx"));

function Row({ one }: { one: GiftCertificate }) {
  const { t } = useTranslation();
  const { locale } = useTimeFormat();
  const money = useMoney()(one.currency);
  const { code, value, remaining, purchaser, redeemer, state, expires_on: day, invoice_id: invoiceId } = one;
  const who =
    redeemer === null
      ? t("billing.gift.from", { name: purchaser.name })
      : t("billing.gift.fromTo", { from: purchaser.name, to: redeemer.name });
  return (
    <div className={`${list.entry} ${classes.row} ${classes.certificate}`}>
      <span className={classes.code}>
        <code>{code}</code>
        <CopyButton text={code} what={t("billing.gift.codeWhat")} />
      </span>
      <div className={`${list.what} ${classes.what}`}>
        <Text component="span" size="sm">
          {who}
        </Text>
        <Text component="span" size="sm" c="dimmed">
          {`${day === null ? t("billing.package.forever") : t("billing.gift.until", { day: formatDate(day, locale) })} · `}
          <AnchorLink to="/billing/invoices/$invoiceId" params={{ invoiceId: String(invoiceId) }} size="sm">
            {t("billing.gift.record")}
          </AnchorLink>
        </Text>
      </div>
      <span className={list.badge}>
        <StateBadge tone={GIFT_TONES[state]} word={t(`billing.gift.state.${state}`)} />
      </span>
      <div className={`${list.money} ${classes.money}`}>
        <Text component="span" fw={600} size="sm">
          {money.format(value)}
        </Text>
        {remaining !== value && (
          <Text component="span" size="xs" c="dimmed">
            {t("billing.gift.left", { amount: money.format(remaining) })}
          </Text>
        )}
      </div>
    </div>
  );
}

function List() {
  const { t } = useTranslation();
  const query = useInfiniteQuery(giftCertificatesQuery);
  if (query.data === undefined) {
    if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
    return <LoadingRows rows={3} height={64} />;
  }
  const rows = query.data.pages.flatMap(({ data }) => data);
  if (rows.length === 0) {
    return <Empty icon={IconGift} title={t("billing.gift.nothing")} text={t("billing.gift.nothingText")} />;
  }
  return (
    <PagedList
      label={t("billing.nav.giftCertificates")}
      more={t("billing.more")}
      entries={rows}
      keyOf={({ id }) => id}
      query={query}
    >
      {(one) => <Row one={one} />}
    </PagedList>
  );
}

/** See the head of this file. */
export function GiftCertificatesPage() {
  const { t } = useTranslation();
  const [opened, setOpened] = useState<"sell" | "redeem" | null>(null);
  const [said, setSaid] = useState<Said | null>(null);
  const close = () => setOpened(null);
  const done = (text: string, { invoice_id: id }: GiftCertificate, sends: boolean) => {
    close();
    setSaid({ text, subject: `invoice:${id}`, sends });
  };
  return (
    <>
      <PageHeader
        title={t("billing.nav.giftCertificates")}
        intro={t("billing.gift.intro")}
        action={
          <Group gap="sm">
            <Button variant="default" onClick={() => setOpened("redeem")}>
              {t("billing.gift.redeem")}
            </Button>
            <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setOpened("sell")}>
              {t("billing.gift.sell")}
            </Button>
          </Group>
        }
      />
      <BillingNav />
      <div className={classes.said}>
        <QuietLine said={said?.text ?? null} subject={said?.subject ?? null} sends={said?.sends ?? true} />
      </div>
      <List />
      <Suspense fallback={null}>
        {opened === "sell" && (
          <SellGiftCertificate
            onClose={close}
            onDone={(one) => done(t("billing.gift.sold", { code: one.code }), one, true)}
          />
        )}
        {opened === "redeem" && (
          <Redeem onClose={close} onDone={(one) => done(t("billing.gift.redeemed"), one, false)} />
        )}
      </Suspense>
    </>
  );
}
