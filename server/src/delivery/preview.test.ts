/** What the manager's preview shows is what leaves: the same text, byte for byte, for every event and every data choice. */
import { BLOCK_CHOICES, EVENT_NAMES, type EventName } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { previewText } from "../../../web/src/webhooks/preview.ts";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";

let engine: TestEngine;
let receiver: Receiver;

beforeAll(async () => {
  [engine, receiver] = await Promise.all([createTestEngine(), createReceiver()]);
});
afterAll(async () => {
  await engine.close();
  await receiver.close();
});

const choices = BLOCK_CHOICES.flatMap((practitioner) => BLOCK_CHOICES.map((patient) => ({ practitioner, patient })));

describe("the preview's text equals the delivered body", () => {
  test.each([false, true])("of all events and choices, one participant per request: %s", async (onePerRequest) => {
    const clinicId = await engine.createClinic();
    const previews = new Map<string, string>();
    await engine.startDispatcher();
    for (const choice of choices) {
      const path = `/${onePerRequest}/${choice.practitioner}/${choice.patient}`;
      const url = new URL(path, receiver.url).href;
      await engine.createWebhook(clinicId, { url, events: [...EVENT_NAMES], onePerRequest, ...choice });
      for (const event of EVENT_NAMES) {
        previews.set(`${path} ${event}`, previewText(event, choice, { oneParticipantPerRequest: onePerRequest }));
      }
    }
    for (const [at, event] of EVENT_NAMES.entries()) await engine.emit(clinicId, `${event}:${at}`, event);
    const mine = () => receiver.received.filter((r) => r.path.startsWith(`/${onePerRequest}/`));
    const firstParts = () => mine().filter((r) => !/_\d+_\d+$/.test(String(r.headers["webhook-id"])));
    await until("everything has arrived", () => firstParts().length >= previews.size);
    const delivered = new Map(firstParts().map((r) => [`${r.path} ${eventOf(r.body)}`, r.body]));
    expect(delivered.size).toBe(choices.length * EVENT_NAMES.length);
    expect(Object.fromEntries(delivered)).toEqual(Object.fromEntries(previews));
  });
});

function eventOf(body: string): EventName {
  const parsed = JSON.parse(body) as { event: EventName } | { event: EventName }[];
  return (Array.isArray(parsed) ? parsed[0] : parsed)?.event as EventName;
}
