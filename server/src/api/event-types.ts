/** GET /v1/event-types: the catalogue, for every member of staff. */
import { EVENT_NAMES, type EventName, eventDefinition, GROUPS } from "@hookwell/sdk";
import { z } from "zod";
import { getClinic } from "../clinic/clinics.ts";
import { inClinic } from "../db/pool.ts";
import type { ApiContext } from "./context.ts";
import type { App } from "./server.ts";

const EVENT_TYPE = z.object({
  name: z.string(),
  group: z.string(),
  group_label: z.string(),
  label: z.string(),
  sentence: z.string(),
  fires_not: z.string(),
  practitioner: z.boolean(),
  patient_key: z.enum(["participant", "client"]),
  patient_always: z.boolean(),
  /** False where the clinic lacks what the event needs. */
  available: z.boolean(),
});

export async function eventTypesRoutes(app: App, context: ApiContext): Promise<void> {
  const schema = { response: { 200: z.object({ data: z.array(EVENT_TYPE), next_cursor: z.null() }) } };
  app.get(
    "/event-types",
    { schema: { summary: "List the events that webhooks can hear of.", ...schema } },
    async ({ principal }) => {
      const clinic = await inClinic(context.db, principal.clinicId, (tx) => getClinic(tx, principal.clinicId));
      return { data: EVENT_NAMES.map((name) => show(name, clinic)), next_cursor: null };
    },
  );
}

function show(
  name: EventName,
  { locale, hasAcademy }: { locale: "en" | "fr-CA"; hasAcademy: boolean },
): z.output<typeof EVENT_TYPE> {
  const event = eventDefinition(name);
  const group = GROUPS[event.group];
  return {
    name,
    group: event.group,
    group_label: group.label[locale],
    label: event.label[locale],
    sentence: event.sentence[locale],
    fires_not: event.firesNot[locale],
    practitioner: event.practitioner,
    patient_key: event.patientKey,
    patient_always: event.patientAlways,
    available: hasAcademy || !group.needsAcademy,
  };
}
