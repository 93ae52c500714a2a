import { describe, expect, it } from "vitest";
import { ProblemError } from "../errors.ts";
import { knownHost, paceFor } from "./known-hosts.ts";
import { auditView, changedFields, maskUrl } from "./masking.ts";
import { applyInput, NEW_WEBHOOK, type SettingsRules, type WebhookInput, type WebhookSettings } from "./settings.ts";
import { webhookState } from "./state.ts";

const RULES: SettingsRules = {
  checkAddress: (text) => {
    const url = URL.parse(text);
    return url === null ? { ok: false, code: "not_a_url", message: "No address." } : { ok: true, url };
  },
  clinicHasAcademy: true,
};
const RECIPIENT = { organisation: "Example Insurer", country: "CA", purpose: "claims", agreementOnFile: true };
const URL_GIVEN = "https://hooks.example.test/in?key=canary";

function made(input: WebhookInput = {}): WebhookSettings {
  return applyInput(NEW_WEBHOOK, { url: URL_GIVEN, events: ["consult.updated"], ...input }, RULES);
}

function fieldsRefused(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof ProblemError) return error.fields.map(({ field }) => field);
    throw error;
  }
  return [];
}

describe("a new webhook", () => {
  it("is named after its host, sends no person's data, and is on because it has events", () => {
    expect(made()).toMatchObject({
      name: "hooks.example.test",
      include: { practitioner: "off", patient: "off" },
      enabled: true,
      offReason: null,
      pacePerSecond: 50,
      concurrency: 8,
    });
  });

  it("without events is off, for nobody's reason, and cannot be turned on", () => {
    expect(made({ events: [] })).toMatchObject({ enabled: false, offReason: null });
    expect(fieldsRefused(() => made({ events: [], enabled: true }))).toEqual(["enabled"]);
  });

  it("keeps its events in the documented order, each once", () => {
    expect(made({ events: ["membership.started", "participant.added", "membership.started"] }).events).toEqual([
      "participant.added",
      "membership.started",
    ]);
  });

  it("begins at the pace of a service that is known", () => {
    const slack = made({ url: "https://hooks.slack.com/services/x" });
    expect([slack.pacePerSecond, slack.concurrency]).toEqual([1, 1]);
    expect(made({ url: "https://hooks.slack.com/services/x", concurrency: 3 }).concurrency).toBe(3);
  });

  it.each([
    ["nobody chose becomes the new service's", {}, "https://hooks.slack.com/services/x", [1, 1]],
    ["nobody chose becomes a test address's", {}, "https://n8n.example.test/webhook-test/1", [1, 1]],
    [
      "was chosen stays where nothing is known of the new service",
      { pacePerSecond: 7 },
      "https://b.example.test/",
      [7, 8],
    ],
    ["was chosen stays where the new service bears it", { concurrency: 2 }, "https://hook.eu1.make.com/x", [20, 2]],
    [
      "was chosen is no more than the new service bears",
      { pacePerSecond: 400 },
      "https://hook.eu1.make.com/x",
      [20, 4],
    ],
  ])("has a pace for its address: when that changes, what %s", (_title, chosen, url, pace) => {
    const before = made({ url: "https://a.example.test/", ...chosen });
    const moved = applyInput(before, { url }, RULES);
    expect([moved.pacePerSecond, moved.concurrency]).toEqual(pace);
  });

  it("is no longer slow when its address was a test's or a slow service's, and is another one now", () => {
    const slack = made({ url: "https://hooks.slack.com/services/x" });
    expect(applyInput(slack, { url: URL_GIVEN }, RULES)).toMatchObject({ pacePerSecond: 50, concurrency: 8 });
    const trial = made({ url: "https://clinic.app.n8n.cloud/webhook-test/1" });
    expect(applyInput(trial, { url: "https://clinic.app.n8n.cloud/webhook/1" }, RULES)).toMatchObject({
      pacePerSecond: 20,
      concurrency: 4,
    });
  });

  it("keeps a pace beyond what its service is known to bear when only its path changes, and one that comes with the address", () => {
    const zapier = made({ url: "https://hooks.zapier.com/hooks/catch/1/a", pacePerSecond: 200 });
    expect(applyInput(zapier, { url: "https://hooks.zapier.com/hooks/catch/1/b" }, RULES).pacePerSecond).toBe(200);
    expect(applyInput(made(), { url: "https://hooks.slack.com/services/x", pacePerSecond: 3 }, RULES)).toMatchObject({
      pacePerSecond: 3,
      concurrency: 1,
    });
  });

  it("that sends patients' data, in a block or as the message itself, needs a recipient", () => {
    expect(fieldsRefused(() => made({ include: { patient: "id" } }))).toEqual(["recipient"]);
    expect(fieldsRefused(() => made({ events: ["patient_account.created"] }))).toEqual(["recipient"]);
    expect(made({ include: { patient: "all" }, recipient: RECIPIENT }).recipient).toEqual(RECIPIENT);
    expect(made({ include: { practitioner: "all" } }).recipient).toBeNull();
  });

  it("as a draft may still lack its recipient, and needs it when it turns live", () => {
    const draft = made({ draft: true, include: { patient: "all" } });
    expect(draft).toMatchObject({ enabled: false, offReason: null });
    expect(fieldsRefused(() => applyInput(draft, { draft: false }, RULES))).toEqual(["recipient"]);
    expect(applyInput(draft, { draft: false, recipient: RECIPIENT }, RULES)).toMatchObject({ enabled: true });
  });

  it("is refused with all its wrong fields at once", () => {
    const wrong = () =>
      made({
        url: "nothing",
        name: "two\nlines",
        headers: [{ name: "Host", value: "x" }],
        recipient: { ...RECIPIENT, country: "XQ" },
      });
    expect(fieldsRefused(wrong)).toEqual(["url", "name", "headers.0.name", "recipient.country"]);
  });

  it("cannot take events of the Academy where the clinic has none, and is told which", () => {
    const rules = { ...RULES, clinicHasAcademy: false };
    const act = () =>
      applyInput(NEW_WEBHOOK, { url: URL_GIVEN, events: ["membership.started", "course_participant.added"] }, rules);
    expect(fieldsRefused(act)).toEqual(["events.1"]);
  });
});

describe("custom headers", () => {
  const refused = (name: string, value = "x") => fieldsRefused(() => made({ headers: [{ name, value }] }));

  it("cannot take the place of what Hookwell or the connection sets", () => {
    for (const name of [
      ...["Host", "connection", "Content-Type", "content-length", "Transfer-Encoding", "TE", "Upgrade", "expect"],
      ...[
        "Proxy-Authorization",
        "Cookie",
        "Forwarded",
        "X-Forwarded-For",
        "webhook-id",
        "Webhook-Signature",
        "user-agent",
      ],
    ]) {
      expect(refused(name), name).toEqual(["headers.0.name"]);
    }
    expect(refused("Authorization", "Bearer abc")).toEqual([]);
  });

  it("cannot smuggle a second header in", () => {
    expect(refused("X-A", "one\r\nX-B: two")).toEqual(["headers.0.value"]);
    expect(refused("X-A", "é")).toEqual(["headers.0.value"]);
    expect(refused("X-A", "")).toEqual(["headers.0.value"]);
    expect(refused("X A")).toEqual(["headers.0.name"]);
    expect(refused("X-A\n")).toEqual(["headers.0.name"]);
  });

  it("are at most ten, and none of them twice", () => {
    const many = Array.from({ length: 11 }, (_, i) => ({ name: `X-${i}`, value: "v" }));
    expect(fieldsRefused(() => made({ headers: many }))).toEqual(["headers"]);
    expect(
      fieldsRefused(() =>
        made({
          headers: [
            { name: "X-A", value: "1" },
            { name: "x-a", value: "2" },
          ],
        }),
      ),
    ).toEqual(["headers.1.name"]);
  });
});

describe("turning on and off", () => {
  it("by the manager stays until the manager turns it on again, whatever else is saved", () => {
    const off = applyInput(made(), { enabled: false }, RULES);
    expect(off).toMatchObject({ enabled: false, offReason: "you" });
    expect(applyInput(off, { name: "new" }, RULES)).toMatchObject({ enabled: false, offReason: "you" });
    expect(applyInput(off, { enabled: true }, RULES)).toMatchObject({ enabled: true, offReason: null });
  });

  it("happens by itself with the first event and with the last", () => {
    const none = applyInput(made(), { events: [] }, RULES);
    expect(none).toMatchObject({ enabled: false, offReason: null });
    expect(applyInput(none, { events: ["consult.updated"] }, RULES)).toMatchObject({ enabled: true });
  });

  it("keeps our reason when the manager says off to what we turned off", () => {
    const gone: WebhookSettings = { ...made(), enabled: false, offReason: "receiver_gone" };
    expect(applyInput(gone, { enabled: false }, RULES).offReason).toBe("receiver_gone");
  });
});

describe("the state of a webhook", () => {
  const early = Temporal.Instant.from("2026-03-01T10:00:00Z");
  const late = Temporal.Instant.from("2026-03-01T11:00:00Z");
  const working = {
    draft: false,
    enabled: true,
    offReason: null,
    eventCount: 1,
    waitingCount: 0,
    addressAnswered: true,
    lastDeliveredAt: early,
    lastFailedAt: null,
  };

  it.each([
    ["not_set_up", { draft: true }],
    ["not_set_up", { eventCount: 0 }],
    ["off_by_you", { enabled: false, offReason: "you" as const, waitingCount: 3 }],
    ["off_by_us", { enabled: false, offReason: "receiver_gone" as const }],
    ["off_by_us", { enabled: false, offReason: "failing" as const }],
    ["needs_attention", { lastFailedAt: late, waitingCount: 1 }],
    ["needs_attention", { lastDeliveredAt: null, lastFailedAt: early }],
    ["working", { lastDeliveredAt: late, lastFailedAt: early }],
    ["waiting", { waitingCount: 1 }],
    ["ready", { lastDeliveredAt: null }],
    ["ready", { lastDeliveredAt: null, addressAnswered: false }],
    ["ready", { addressAnswered: false }],
    ["working", {}],
  ])("is %s for %o", (state, facts) => {
    expect(webhookState({ ...working, ...facts })).toBe(state);
  });
});

describe("known hosts", () => {
  it.each([
    ["https://hooks.zapier.com/hooks/catch/1/a", "zapier"],
    ["https://hook.eu1.make.com/abc", "make"],
    ["https://hook.integromat.com/abc", "make"],
    ["https://clinic.app.n8n.cloud/webhook/1", "n8n"],
    ["https://clinic.app.n8n.cloud/webhook-test/1", "n8n_test"],
    ["https://automation.example.test/webhook-test/1", "n8n_test"],
    ["https://hooks.slack.com/services/a", "slack"],
    ["https://prod-1.westus.logic.azure.com/workflows/a", "power_automate"],
    ["https://script.google.com/macros/s/a/exec", "google_script"],
    ["https://script.google.com/home", null],
    ["https://hooks.zapier.com.example.test/a", null],
    ["https://notmake.com/a", null],
  ])("%s is %s", (url, name) => {
    expect(knownHost(new URL(url))).toBe(name);
  });

  it.each([
    ["https://hooks.zapier.com/hooks/catch/1/a", 25, 8],
    ["https://hook.eu1.make.com/abc", 20, 4],
    ["https://clinic.app.n8n.cloud/webhook/1", 20, 4],
    ["https://clinic.app.n8n.cloud/webhook-test/1", 1, 1],
    ["https://hooks.slack.com/services/a", 1, 1],
    ["https://prod-1.westus.logic.azure.com/workflows/a", 10, 4],
    ["https://script.google.com/macros/s/a/exec", 5, 4],
  ])("%s gets %i a second, %i at a time", (url, pacePerSecond, concurrency) => {
    expect(paceFor(new URL(url))).toEqual({ pacePerSecond, concurrency });
  });

  it("leave everybody else the defaults", () => {
    expect(paceFor(new URL("https://hooks.example.test/"))).toEqual({ pacePerSecond: 50, concurrency: 8 });
  });
});

describe("masking", () => {
  it("leaves neither path nor query nor a header's value in what the audit keeps, and names what changed behind it", () => {
    const before = made({ headers: [{ name: "X-Key", value: "canary-one" }] });
    const after = made({ url: `${URL_GIVEN}2`, headers: [{ name: "X-Key", value: "canary-two" }] });
    expect(JSON.stringify([auditView(before), auditView(after)])).not.toContain("canary");
    expect(changedFields(before, after)).toEqual(["url", "headers"]);
    expect(maskUrl(URL_GIVEN)).toBe("https://hooks.example.test/••••••");
    expect(maskUrl("https://hooks.example.test")).toBe("https://hooks.example.test");
  });
});

describe("a webhook that was turned off", () => {
  it.each(["you", "receiver_gone"] as const)(
    "by %s stays off when its events are emptied and ticked again",
    (offReason) => {
      const off = { ...made(), enabled: false, offReason };
      const emptied = applyInput(off, { events: [] }, RULES);
      expect(emptied).toMatchObject({ enabled: false, offReason });
      expect(applyInput(emptied, { events: ["consult.updated"] }, RULES)).toMatchObject({ enabled: false, offReason });
    },
  );
});
