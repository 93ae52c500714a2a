// When a consult is, what it is and with whom: the form that changes it, alone or with all that follow in its series.
import { Button, Group, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type ConsultChange, clinic, series } from "../api.ts";
import type { Consult, Person, Service } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import fields from "../ui/form.module.css";
import { useTyped } from "../ui/leaving.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { dayOf, localMinute } from "../ui/time.ts";
import { type OnSaid, useAct } from "./act.ts";
import { DURATION_MAX_MINUTES, type PlacedErrors, timeMistakes } from "./fields.ts";
import { practitionersQuery, servicesQuery } from "./queries.ts";
import classes from "./SchedulePage.module.css";
import { type Scope, ScopeChoice } from "./Scope.tsx";
import { TimeFields } from "./TimeFields.tsx";
import { useErrors } from "./use-errors.ts";

interface Props {
  consult: Consult;
  onSaid: OnSaid;
}

interface Typed {
  /** Local to the clinic; of the ones that follow only the time of day is taken. */
  start: string;
  duration: string;
  serviceId: number;
  practitionerId: number;
  scope: Scope;
}

const typedOf = (consult: Consult): Typed => ({
  start: localMinute(consult.start_time),
  duration: String(consult.duration),
  serviceId: consult.service.id,
  practitionerId: consult.practitioner.id,
  scope: "one",
});

/** Only what was changed is sent: an untouched time in a doubled hour must not be read anew. */
function changesOf(consult: Consult, { start, duration, serviceId, practitionerId, scope }: Typed): ConsultChange {
  const before = typedOf(consult);
  return {
    ...(start === before.start ? {} : { start_time: scope === "one" ? start : timeOf(start) }),
    ...(Number(duration) === consult.duration ? {} : { duration: Number(duration) }),
    ...(serviceId === before.serviceId ? {} : { service_id: serviceId }),
    ...(practitionerId === before.practitionerId ? {} : { practitioner_id: practitionerId }),
  };
}

/** "HH:MM" of a local time; empty while that is not complete. */
const timeOf = (local: string): string => local.slice(11);

/** Of the consults that follow each keeps its day, so only the time of day can be typed. */
function TimeOfDay({
  day,
  typed,
  errors,
  onChange,
}: {
  /** Of the consult that is open; kept while the time is being typed anew. */
  day: string;
  typed: Typed;
  errors: PlacedErrors;
  onChange: (changes: Partial<Typed>) => void;
}) {
  const { t } = useTranslation();
  return (
    <div className={fields.pair}>
      <TextInput
        type="time"
        label={t("schedule.startOfEach")}
        value={timeOf(typed.start)}
        error={errors.start_time}
        onChange={({ currentTarget: { value } }) => onChange({ start: value === "" ? "" : `${day}T${value}` })}
      />
      <TextInput
        type="number"
        min={1}
        max={DURATION_MAX_MINUTES}
        label={t("schedule.duration")}
        value={typed.duration}
        error={errors.duration}
        onChange={(event) => onChange({ duration: event.currentTarget.value })}
      />
    </div>
  );
}

function useAppointment({ consult, onSaid }: Props) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(() => typedOf(consult));
  const changes = changesOf(consult, typed);
  const isDirty = Object.keys(changes).length > 0;
  const letGo = useTyped(isDirty);
  const { series_id: seriesId } = consult;
  const following = typed.scope === "following" && seriesId !== null;
  const save = useAct(
    async () => {
      if (!following) return clinic.change(consult.id, changes).then(() => 1);
      const from = dayOf(consult.start_time);
      return (await series.change(seriesId, { ...changes, from })).changed_consult_ids.length;
    },
    (count) => {
      letGo();
      if (following) onSaid(t("schedule.said.changedMany", { count }), "series");
      else onSaid(t("schedule.said.changed"));
    },
  );
  const { errors, check, forget } = useErrors(save.error);
  const type = (more: Partial<Typed>) => {
    forget();
    // Changing sides gives the day of this consult back: a series keeps its days.
    const start = more.scope === undefined ? {} : { start: localMinute(consult.start_time) };
    setTyped({ ...typed, ...start, ...more });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isDirty) check(timeMistakes(typed), () => save.start());
  };
  return { typed, type, errors, submit, isDirty, isPending: save.isPending };
}

function Fields({ services, practitioners, ...props }: Props & { services: Service[]; practitioners: Person[] }) {
  const { t } = useTranslation();
  const { typed, type, errors, submit, isDirty, isPending } = useAppointment(props);
  const named = ({ id, name }: { id: number; name: string }) => ({ value: String(id), label: name });
  return (
    <form onSubmit={submit} className={classes.form} noValidate aria-label={t("schedule.appointment")}>
      {props.consult.series_id !== null && <ScopeChoice value={typed.scope} onChange={(scope) => type({ scope })} />}
      {typed.scope === "one" ? (
        <TimeFields times={typed} errors={errors} onChange={type} />
      ) : (
        <TimeOfDay day={dayOf(props.consult.start_time)} typed={typed} errors={errors} onChange={type} />
      )}
      <div className={fields.pair}>
        <NativeSelect
          label={t("schedule.service")}
          data={services.map(named)}
          value={typed.serviceId}
          error={errors.service_id}
          onChange={(event) => type({ serviceId: Number(event.currentTarget.value) })}
        />
        <NativeSelect
          label={t("schedule.practitioner")}
          data={practitioners.map(named)}
          value={typed.practitionerId}
          error={errors.practitioner_id}
          onChange={(event) => type({ practitionerId: Number(event.currentTarget.value) })}
        />
      </div>
      <div role="alert">{errors.other !== undefined && <Callout tone="bad" text={errors.other} />}</div>
      <Group>
        <Button type="submit" variant="light" disabled={!isDirty} loading={isPending}>
          {t("schedule.saveChanges")}
        </Button>
      </Group>
    </form>
  );
}

/** See the head of this file. */
export function Appointment(props: Props) {
  const services = useQuery(servicesQuery);
  const practitioners = useQuery(practitionersQuery);
  const failed = services.error ?? practitioners.error;
  const retry = () => {
    void services.refetch();
    void practitioners.refetch();
  };
  if (services.data !== undefined && practitioners.data !== undefined) {
    return <Fields {...props} services={services.data} practitioners={practitioners.data} />;
  }
  return failed === null ? <LoadingRows rows={2} height={60} /> : <LoadFailed error={failed} retry={retry} />;
}
