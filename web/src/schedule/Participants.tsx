// Who is in a consult. Groups and classes come and go; a one-to-one consult has one patient, who can be swapped for another.
import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { clinic, series } from "../api.ts";
import type { Consult, Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { useTyped } from "../ui/leaving.tsx";
import { dayOf } from "../ui/time.ts";
import { type OnSaid, useAct } from "./act.ts";
import { PanelActs } from "./PanelActs.tsx";
import { ParticipantRow } from "./ParticipantRow.tsx";
import { PatientPicker } from "./PatientPicker.tsx";
import classes from "./SchedulePage.module.css";
import { type Scope, ScopeChoice } from "./Scope.tsx";
import { useErrors } from "./use-errors.ts";
import { presentIn, seatedIn } from "./who.ts";

interface Props {
  consult: Consult;
  onSaid: OnSaid;
}

function useAdd({ consult, onSaid, onClose }: Props & { onClose: () => void }) {
  const { t } = useTranslation();
  const [patient, setPatient] = useState<Person | null>(null);
  const [scope, setScope] = useState<Scope>("one");
  const letGo = useTyped(patient !== null);
  const seriesId = scope === "following" ? consult.series_id : null;
  const add = useAct(
    async (intent, patientId: number) => {
      if (seriesId === null) return clinic.addParticipant(consult.id, patientId, intent).then(() => 1);
      const body = { patient_id: patientId, from: dayOf(consult.start_time) };
      return (await series.register(seriesId, body, intent)).changed_consult_ids.length;
    },
    (count) => {
      letGo();
      if (seriesId === null) onSaid(t("schedule.said.added"));
      else onSaid(t("schedule.said.addedMany", { count }), "series");
      onClose();
    },
  );
  return { patient, setPatient, scope, setScope, add };
}

function AddForm(props: Props & { onClose: () => void }) {
  const { t } = useTranslation();
  const { consult, onClose } = props;
  const { patient, setPatient, scope, setScope, add } = useAdd(props);
  const { errors } = useErrors(add.error);
  const isSeries = consult.series_id !== null;
  return (
    <div className={classes.panel}>
      <PatientPicker
        single
        focus
        chosen={patient === null ? [] : [patient]}
        without={scope === "one" ? presentIn(consult).map((participant) => participant.patient.id) : []}
        error={errors.patients}
        onChange={([chosen]) => setPatient(chosen ?? null)}
      />
      {isSeries && <ScopeChoice value={scope} onChange={setScope} />}
      <div role="alert">{errors.other !== undefined && <Callout tone="bad" text={errors.other} />}</div>
      <PanelActs
        action={t("schedule.add")}
        disabled={patient === null}
        pending={add.isPending}
        onAct={() => patient !== null && add.start(patient.id)}
        onClose={onClose}
      />
    </div>
  );
}

function Add(props: Props) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Group hidden={open}>
        <Button variant="default" size="sm" onClick={() => setOpen(true)}>
          {t("schedule.addPatient")}
        </Button>
      </Group>
      {open && <AddForm {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

/** See the head of this file. */
export function Participants(props: Props) {
  const { t } = useTranslation();
  const { consult } = props;
  const { participants, service, cancelled } = consult;
  const takesMore = service.kind !== "one_to_one" || seatedIn(consult).length === 0;
  return (
    <section aria-labelledby="participants">
      <Title order={3} mb="xs" id="participants">
        {t(service.kind === "one_to_one" ? "schedule.patient" : "schedule.participants")}
      </Title>
      <Stack gap="sm">
        {participants.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t("schedule.empty")}
          </Text>
        ) : (
          <ul className={classes.participants}>
            {participants.map((participant) => (
              <ParticipantRow key={participant.patient.id} {...props} participant={participant} />
            ))}
          </ul>
        )}
        {!cancelled && takesMore && <Add {...props} />}
      </Stack>
    </section>
  );
}
