import { useState } from "react";
import { clinic } from "../api.ts";
import type { Consult, Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { useTyped } from "../ui/leaving.tsx";
import { type OnSaid, useAct } from "./act.ts";
import { PanelActs } from "./PanelActs.tsx";
import { PatientPicker } from "./PatientPicker.tsx";
import classes from "./SchedulePage.module.css";
import { useErrors } from "./use-errors.ts";

/** Another patient in the place of a one-to-one consult. */
export function SwapPatient({ consult, onSaid, onClose }: { consult: Consult; onSaid: OnSaid; onClose: () => void }) {
  const { t } = useTranslation();
  const [patient, setPatient] = useState<Person | null>(null);
  const letGo = useTyped(patient !== null);
  const swap = useAct(
    (_intent, patientId: number) => clinic.change(consult.id, { patient_id: patientId }),
    () => {
      letGo();
      onClose();
      onSaid(t("schedule.said.swapped"));
    },
  );
  const { errors } = useErrors(swap.error);
  return (
    <div className={classes.panel}>
      <PatientPicker
        single
        focus
        chosen={patient === null ? [] : [patient]}
        without={consult.participants.map((participant) => participant.patient.id)}
        error={errors.patients}
        onChange={([chosen]) => setPatient(chosen ?? null)}
      />
      <div role="alert">{errors.other !== undefined && <Callout tone="bad" text={errors.other} />}</div>
      <PanelActs
        action={t("schedule.swap")}
        disabled={patient === null}
        pending={swap.isPending}
        onAct={() => patient !== null && swap.start(patient.id)}
        onClose={onClose}
      />
    </div>
  );
}
