import { NativeSelect, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type Membership, memberships, type Plan } from "../api/memberships.ts";
import { useForm } from "../billing/form.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { FormBody } from "../ui/FormBody.tsx";
import { AskingDialog } from "../ui/leaving.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { usePlanWords } from "./plan-words.ts";
import { plansQuery } from "./queries.ts";

interface Props {
  membership: Membership;
  onClose: () => void;
}

function Form({ membership, plans, onClose }: Props & { plans: Plan[] }) {
  const { t } = useTranslation();
  const words = usePlanWords();
  const navigate = useNavigate();
  const { typed, type, ...form } = useForm<{ planId: number }, { started: Membership }>({
    start: () => ({ planId: plans[0]?.id ?? 0 }),
    fields: ["plan_id"],
    mistakes: () => ({}),
    send: ({ planId }, intent) => memberships.switch(membership.id, planId, intent),
    done: ({ started }) => {
      onClose();
      void navigate({
        to: "/memberships/$membershipId",
        params: { membershipId: String(started.id) },
        state: { said: { key: "switched", subject: started.subject } },
      });
    },
  });
  const plan = plans.find(({ id }) => id === typed.planId);
  return (
    <FormBody form={form} action={t("memberships.act.switch")} onClose={onClose}>
      <Text size="sm">{t("memberships.switch.text")}</Text>
      <NativeSelect
        label={t("memberships.switch.to")}
        description={plan === undefined ? undefined : words(plan)}
        data={plans.map(({ id, name }) => ({ value: String(id), label: name }))}
        value={typed.planId}
        error={form.errors.plan_id}
        data-autofocus
        onChange={(event) => type({ planId: Number(event.currentTarget.value) })}
      />
    </FormBody>
  );
}

function Content(props: Props) {
  const { t } = useTranslation();
  const query = useQuery(plansQuery);
  if (query.data === undefined) {
    return query.isError ? <LoadFailed error={query.error} retry={() => query.refetch()} /> : <LoadingRows rows={2} />;
  }
  const others = query.data.filter(({ id, active }) => active && id !== props.membership.plan.id);
  if (others.length === 0) return <Callout tone="calm" text={t("memberships.switch.none")} />;
  return <Form {...props} plans={others} />;
}

/** Ends this membership today and begins one of another plan. */
export default function SwitchDialog(props: Props) {
  const { t } = useTranslation();
  return (
    <AskingDialog title={t("memberships.act.switch")} onClose={props.onClose}>
      {(leave) => <Content {...props} onClose={leave} />}
    </AskingDialog>
  );
}
