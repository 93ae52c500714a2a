import { TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type PatientInput, patients } from "../api/patients.ts";
import type { Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { FormBody } from "../ui/FormBody.tsx";
import { useForm } from "../ui/form.ts";
import { AskingDialog } from "../ui/leaving.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import { PATIENTS } from "./queries.ts";

const NAME_MAX_CHARACTERS = 200;
const EMAIL_MAX_CHARACTERS = 254;

interface Props {
  /** Null for a new one. */
  patient: Person | null;
  onDone: (patient: Person) => void;
  onClose: () => void;
}

function usePatientForm({ patient, onDone }: Props) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const inputOf = (typed: { name: string; email: string }): PatientInput => ({
    name: typed.name.trim(),
    email: typed.email.trim() === "" ? null : typed.email.trim(),
  });
  return useForm({
    start: () => ({ name: patient?.name ?? "", email: patient?.email ?? "" }),
    fields: ["name", "email"],
    mistakes: ({ name, email }) => ({
      ...(name.trim() === "" && { name: t("patients.mistake.name") }),
      ...(/^(|[^\s@]+@[^\s@]+)$/.test(email.trim()) ? {} : { email: t("patients.mistake.email") }),
    }),
    send: (typed, intent) =>
      patient === null ? patients.add(inputOf(typed), intent) : patients.change(patient.id, inputOf(typed), intent),
    done: async (saved) => {
      await queryClient.invalidateQueries({ queryKey: PATIENTS });
      onDone(saved);
    },
    words: useProblemWords(),
  });
}

function Fields(props: Props) {
  const { t } = useTranslation();
  const form = usePatientForm(props);
  const { typed, type, errors } = form;
  return (
    <FormBody form={form} action={t("patients.save")} onClose={props.onClose}>
      <TextInput
        label={t("patients.name")}
        value={typed.name}
        maxLength={NAME_MAX_CHARACTERS}
        error={errors.name}
        autoComplete="off"
        onChange={(event) => type({ name: event.currentTarget.value })}
        data-autofocus
      />
      <TextInput
        label={t("patients.email")}
        description={t("patients.emailHint")}
        type="email"
        value={typed.email}
        maxLength={EMAIL_MAX_CHARACTERS}
        error={errors.email}
        autoComplete="off"
        onChange={(event) => type({ email: event.currentTarget.value })}
      />
    </FormBody>
  );
}

/** A new patient, or another name or e-mail of one. Neither is a sign-up on the portal, so nothing is sent. */
export function PatientForm(props: Props) {
  const { t } = useTranslation();
  const { patient, onClose } = props;
  const title = patient === null ? t("patients.add") : t("patients.editTitle", { name: patient.name });
  return (
    <AskingDialog title={title} onClose={onClose}>
      {(leave) => <Fields {...props} onClose={leave} />}
    </AskingDialog>
  );
}
