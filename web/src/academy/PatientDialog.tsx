import { Text } from "@mantine/core";
import type { Person } from "../api-types.ts";
import { PatientField } from "../billing/PatientField.tsx";
import { useTranslation } from "../i18n/words.ts";
import type { Intent } from "../intent.ts";
import { FormBody } from "../ui/FormBody.tsx";
import { useForm } from "../ui/form.ts";
import { AskingDialog } from "../ui/leaving.tsx";
import { useRefresh } from "./act.ts";
import { useAcademyWords } from "./words.ts";

interface Act<Answer> {
  title: string;
  text: string;
  action: string;
  send: (patient: Person, intent: Intent) => Promise<Answer>;
  onDone: (answer: Answer, patient: Person) => void;
  onClose: () => void;
}

function Fields<Answer>({ text, action, send, onDone, onClose }: Act<Answer>) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const form = useForm<{ patient: Person | null }, { answer: Answer; patient: Person }>({
    start: () => ({ patient: null }),
    fields: ["patient_id"],
    mistakes: ({ patient }) => (patient === null ? { patient_id: t("academy.mistake.patient") } : {}),
    send: async ({ patient }, intent) => {
      if (patient === null) throw new TypeError("nobody was chosen");
      return { answer: await send(patient, intent), patient };
    },
    done: async ({ answer, patient }) => {
      await refresh();
      onDone(answer, patient);
    },
    words: useAcademyWords(),
  });
  return (
    <FormBody form={form} action={action} onClose={onClose}>
      <Text size="sm">{text}</Text>
      <PatientField
        label={t("academy.patient")}
        chosen={form.typed.patient}
        error={form.errors.patient_id}
        onChange={(patient) => form.type({ patient })}
      />
    </FormBody>
  );
}

/** One act on an item for one patient: giving access, or starting a checkout. */
export function PatientDialog<Answer>(act: Act<Answer>) {
  return (
    <AskingDialog title={act.title} onClose={act.onClose}>
      {(leave) => <Fields {...act} onClose={leave} />}
    </AskingDialog>
  );
}
