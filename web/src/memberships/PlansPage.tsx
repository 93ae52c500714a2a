// What memberships can be of. Everybody sees the plans; managers say which there are.
import { Button, Text } from "@mantine/core";
import IconMembership from "@tabler/icons-react/dist/esm/icons/IconId.mjs";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import type { Plan } from "../api/memberships.ts";
import { MembershipsNav } from "../billing/SectionNav.tsx";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { PagedList } from "../ui/PagedList.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import list from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import classes from "./MembershipsPage.module.css";
import { usePlanWords } from "./plan-words.ts";
import { plansQuery } from "./queries.ts";

const PlanDialog = lazy(() => import("./PlanDialog.tsx"));

/** A plan to be changed, or a new one. */
type Opened = Plan | "new" | null;

function Row({ plan, onOpen }: { plan: Plan; onOpen: (plan: Plan) => void }) {
  const { t } = useTranslation();
  const words = usePlanWords();
  const isManager = useMe().role === "manager";
  const { name, type, active, item_ids: items } = plan;
  return (
    <div className={`${list.entry} ${classes.row} ${classes.plan}`}>
      <div className={`${list.what} ${classes.what}`}>
        <div className={list.named}>
          <Text component="span" fw={600} size="sm">
            {name}
          </Text>
          {!active && <StateBadge tone="calm" word={t("memberships.plan.inactive")} />}
        </div>
        <Text component="span" size="sm" c="dimmed">
          {words(plan)}
        </Text>
      </div>
      <Text component="span" size="sm" c="dimmed">
        {t(`memberships.type.${type}`)}
        {items.length > 0 && ` · ${t("memberships.plan.opens", { count: items.length })}`}
      </Text>
      <div className={classes.acts}>
        {isManager && (
          <Button
            size="xs"
            variant="subtle"
            aria-label={t("memberships.plan.editName", { name })}
            onClick={() => onOpen(plan)}
          >
            {t("memberships.plan.edit")}
          </Button>
        )}
      </div>
    </div>
  );
}

function List({ onOpen }: { onOpen: (plan: Plan) => void }) {
  const { t } = useTranslation();
  const isManager = useMe().role === "manager";
  const query = useQuery(plansQuery);
  if (query.data === undefined) {
    if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
    return <LoadingRows rows={3} height={64} />;
  }
  if (query.data.length === 0) {
    const text = t(isManager ? "memberships.plan.nothingManager" : "memberships.plan.nothingOthers");
    return <Empty icon={IconMembership} title={t("memberships.plan.nothing")} text={text} />;
  }
  return (
    <PagedList label={t("memberships.nav.plans")} entries={query.data} keyOf={({ id }) => id}>
      {(plan) => <Row plan={plan} onOpen={onOpen} />}
    </PagedList>
  );
}

/** See the head of this file. */
export function PlansPage() {
  const { t } = useTranslation();
  const isManager = useMe().role === "manager";
  const [opened, setOpened] = useState<Opened>(null);
  const close = () => setOpened(null);
  return (
    <>
      <PageHeader
        title={t("memberships.nav.plans")}
        intro={t("memberships.plan.intro")}
        action={
          isManager && (
            <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setOpened("new")}>
              {t("memberships.plan.new")}
            </Button>
          )
        }
      />
      <MembershipsNav />
      <List onOpen={setOpened} />
      <Suspense fallback={null}>
        {opened !== null && <PlanDialog plan={opened === "new" ? null : opened} onClose={close} onDone={close} />}
      </Suspense>
    </>
  );
}
