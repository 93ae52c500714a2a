// One consult: change it, look after its patients, cancel or restore it; alone, or with all that follow in its series. Each
// act is one call, told by the quiet line.
import { Stack, Text, Title } from "@mantine/core";
import IconRepeat from "@tabler/icons-react/dist/esm/icons/IconRepeat.mjs";
import { useEffect, useRef } from "react";
import type { Consult } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import { AskingDialog } from "../ui/leaving.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import { dayOf, formatDay, formatTime } from "../ui/time.ts";
import { Appointment } from "./Appointment.tsx";
import type { OnSaid } from "./act.ts";
import { CancelConsult, RestoreConsult } from "./CancelConsult.tsx";
import { Participants } from "./Participants.tsx";
import classes from "./SchedulePage.module.css";

/** The consult as it stands, and where to say what was done with it. */
interface ActProps {
  consult: Consult;
  onSaid: OnSaid;
}

/** What was done last; `subject` is null where it was done to several consults. */
interface Said {
  text: string;
  subject: string | null;
}

function Head({ consult }: { consult: Consult }) {
  const { t } = useTranslation();
  const format = useTimeFormat();
  const time = `${formatTime(consult.start_time, format)} – ${formatTime(consult.end_time, format)}`;
  return (
    <div>
      <Text>
        {formatDay(dayOf(consult.start_time), format.locale)}, <span className={classes.time}>{time}</span>
      </Text>
      <Text c="dimmed" size="sm">
        {consult.practitioner.name}
      </Text>
      {consult.series_id !== null && (
        <Text c="dimmed" size="sm" className={classes.repeats}>
          <IconRepeat size={15} aria-hidden="true" />
          {t("schedule.partOfSeries")}
        </Text>
      )}
    </div>
  );
}

function Live({ consult, onSaid }: ActProps) {
  const { t } = useTranslation();
  const { start_time, duration, service, practitioner } = consult;
  return (
    <>
      <Participants consult={consult} onSaid={onSaid} />
      <section aria-labelledby="appointment">
        <Title order={3} mb="xs" id="appointment">
          {t("schedule.appointment")}
        </Title>
        <Appointment
          key={`${start_time} ${duration} ${service.id} ${practitioner.id}`}
          consult={consult}
          onSaid={onSaid}
        />
      </section>
      <CancelConsult consult={consult} onSaid={onSaid} />
    </>
  );
}

function Cancelled(act: ActProps) {
  return (
    <>
      <RestoreConsult {...act} />
      {act.consult.participants.length > 0 && <Participants {...act} />}
    </>
  );
}

/** Where an act takes its own button away, the focus comes here, before the way to what was sent. */
function SaidHere({ said }: { said: Said | null }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (said === null) return;
    // Later, because whatever closes with the act gives the focus back first.
    const timer = setTimeout(() => {
      if (document.activeElement === document.body) place.current?.focus({ preventScroll: true });
    }, 0);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <div ref={place} tabIndex={-1} className={said === null ? classes.silent : classes.saidHere}>
      <QuietLine said={said?.text ?? null} subject={said?.subject ?? null} />
    </div>
  );
}

/** See the head of this file. */
export default function ConsultDialog({
  said,
  onClose,
  ...act
}: ActProps & { said: Said | null; onClose: () => void }) {
  const { consult } = act;
  return (
    <AskingDialog onClose={onClose} title={consult.service.name} size="lg">
      {() => (
        <Stack gap="lg">
          <Head consult={consult} />
          <SaidHere said={said} />
          {consult.cancelled ? <Cancelled {...act} /> : <Live {...act} />}
        </Stack>
      )}
    </AskingDialog>
  );
}
