import { NativeSelect } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { clinic } from "../api.ts";
import type { Person, ScheduledConsult, Service } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { Callout } from "../ui/Callout.tsx";
import { DialogActs } from "../ui/DialogActs.tsx";
import fields from "../ui/form.module.css";
import { AskingDialog, useTyped } from "../ui/leaving.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { dayOf } from "../ui/time.ts";
import { consultMistakes, type PlacedErrors } from "./fields.ts";
import { PatientPicker } from "./PatientPicker.tsx";
import { practitionersQuery, servicesQuery } from "./queries.ts";
import { RepeatFields } from "./RepeatFields.tsx";
import { ONCE, repeatsOf, type TypedRepeats } from "./repeats.ts";
import classes from "./SchedulePage.module.css";
import { TimeFields } from "./TimeFields.tsx";
import { useErrors } from "./use-errors.ts";

const FIRST_HOUR = "09:00";

interface Props {
  day: string;
  onClose: () => void;
  onDone: (consult: ScheduledConsult) => void;
}

interface Typed {
  serviceId: number;
  practitionerId: number;
  start: string;
  /** Null until somebody types one: then it is the service's. */
  duration: string | null;
  patients: Person[];
  repeats: TypedRepeats;
}

type FormProps = Props & { services: Service[]; practitioners: Person[] };

function useNewConsult({ services, practitioners, day, onDone }: FormProps) {
  const queryClient = useQueryClient();
  const [empty] = useState<Typed>({
    serviceId: services[0]?.id ?? 0,
    practitionerId: practitioners[0]?.id ?? 0,
    start: `${day}T${FIRST_HOUR}`,
    duration: null,
    patients: [],
    repeats: ONCE,
  });
  const [typed, setTyped] = useState(empty);
  const letGo = useTyped(JSON.stringify(typed) !== JSON.stringify(empty));
  const service = services.find(({ id }) => id === typed.serviceId);
  const single = service?.kind === "one_to_one";
  // Kept for the case that somebody goes back to a group: only what can be sent is shown.
  const patients = single ? typed.patients.slice(0, 1) : typed.patients;
  const duration = typed.duration ?? String(service?.duration ?? "");
  const values = () => ({
    service_id: typed.serviceId,
    practitioner_id: typed.practitionerId,
    start_time: typed.start,
    duration: Number(duration),
    patient_ids: patients.map(({ id }) => id),
    repeats: repeatsOf(typed.repeats),
  });
  const schedule = useIntent((intent) => clinic.schedule(values(), intent), {
    onSuccess: async (consult) => {
      await queryClient.invalidateQueries({ queryKey: ["consults"] });
      letGo();
      onDone(consult);
    },
  });
  const type = (changes: Partial<Typed>) => setTyped({ ...typed, ...changes });
  return { ...typed, duration, patients, single, kind: service?.kind, type, schedule };
}

function ServiceAndPractitioner({
  props: { services, practitioners },
  form,
  errors,
}: {
  props: FormProps;
  form: ReturnType<typeof useNewConsult>;
  errors: PlacedErrors;
}) {
  const { t } = useTranslation();
  const named = ({ id, name }: { id: number; name: string }) => ({ value: String(id), label: name });
  return (
    <div className={fields.pair}>
      <NativeSelect
        label={t("schedule.service")}
        data={services.map(named)}
        value={form.serviceId}
        error={errors.service_id}
        onChange={(event) => form.type({ serviceId: Number(event.currentTarget.value) })}
        data-autofocus
      />
      <NativeSelect
        label={t("schedule.practitioner")}
        data={practitioners.map(named)}
        value={form.practitionerId}
        error={errors.practitioner_id}
        onChange={(event) => form.type({ practitionerId: Number(event.currentTarget.value) })}
      />
    </div>
  );
}

function Form(props: FormProps) {
  const { t } = useTranslation();
  const form = useNewConsult(props);
  const { errors, check, forget } = useErrors(form.schedule.error);
  const type = (changes: Partial<Typed>) => {
    forget();
    form.type(changes);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    check(consultMistakes(form, form.kind), () => form.schedule.start());
  };
  return (
    <form onSubmit={submit} className={classes.form} noValidate>
      <ServiceAndPractitioner props={props} form={{ ...form, type }} errors={errors} />
      <TimeFields times={form} errors={errors} onChange={type} />
      <RepeatFields
        repeats={form.repeats}
        day={dayOf(form.start)}
        errors={errors}
        onChange={(repeats) => type({ repeats })}
      />
      <PatientPicker
        chosen={form.patients}
        single={form.single}
        error={errors.patients}
        onChange={(patients) => type({ patients })}
      />
      <div role="alert">{errors.other !== undefined && <Callout tone="bad" text={errors.other} />}</div>
      <DialogActs action={t("schedule.save")} isPending={form.schedule.isPending} onClose={props.onClose} />
    </form>
  );
}

/** Schedules a consult. Times are the clinic's own: they are sent without an offset and read in the clinic's zone. */
export default function ScheduleDialog(props: Props) {
  const { t } = useTranslation();
  const services = useQuery(servicesQuery);
  const practitioners = useQuery(practitionersQuery);
  const failed = services.error ?? practitioners.error;
  const retry = () => {
    void services.refetch();
    void practitioners.refetch();
  };
  return (
    <AskingDialog onClose={props.onClose} title={t("schedule.new")} size="lg">
      {(leave) =>
        services.data !== undefined && practitioners.data !== undefined ? (
          <Form {...props} onClose={leave} services={services.data} practitioners={practitioners.data} />
        ) : failed !== null ? (
          <LoadFailed error={failed} retry={retry} />
        ) : (
          <LoadingRows rows={4} />
        )
      }
    </AskingDialog>
  );
}
