import { type Membership, memberships } from "../api/memberships.ts";
import { useForm } from "../billing/form.ts";
import { useTranslation } from "../i18n/words.ts";
import { FormBody } from "../ui/FormBody.tsx";
import { AskingDialog } from "../ui/leaving.tsx";
import { SourceField } from "./Source.tsx";

interface Props {
  membership: Membership;
  onClose: () => void;
  onDone: () => void;
}

function Body({ membership, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const { typed, type, ...form } = useForm({
    start: () => ({ source: membership.payment_source }),
    fields: ["payment_source"],
    mistakes: () => ({}),
    send: ({ source }, intent) => memberships.changeSource(membership.id, source, intent),
    done: onDone,
  });
  return (
    <FormBody form={form} action={t("billing.save")} onClose={onClose}>
      <SourceField value={typed.source} error={form.errors.payment_source} onChange={(source) => type({ source })} />
    </FormBody>
  );
}

/** Another way to pay from now on; an unpaid charge is asked of a new card within a moment. */
export default function SourceDialog(props: Props) {
  const { t } = useTranslation();
  return (
    <AskingDialog title={t("memberships.act.source")} onClose={props.onClose}>
      {(leave) => <Body {...props} onClose={leave} />}
    </AskingDialog>
  );
}
