// The questions before a patient leaves: a late cancellation, and out of a series.
import { Stack } from "@mantine/core";
import { useState } from "react";
import { clinic, series } from "../api.ts";
import type { Consult, Participant } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { dayOf } from "../ui/time.ts";
import { type OnSaid, useAct } from "./act.ts";
import { type Scope, ScopeChoice } from "./Scope.tsx";

interface Props {
  consult: Consult;
  participant: Participant;
  onSaid: OnSaid;
  onClose: () => void;
}

/** The patient gives the place up at the last moment; a one-to-one consult is cancelled with it. */
export function LateCancel({ consult, participant: { patient }, onSaid, onClose }: Props) {
  const { t } = useTranslation();
  const isGroup = consult.service.kind !== "one_to_one";
  const late = useAct(
    () => clinic.changeParticipant(consult.id, patient.id, { arrival: "late_cancel" }),
    () => {
      onClose();
      onSaid(t(isGroup ? "schedule.said.leftLate" : "schedule.said.cancelledLate"));
    },
  );
  return (
    <ConfirmDialog
      title={t("schedule.lateCancelTitle", { name: patient.name })}
      action={t("schedule.lateCancelAction")}
      keep={t("schedule.keep")}
      danger
      pending={late.isPending}
      error={late.error}
      onConfirm={() => late.start()}
      onClose={onClose}
    >
      {t(isGroup ? "schedule.lateCancelGroup" : "schedule.lateCancelOne")}
    </ConfirmDialog>
  );
}

/** Out of this consult, or of this and all that follow. */
export function RemoveFromSeries({ consult, participant: { patient }, onSaid, onClose }: Props) {
  const { t } = useTranslation();
  const [scope, setScope] = useState<Scope>("one");
  const seriesId = scope === "following" ? consult.series_id : null;
  const remove = useAct(
    async () => {
      if (seriesId === null) return clinic.removeParticipant(consult.id, patient.id).then(() => 1);
      const part = { patientId: patient.id, from: dayOf(consult.start_time) };
      return (await series.remove(seriesId, part)).changed_consult_ids.length;
    },
    (count) => {
      onClose();
      if (seriesId === null) onSaid(t("schedule.said.removed"));
      else onSaid(t("schedule.said.removedMany", { count }), "series");
    },
  );
  return (
    <ConfirmDialog
      title={t("schedule.removeTitle", { name: patient.name })}
      action={t("schedule.remove")}
      danger
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.start()}
      onClose={onClose}
    >
      <Stack gap="md">
        <ScopeChoice value={scope} onChange={setScope} />
      </Stack>
    </ConfirmDialog>
  );
}
