import { NativeSelect } from "@mantine/core";
import IconMembership from "@tabler/icons-react/dist/esm/icons/IconId.mjs";
import { useQuery } from "@tanstack/react-query";
import { type Membership, memberships, type PaymentSource, type Plan } from "../api/memberships.ts";
import type { Person } from "../api-types.ts";
import { useForm } from "../billing/form.ts";
import { PatientField } from "../billing/PatientField.tsx";
import { useTranslation } from "../i18n/words.ts";
import { FormBody } from "../ui/FormBody.tsx";
import { AskingDialog } from "../ui/leaving.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import { usePlanWords } from "./plan-words.ts";
import { plansQuery } from "./queries.ts";
import { SourceField } from "./Source.tsx";

interface Props {
  onClose: () => void;
  onDone: (membership: Membership) => void;
}

interface Typed {
  planId: number;
  client: Person | null;
  source: PaymentSource;
}

function Form({ plans, onClose, onDone }: Props & { plans: Plan[] }) {
  const { t } = useTranslation();
  const words = usePlanWords();
  const { typed, type, ...form } = useForm<Typed, Membership>({
    start: () => ({ planId: plans[0]?.id ?? 0, client: null, source: "at_desk" }),
    fields: ["plan_id", "client_id", "payment_source"],
    mistakes: ({ client }) => (client === null ? { client_id: "patient" } : {}),
    send: ({ planId, client, source }, intent) =>
      memberships.assign({ plan_id: planId, client_id: client?.id ?? 0, payment_source: source }, intent),
    done: onDone,
  });
  const plan = plans.find(({ id }) => id === typed.planId);
  return (
    <FormBody form={form} action={t("memberships.assignAction")} onClose={onClose}>
      <NativeSelect
        label={t("memberships.plan.one")}
        description={plan === undefined ? undefined : words(plan)}
        data={plans.map(({ id, name }) => ({ value: String(id), label: name }))}
        value={typed.planId}
        error={form.errors.plan_id}
        data-autofocus
        onChange={(event) => type({ planId: Number(event.currentTarget.value) })}
      />
      <PatientField
        label={t("billing.client")}
        chosen={typed.client}
        error={form.errors.client_id}
        onChange={(client) => type({ client })}
      />
      <SourceField value={typed.source} error={form.errors.payment_source} onChange={(source) => type({ source })} />
    </FormBody>
  );
}

function Content(props: Props) {
  const { t } = useTranslation();
  const query = useQuery(plansQuery);
  if (query.data === undefined) {
    return query.isError ? <LoadFailed error={query.error} retry={() => query.refetch()} /> : <LoadingRows rows={3} />;
  }
  const offered = query.data.filter(({ active }) => active);
  if (offered.length > 0) return <Form {...props} plans={offered} />;
  return (
    <Empty icon={IconMembership} title={t("memberships.plan.nothing")} text={t("memberships.plan.nothingOthers")}>
      <ButtonLink to="/memberships/plans" variant="default" mt="sm">
        {t("memberships.plan.all")}
      </ButtonLink>
    </Empty>
  );
}

/** Gives a patient a membership. */
export default function AssignDialog(props: Props) {
  const { t } = useTranslation();
  return (
    <AskingDialog title={t("memberships.assign")} size="lg" onClose={props.onClose}>
      {(leave) => <Content {...props} onClose={leave} />}
    </AskingDialog>
  );
}
