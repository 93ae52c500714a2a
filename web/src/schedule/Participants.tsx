import { Button, Group, Text, Title } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { clinic } from "../api.ts";
import type { Consult, Participant, Person } from "../api-types.ts";
import { Callout } from "../ui/Callout.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import { useAct } from "./act.ts";
import { PatientPicker } from "./PatientPicker.tsx";
import classes from "./SchedulePage.module.css";
import { useErrors } from "./use-errors.ts";

interface Props {
  consult: Consult;
  onSaid: (said: string) => void;
}

function AddForm({ consult, onSaid, onClose }: Props & { onClose: () => void }) {
  const { t } = useTranslation();
  const [patient, setPatient] = useState<Person | null>(null);
  const add = useAct(
    (intent, patientId: number) => clinic.addParticipant(consult.id, patientId, intent),
    () => {
      onSaid(t("schedule.said.added"));
      onClose();
    },
  );
  const { errors } = useErrors(add.error);
  return (
    <div className={classes.adding}>
      <PatientPicker
        single
        chosen={patient === null ? [] : [patient]}
        without={consult.participants.map((participant) => participant.patient.id)}
        error={errors.patients}
        onChange={([chosen]) => setPatient(chosen ?? null)}
      />
      <div role="alert">{errors.other !== undefined && <Callout tone="bad" text={errors.other} />}</div>
      <Group gap="sm">
        <Button
          size="sm"
          variant="light"
          disabled={patient === null}
          loading={add.isPending}
          onClick={() => patient !== null && add.start(patient.id)}
        >
          {t("schedule.add")}
        </Button>
        <Button size="sm" variant="subtle" onClick={onClose}>
          {t("shell.cancel")}
        </Button>
      </Group>
    </div>
  );
}

function Add(props: Props) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  if (open) return <AddForm {...props} onClose={() => setOpen(false)} />;
  return (
    <Button variant="default" size="sm" mt="sm" onClick={() => setOpen(true)}>
      {t("schedule.addPatient")}
    </Button>
  );
}

/** `onRemove` is null in a one-to-one consult: its patient leaves by cancelling it. */
function Row({
  participant: { patient, status },
  pending,
  onRemove,
}: {
  participant: Participant;
  pending: boolean;
  onRemove: (() => void) | null;
}) {
  const { t } = useTranslation();
  return (
    <li>
      <span>
        {patient.name}
        {status !== "booked" && (
          <Text span size="sm" c="dimmed">
            {` · ${t(`schedule.status.${status}`)}`}
          </Text>
        )}
      </span>
      {onRemove !== null && (
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          loading={pending}
          onClick={onRemove}
          aria-label={t("schedule.removeName", { name: patient.name })}
        >
          {t("schedule.remove")}
        </Button>
      )}
    </li>
  );
}

/** Who is in it. Groups and classes come and go; a one-to-one consult takes a patient only while it has none. */
export function Participants({ consult, onSaid }: Props) {
  const { t } = useTranslation();
  const words = useProblemWords();
  const remove = useAct(
    (_intent, patientId: number) => clinic.removeParticipant(consult.id, patientId),
    () => onSaid(t("schedule.said.removed")),
  );
  const { participants, service } = consult;
  const isGroup = service.kind !== "one_to_one";
  return (
    <section aria-labelledby="participants">
      <Title order={3} mb="xs" id="participants">
        {t("schedule.participants")}
      </Title>
      {participants.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t("schedule.empty")}
        </Text>
      ) : (
        <ul className={classes.participants}>
          {participants.map((participant) => (
            <Row
              key={participant.patient.id}
              participant={participant}
              pending={remove.isPending && remove.variables === participant.patient.id}
              onRemove={isGroup ? () => remove.start(participant.patient.id) : null}
            />
          ))}
        </ul>
      )}
      <div role="alert">{remove.isError && <Callout tone="bad" text={words(remove.error)} />}</div>
      {(isGroup || participants.length === 0) && <Add consult={consult} onSaid={onSaid} />}
    </section>
  );
}
