import { Button, Checkbox, Collapse, Text } from "@mantine/core";
import "../ui/checkbox.css";
import {
  EVENTS,
  type EventName,
  eventDefinition,
  eventsOfGroup,
  GROUP_NAMES,
  GROUPS,
  type GroupName,
} from "@hookwell/sdk";
import { useState } from "react";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage, useMay, useMe } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { toggleEvent, toggleGroup, triState } from "./draft.ts";
import { type Form, fieldId } from "./form.ts";
import { Section } from "./Section.tsx";
import classes from "./When.module.css";

function EventBoxes({ group, form: { draft, change }, closed }: { group: GroupName; form: Form; closed: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const state = triState(group, draft.events);
  const label = GROUPS[group].label[language];
  const mayPatient = useMay("include-patient");
  // Its message is the patient: what may not be turned on can still be turned off.
  const isLocked = (event: EventName) =>
    !mayPatient && eventDefinition(event).patientAlways && !draft.events.includes(event);
  return (
    <fieldset className={classes.group}>
      <legend className={classes.hidden}>{label}</legend>
      <Checkbox
        label={t("webhooks.when.all", { group: label })}
        checked={state === "all"}
        indeterminate={state === "some"}
        disabled={closed || eventsOfGroup(group).some(isLocked)}
        description={closed ? t("webhooks.needsAcademy") : undefined}
        onChange={() => change({ events: toggleGroup(group, draft.events) })}
      />
      <div className={classes.events}>
        {eventsOfGroup(group).map((event: EventName) => (
          <Checkbox
            key={event}
            label={EVENTS[event].label[language]}
            description={
              <>
                <code>{event}</code>
                {isLocked(event) && <> · {t("embed.patientLocked")}</>}
              </>
            }
            checked={draft.events.includes(event)}
            disabled={closed || isLocked(event)}
            onChange={() => change({ events: toggleEvent(event, draft.events) })}
          />
        ))}
      </div>
    </fieldset>
  );
}

/** When: the events, by group. Opened from one group, the others are folded away. */
export function When({ form, group }: { form: Form; group: GroupName | null }) {
  const { t } = useTranslation();
  const { clinic } = useMe();
  const { draft, errors } = form;
  const others = group === null ? [] : GROUP_NAMES.filter((name) => name !== group);
  const elsewhere = draft.events.filter((event) => group !== null && EVENTS[event].group !== group).length;
  const [open, setOpen] = useState(elsewhere > 0);
  const boxes = (name: GroupName) => (
    <EventBoxes key={name} group={name} form={form} closed={GROUPS[name].needsAcademy && !clinic.has_academy} />
  );
  return (
    <Section number={2} title={t("webhooks.when.title")} text={t("webhooks.when.text")}>
      <div id={fieldId("events")} tabIndex={-1} className={classes.groups}>
        {(group === null ? GROUP_NAMES : [group]).map(boxes)}
        {others.length > 0 && (
          <>
            <Button
              variant="subtle"
              size="compact-sm"
              className={classes.fold}
              aria-expanded={open}
              onClick={() => setOpen(!open)}
            >
              {t(open ? "webhooks.when.fewer" : "webhooks.when.more", { count: elsewhere })}
            </Button>
            <Collapse expanded={open}>
              <div className={classes.groups}>{open && others.map(boxes)}</div>
            </Collapse>
          </>
        )}
      </div>
      {errors.events !== undefined && (
        <Text size="sm" c="var(--mantine-color-error)">
          {errors.events}
        </Text>
      )}
      {draft.events.length === 0 && <Callout tone="calm" text={t("webhooks.when.nothing")} />}
    </Section>
  );
}
