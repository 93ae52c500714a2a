// Who is about to buy a course or webinar: every checkout, and completing or ending the open ones.
import { Button, NativeSelect } from "@mantine/core";
import IconFilterOff from "@tabler/icons-react/dist/esm/icons/IconFilterOff.mjs";
import IconCart from "@tabler/icons-react/dist/esm/icons/IconShoppingCart.mjs";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "../i18n/words.ts";
import { Filters } from "../ui/Filters.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { PagedList } from "../ui/PagedList.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import type { OnSaid, Said } from "./act.ts";
import { CheckoutRow } from "./CheckoutRow.tsx";
import { CHECKOUT_STATES, type CheckoutFilters, checkoutFilters } from "./filters.ts";
import { checkoutsQuery } from "./queries.ts";
import { SaidLine } from "./SaidLine.tsx";
import { AcademyNav, WithAcademy } from "./WithAcademy.tsx";

const route = getRouteApi("/shell/academy/checkouts");
const ANY = "";

function Nothing({ filters, onClear }: { filters: CheckoutFilters; onClear: () => void }) {
  const { t } = useTranslation();
  if (filters.state !== undefined) {
    return (
      <Empty icon={IconFilterOff} title={t("academy.noMatch")}>
        <Button variant="default" mt="sm" onClick={onClear}>
          {t("academy.showAll")}
        </Button>
      </Empty>
    );
  }
  return (
    <Empty icon={IconCart} title={t("academy.noCheckouts")} text={t("academy.noCheckoutsText")}>
      <ButtonLink to="/academy" variant="default" mt="sm">
        {t("academy.toAcademy")}
      </ButtonLink>
    </Empty>
  );
}

function List({ filters, onClear, onSaid }: { filters: CheckoutFilters; onClear: () => void; onSaid: OnSaid }) {
  const { t } = useTranslation();
  const query = useInfiniteQuery(checkoutsQuery(filters.state));
  if (query.data === undefined) {
    if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
    return <LoadingRows rows={4} />;
  }
  const found = query.data.pages.flatMap((page) => page.data);
  if (found.length === 0) return <Nothing filters={filters} onClear={onClear} />;
  return (
    <PagedList
      label={t("academy.checkouts")}
      more={t("academy.more")}
      entries={found}
      keyOf={(checkout) => checkout.id}
      query={query}
    >
      {(checkout) => <CheckoutRow checkout={checkout} onSaid={onSaid} />}
    </PagedList>
  );
}

function Content() {
  const { t } = useTranslation();
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const [said, setSaid] = useState<Said | null>(null);
  const show = (state: string) => navigate({ search: checkoutFilters({ state }), replace: true });
  return (
    <>
      <PageHeader title={t("academy.checkouts")} intro={t("academy.checkoutsIntro")} />
      <AcademyNav />
      <Filters>
        <NativeSelect
          aria-label={t("academy.filter")}
          value={filters.state ?? ANY}
          onChange={(event) => show(event.currentTarget.value)}
          data={[
            { value: ANY, label: t("academy.anyState") },
            ...CHECKOUT_STATES.map((state) => ({ value: state, label: t(`academy.state.${state}`) })),
          ]}
        />
      </Filters>
      <SaidLine said={said} />
      <List filters={filters} onClear={() => show(ANY)} onSaid={setSaid} />
    </>
  );
}

/** See the head of this file. */
export function CheckoutsPage() {
  return (
    <WithAcademy>
      <Content />
    </WithAcademy>
  );
}
