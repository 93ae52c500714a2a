import { Button, Group, NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { clinic } from "../api.ts";
import type { Consult, Participant } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { useTyped } from "../ui/leaving.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { addDays, dayOf, formatDay, formatTime, type TimeFormat } from "../ui/time.ts";
import { type OnSaid, useAct } from "./act.ts";
import { PanelActs } from "./PanelActs.tsx";
import { consultsQuery } from "./queries.ts";
import classes from "./SchedulePage.module.css";
import { useErrors } from "./use-errors.ts";
import { presentIn } from "./who.ts";

/** How far on a patient can be moved from here: four weeks, and as many back. */
const REACH_DAYS = 28;

interface Props {
  consult: Consult;
  participant: Participant;
  onSaid: OnSaid;
  onClose: () => void;
}

/** Live groups and classes in which the patient is not yet. */
function targetsOf(consult: Consult, patientId: number, found: readonly Consult[]): Consult[] {
  return found.filter(
    (one) =>
      one.id !== consult.id &&
      !one.cancelled &&
      one.service.kind !== "one_to_one" &&
      !presentIn(one).some(({ patient }) => patient.id === patientId),
  );
}

/** The same service first, because that is what is mostly meant. */
function optionsOf(
  consult: Consult,
  targets: readonly Consult[],
  words: { same: string; others: string },
  format: TimeFormat,
) {
  const label = ({ start_time, service, practitioner }: Consult) =>
    `${formatDay(dayOf(start_time), format.locale)}, ${formatTime(start_time, format)} · ${service.name} · ${practitioner.name}`;
  const item = (one: Consult) => ({ value: String(one.id), label: label(one) });
  const isSame = (one: Consult) => one.service.id === consult.service.id;
  return [
    { group: words.same, items: targets.filter(isSame).map(item) },
    { group: words.others, items: targets.filter((one) => !isSame(one)).map(item) },
  ].filter(({ items }) => items.length > 0);
}

function Form({ targets, ...props }: Props & { targets: Consult[] }) {
  const { t } = useTranslation();
  const format = useTimeFormat();
  const { consult, participant, onSaid, onClose } = props;
  const [toId, setToId] = useState<number | null>(null);
  const letGo = useTyped(toId !== null);
  const move = useAct(
    (intent, id: number) => clinic.moveParticipant(consult.id, { patientId: participant.patient.id, toId: id }, intent),
    () => {
      letGo();
      onClose();
      onSaid(t("schedule.said.movedPatient"), "series");
    },
  );
  const { errors } = useErrors(move.error);
  const words = { same: t("schedule.sameService"), others: t("schedule.otherServices") };
  return (
    <>
      <NativeSelect
        label={t("schedule.moveTo", { name: participant.patient.name })}
        data={[{ value: "", label: t("schedule.chooseConsult") }, ...optionsOf(consult, targets, words, format)]}
        value={toId ?? ""}
        error={errors.other}
        onChange={({ currentTarget: { value } }) => setToId(value === "" ? null : Number(value))}
      />
      <PanelActs
        action={t("schedule.moveAction")}
        disabled={toId === null}
        pending={move.isPending}
        onAct={() => toId !== null && move.start(toId)}
        onClose={onClose}
      />
    </>
  );
}

/** A patient leaves this group or class for another one. */
export function MovePatient(props: Props) {
  const { t } = useTranslation();
  const day = dayOf(props.consult.start_time);
  const found = useQuery(consultsQuery(addDays(day, -REACH_DAYS), addDays(day, REACH_DAYS)));
  const targets = targetsOf(props.consult, props.participant.patient.id, found.data ?? []);
  return (
    <div className={classes.panel}>
      {found.isPending && <LoadingRows rows={1} height={60} />}
      {found.isError && <LoadFailed error={found.error} retry={() => found.refetch()} />}
      {found.isSuccess && targets.length === 0 && (
        <>
          <Callout tone="calm" text={t("schedule.noTarget")} />
          <Group>
            <Button size="sm" variant="subtle" onClick={props.onClose}>
              {t("shell.close")}
            </Button>
          </Group>
        </>
      )}
      {targets.length > 0 && <Form {...props} targets={targets} />}
    </div>
  );
}
