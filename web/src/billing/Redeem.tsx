import { TextInput } from "@mantine/core";
import { type GiftCertificate, giftCertificates } from "../api/billing.ts";
import type { Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { FormBody } from "../ui/FormBody.tsx";
import { AskingDialog } from "../ui/leaving.tsx";
import { useForm } from "./form.ts";
import { PatientField } from "./PatientField.tsx";

/** Longer than a code with any spaces and dashes. */
const CODE_TYPED_MAX = 100;

interface Props {
  onClose: () => void;
  onDone: (certificate: GiftCertificate) => void;
}

interface Typed {
  code: string;
  patient: Person | null;
}

function Body({ onClose, onDone }: Props) {
  const { t } = useTranslation();
  const { typed, type, ...form } = useForm<Typed, GiftCertificate>({
    start: () => ({ code: "", patient: null }),
    fields: ["code", "patient_id"],
    mistakes: ({ code, patient }) => ({
      ...(code.trim() === "" ? { code: "code" as const } : {}),
      ...(patient === null ? { patient_id: "patient" as const } : {}),
    }),
    send: ({ code, patient }, intent) => giftCertificates.redeem({ code, patient_id: patient?.id ?? 0 }, intent),
    say: ({ field, code }) => (field === "code" && code !== undefined ? t("billing.gift.noSuchCode") : undefined),
    done: onDone,
  });
  return (
    <FormBody form={form} action={t("billing.gift.redeem")} onClose={onClose}>
      <TextInput
        label={t("billing.gift.code")}
        placeholder="7K3M-9QTX-2B4W-HJ5R"
        autoComplete="off"
        spellCheck={false}
        maxLength={CODE_TYPED_MAX}
        value={typed.code}
        error={form.errors.code}
        data-autofocus
        onChange={(event) => type({ code: event.currentTarget.value })}
      />
      <PatientField
        label={t("billing.gift.redeemer")}
        chosen={typed.patient}
        error={form.errors.patient_id}
        onChange={(patient) => type({ patient })}
      />
    </FormBody>
  );
}

/** Gives the value of a gift certificate to the patient who brings its code. */
export default function Redeem({ onClose, onDone }: Props) {
  const { t } = useTranslation();
  return (
    <AskingDialog title={t("billing.gift.redeem")} onClose={onClose}>
      {(leave) => <Body onClose={leave} onDone={onDone} />}
    </AskingDialog>
  );
}
