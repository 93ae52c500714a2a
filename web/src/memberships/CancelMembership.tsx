import { Radio, Stack } from "@mantine/core";
import "../ui/checkbox.css";
import { useState } from "react";
import { type Cancellation, type Membership, memberships } from "../api/memberships.ts";
import { useAct } from "../billing/act.ts";
import { useBillingWords } from "../billing/words.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";

const WHEN = ["period_end", "now"] as const;
const WHO = ["staff", "patient"] as const;

interface Props {
  membership: Membership;
  onClose: () => void;
  /** `hadBegun`: it is cancelled; else it was withdrawn, and nobody is told. */
  onDone: (hadBegun: boolean) => void;
}

function Choices({ value, onChange }: { value: Cancellation; onChange: (value: Cancellation) => void }) {
  const { t } = useTranslation();
  return (
    <>
      <Radio.Group
        label={t("memberships.cancel.when")}
        value={value.at}
        onChange={(at) => onChange({ ...value, at: at === "now" ? "now" : "period_end" })}
      >
        <Stack gap="xs" mt={6}>
          {WHEN.map((at) => (
            <Radio key={at} value={at} label={t(`memberships.cancel.${at}`)} />
          ))}
        </Stack>
      </Radio.Group>
      <Radio.Group
        label={t("memberships.cancel.who")}
        value={value.by}
        onChange={(by) => onChange({ ...value, by: by === "patient" ? "patient" : "staff" })}
      >
        <Stack gap="xs" mt={6}>
          {WHO.map((by) => (
            <Radio key={by} value={by} label={t(`memberships.cancel.${by}`)} />
          ))}
        </Stack>
      </Radio.Group>
    </>
  );
}

/** Asks when access goes and whose wish it is; says what is sent. One that never began is withdrawn. */
export function CancelMembership({ membership, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const words = useBillingWords();
  const [value, setValue] = useState<Cancellation>({ by: "staff", at: "period_end" });
  // As it was when the question was asked: the answer changes it.
  const [isPending] = useState(membership.state === "pending");
  const cancel = useAct(
    (intent) => memberships.cancel(membership.id, value, intent),
    () => onDone(!isPending),
  );
  return (
    <ConfirmDialog
      title={t(isPending ? "memberships.cancel.withdrawTitle" : "memberships.cancel.title")}
      action={t(isPending ? "memberships.act.withdraw" : "memberships.act.cancel")}
      keep={t("memberships.cancel.keep")}
      danger
      pending={cancel.isPending}
      onConfirm={() => cancel.start()}
      onClose={onClose}
    >
      <Stack gap="md">
        <div>{t(isPending ? "memberships.cancel.withdrawText" : "memberships.cancel.text")}</div>
        {!isPending && <Choices value={value} onChange={setValue} />}
        <div role="alert">{cancel.isError && <Callout tone="bad" text={words(cancel.error)} />}</div>
      </Stack>
    </ConfirmDialog>
  );
}
