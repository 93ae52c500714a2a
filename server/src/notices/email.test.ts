/** What a clinic's managers are told by e-mail, through a real mail server. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestNotices, type TestNotices } from "../../test/notices.ts";
import { createLog } from "../log.ts";

let notices: TestNotices;
let count = 0;
const mailbox = () => `manager.${++count}@example.test`;

beforeAll(async () => {
  notices = await createTestNotices();
});
afterAll(() => notices.close());
beforeEach(async () => {
  await notices.engine.owner.query("delete from notices"); // what an earlier test left waiting
  notices.smtp.mails = [];
  notices.smtp.answer = () => null;
});

const FAILING = { outcome: "answered", status: 503, failing_since: "2026-11-03T13:30:00Z", waiting: 3 };

describe("a notice", () => {
  test("reaches every manager of its clinic, each by an e-mail of their own, and nobody else", async () => {
    const managers = [mailbox(), mailbox()];
    const clinic = await notices.clinic({ managers });
    const other = await notices.clinic({ managers: [mailbox()] });
    await notices.engine.owner.query("update staff set role = 'front_desk' where user_id = $1", other.managers);
    await clinic.raise("webhook.failing", FAILING);
    await other.raise("webhook.failing", FAILING);
    await notices.tellAll();
    expect(notices.smtp.mails.map(({ to }) => to)).toEqual(expect.arrayContaining(managers.map((one) => [one])));
    expect(notices.smtp.mails).toHaveLength(2);
    expect(await notices.sends(other.id)).toEqual([]);
  });

  test("says in plain words what is wrong, since when in the clinic's zone, what to do, and where to look", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()], timeZone: "America/Halifax", name: "Example Physio" });
    await clinic.raise("webhook.failing", FAILING);
    await notices.tellAll();
    const [mail] = notices.smtp.mails;
    expect(mail?.from).toBe("hooks@example.test");
    expect(mail?.headers.get("subject")).toBe("Example Physio: Nothing gets through to “test” at the moment");
    expect(mail?.headers.get("auto-submitted")).toBe("auto-generated");
    expect(mail?.text).toContain("It has an internal problem.");
    expect(mail?.text).toContain("It has been failing since Tuesday, November 3 at 09:30.");
    expect(mail?.text).toContain("3 events are waiting.");
    const link = `https://hooks.example.test/consults/export/webhooks#webhook-${clinic.webhookId}`;
    expect(mail?.text).toContain(link);
    expect(mail?.html).toContain(`<a href="${link}">`);
    // the address has a path, which is a credential
    expect(mail?.raw).not.toContain("/hook\n");
    expect(mail?.raw).not.toContain("127.0.0.1");
  });

  test("is in French where the clinic is", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()], locale: "fr-CA", name: "Physio Exemple" });
    await clinic.raise("webhook.off_soon", { ...FAILING, off_at: "2026-11-08T14:30:00Z" });
    await notices.tellAll();
    const [mail] = notices.smtp.mails;
    expect(mail?.headers.get("subject")).toBe(
      "Physio Exemple : « test » sera désactivé le dimanche 8 novembre à 09 h 30",
    );
    expect(mail?.text).toContain("Il a un problème interne.");
    expect(mail?.text).toContain("3 événements sont en attente.");
    expect(mail?.text).toContain("gestionnaire de Physio Exemple");
    expect(mail?.html).toContain('<html lang="fr-CA">');
  });

  test.each([
    "webhook.failing",
    "webhook.still_failing",
    "webhook.off_soon",
    "webhook.turned_off",
    "webhook.gone",
    "webhook.recovered",
    "delivery.late",
    "deliveries.expiring",
    "webhook.address_changed",
    "webhook.patient_data_on",
  ])("of kind %s has a sentence, with and without details", async (kind) => {
    const clinic = await notices.clinic({ managers: [mailbox()] });
    await clinic.raise(kind);
    await clinic.raise(kind, { outcome: "tls", off_at: "nonsense", starts_at: "2026-11-03T13:30:00Z", waiting: -1 });
    await notices.tellAll();
    expect(notices.smtp.mails).toHaveLength(1);
    expect(notices.smtp.mails[0]?.text).not.toMatch(/undefined|null|NaN|Invalid/);
  });
});

describe("names that people chose", () => {
  test("begin no header, no recipient and no HTML of their own", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()], name: "Clinic\r\nBcc: thief@example.test" });
    const evil = "x\r\nBcc: thief@example.test\r\n\r\n<script>alert(1)</script>";
    await notices.engine.owner.query("update webhooks set name = $3 where clinic_id = $1 and id = $2", [
      clinic.id,
      clinic.webhookId,
      evil,
    ]);
    await clinic.raise("webhook.gone");
    await notices.tellAll();
    const [mail] = notices.smtp.mails;
    expect(mail?.to).toHaveLength(1);
    expect(mail?.headers.has("bcc")).toBe(false);
    expect(mail?.raw).not.toMatch(/^bcc:/im);
    expect(mail?.html).not.toContain("<script>");
    expect(mail?.html).toContain("&lt;script&gt;");
  });

  test("cannot make one mailbox into several", async () => {
    const clinic = await notices.clinic({ managers: [`a${++count}@example.test, thief@example.test`] });
    await clinic.raise("webhook.gone");
    await notices.tellAll();
    expect(notices.smtp.mails).toEqual([]);
    expect(await notices.sends(clinic.id)).toMatchObject([{ state: "given_up", last_error: "refused_recipient" }]);
  });
});

describe("two workers at once", () => {
  test("send each notice to each manager once", async () => {
    const clinics = await Promise.all(
      Array.from({ length: 6 }, () => notices.clinic({ managers: [mailbox(), mailbox()] })),
    );
    for (const clinic of clinics) await clinic.raise("webhook.failing", FAILING);
    const workers = [notices.worker(), notices.worker()];
    await Promise.all(workers.map((worker) => worker.spread()));
    await Promise.all(workers.map((worker) => worker.tell("email")));
    await Promise.all(workers.map((worker) => worker.tell("email"))); // whoever found a recipient locked comes back
    const told = notices.smtp.mails.map(({ to }) => String(to)).sort();
    expect(told).toHaveLength(12);
    expect(new Set(told).size).toBe(12);
  });
});

describe("a mail server", () => {
  test("that is down is tried again, with growing waits, and hears of everything once it is up", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()] });
    await clinic.raise("webhook.failing", FAILING);
    await notices.smtp.down();
    await notices.tellAll();
    expect(await notices.sends(clinic.id)).toMatchObject([
      { state: "waiting", attempts: 1, last_error: "unreachable" },
    ]);
    await notices.tellAll(); // not due
    expect(await notices.sends(clinic.id)).toMatchObject([{ attempts: 1 }]);
    await notices.passTime("35 seconds");
    await notices.tellAll();
    await notices.passTime("35 seconds");
    await notices.tellAll(); // the second wait is longer
    expect(await notices.sends(clinic.id)).toMatchObject([{ attempts: 2 }]);
    await notices.smtp.up();
    await notices.passTime("3 minutes");
    await notices.tellAll();
    expect(await notices.sends(clinic.id)).toMatchObject([{ state: "sent", attempts: 3, last_error: null }]);
    expect(notices.smtp.mails).toHaveLength(1);
  });

  test("that is down for a day has it given up in the end", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()] });
    await clinic.raise("webhook.failing", FAILING);
    notices.smtp.answer = (command) => (command === "." ? "451 later" : null);
    for (let n = 0; n < 8; n++) {
      await notices.tellAll();
      await notices.passTime("14 hours");
    }
    expect(await notices.sends(clinic.id)).toMatchObject([
      { state: "given_up", attempts: 8, last_error: "deferred", last_status: 451 },
    ]);
  });

  test("that refuses a recipient for good is not asked again, the others get theirs, and the log says so", async () => {
    const [gone, there] = [mailbox(), mailbox()];
    const clinic = await notices.clinic({ managers: [gone, there] });
    await clinic.raise("webhook.failing", FAILING);
    notices.smtp.answer = (command) => (command.includes(gone) ? "550 no such person here" : null);
    const lines: string[] = [];
    const log = createLog({ destination: { write: (line) => void lines.push(line) } });
    await notices.tellAll(notices.worker({ log }));
    const [first, second] = clinic.managers;
    expect(await notices.sends(clinic.id)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          recipient: first,
          state: "given_up",
          last_error: "refused_recipient",
          last_status: 550,
        }),
        expect.objectContaining({ recipient: second, state: "sent" }),
      ]),
    );
    const said = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "notices.email_given_up");
    expect(said).toMatchObject([{ clinic_id: clinic.id, staff_id: first, outcome: "refused_recipient", status: 550 }]);
    expect(lines.join()).not.toContain(gone);
    expect(lines.join()).not.toContain("no such person");
  });

  test("that defers a recipient (greylisting) is asked again", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()] });
    await clinic.raise("webhook.failing", FAILING);
    notices.smtp.answer = (command) => (/^RCPT/i.test(command) ? "450 try later" : null);
    await notices.tellAll();
    expect(await notices.sends(clinic.id)).toMatchObject([
      { state: "waiting", last_error: "deferred", last_status: 450 },
    ]);
  });

  test("that says nothing costs its deadline and no more", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()] });
    await clinic.raise("webhook.failing", FAILING);
    notices.smtp.answer = () => "";
    await notices.tellAll(notices.worker({ deadlineMs: 200 }));
    expect(await notices.sends(clinic.id)).toMatchObject([{ state: "waiting", last_error: "timed_out" }]);
  });

  test("that is lost between its acceptance and our commit gets the e-mail again, under the same message id", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()] });
    await clinic.raise("webhook.failing", FAILING);
    await notices.tellAll();
    // as if the process had died before its commit, and its lease had run out
    await notices.engine.owner.query(
      `update notice_sends set state = 'waiting', ended_at = null, begun_at = now() - interval '2 minutes',
         due_at = now() - interval '1 second' where clinic_id = $1`,
      [clinic.id],
    );
    await notices.tellAll();
    const ids = notices.smtp.mails.map(({ headers }) => headers.get("message-id"));
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect(await notices.sends(clinic.id)).toMatchObject([{ state: "sent", attempts: 2 }]);
  });

  test("hears no password in the log, nor does anything else that is secret", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()], name: "Canary Clinic" });
    await clinic.raise("webhook.failing", FAILING);
    const lines: string[] = [];
    const log = createLog({ level: "debug", destination: { write: (line) => void lines.push(line) } });
    const url = notices.smtp.url.replace("//", "//postmaster:canary-pass@");
    notices.smtp.answer = (command) => (/^AUTH/.test(command) ? "535 canary-pass is wrong" : null);
    await notices.tellAll(notices.worker({ log, url }));
    expect(await notices.sends(clinic.id)).toMatchObject([{ state: "waiting", last_error: "login", last_status: 535 }]);
    notices.smtp.answer = () => null;
    await notices.passTime("1 hour");
    await notices.tellAll(notices.worker({ log, url }));
    expect(notices.smtp.mails).toHaveLength(1);
    expect(notices.smtp.heard).toContain(Buffer.from("\0postmaster\0canary-pass").toString("base64"));
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join()).not.toMatch(/canary|example\.test|postmaster/i);
  });
});

describe("many notices", () => {
  test("within ten minutes are gathered into the next e-mail, and none is lost", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()] });
    await clinic.raise("webhook.failing", FAILING);
    await notices.tellAll();
    for (let n = 0; n < 25; n++) await clinic.raise("delivery.late", { starts_at: "2026-11-03T14:00:00Z" });
    await notices.tellAll();
    expect(notices.smtp.mails).toHaveLength(1);
    await notices.passTime("11 minutes");
    await notices.tellAll();
    expect(notices.smtp.mails).toHaveLength(2);
    const [, gathered] = notices.smtp.mails;
    expect(gathered?.headers.get("subject")).toContain("25 notices about your webhooks");
    expect(gathered?.text).toContain("and 5 more");
    expect((await notices.sends(clinic.id)).every(({ state }) => state === "sent")).toBe(true);
  });
});

describe("somebody who is no manager any more", () => {
  test("is not written to, even where the notice was raised before", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()] });
    await clinic.raise("webhook.failing", FAILING);
    const worker = notices.worker();
    await worker.spread();
    await notices.engine.owner.query("update staff set role = 'practitioner' where clinic_id = $1", [clinic.id]);
    await worker.tell("email");
    expect(notices.smtp.mails).toEqual([]);
    expect(await notices.sends(clinic.id)).toMatchObject([{ state: "given_up", last_error: "no_manager" }]);
  });
});

describe("without a mail server", () => {
  test("no e-mail is planned, and the start says so once", async () => {
    const clinic = await notices.clinic({ managers: [mailbox()] });
    await clinic.raise("webhook.failing", FAILING);
    const lines: string[] = [];
    const worker = notices.worker({
      mail: "none",
      log: createLog({ destination: { write: (line) => void lines.push(line) } }),
    });
    await worker.spread();
    expect(await notices.sends(clinic.id)).toEqual([]);
    worker.start();
    await worker.stop();
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(["notices.without_mail"]);
  });
});
